//! Which pairs there are, by their numbers. A pair keeps its number until it has
//! no master, its slave is closed, and it is no session's terminal.
//!
//! A spin lock guards the table. Under it a slave is opened, so that one that is
//! found is in use and does not go.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use abi::Errno;
use sync::{SpinLock, rank};

use super::{Pair, Slave};
use crate::device::line::Line;
use crate::device::terminal::{Port, Terminal};
use crate::files::allocate::{try_arc, try_vec};
use crate::files::inode::Owner;

/// How many there may be, as on Linux.
const MAX: usize = 4096;

static PAIRS: SpinLock<Vec<Option<Arc<Slave>>>, rank::Ptys> = SpinLock::new(Vec::new());

/// Makes a pair, with the lowest number that is free: ENOSPC, ENOMEM.
pub fn make(owner: Owner) -> Result<Arc<Slave>, Errno> {
    loop {
        let number = first_free(&PAIRS.lock())?;
        let pair = Pair::new(number as u32, owner)?;
        let slave = try_arc(Terminal::new(Line::new(false)?, pair))?;
        let mut pairs = PAIRS.lock();
        if pairs.get(number).is_some_and(Option::is_some) {
            // A peer was faster.
            continue;
        }
        if number >= pairs.len() {
            let more = number + 1 - pairs.len();
            pairs.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
            pairs.resize(number + 1, None);
        }
        pairs[number] = Some(slave.clone());
        return Ok(slave);
    }
}

fn first_free(pairs: &[Option<Arc<Slave>>]) -> Result<usize, Errno> {
    let free = pairs.iter().position(Option::is_none);
    match free.unwrap_or(pairs.len()) {
        MAX.. => Err(Errno::ENOSPC),
        number => Ok(number),
    }
}

/// The slave with that number, while its master is open: ENOENT.
pub fn get(number: u32) -> Result<Arc<Slave>, Errno> {
    let pairs = PAIRS.lock();
    let slave = pairs.get(number as usize).and_then(Option::as_ref);
    let slave = slave.filter(|slave| slave.port().has_master());
    slave.cloned().ok_or(Errno::ENOENT)
}

/// The numbers of those with a master. ENOMEM.
pub fn numbers() -> Result<Vec<u32>, Errno> {
    let count = PAIRS.lock().len();
    let mut numbers = try_vec(count)?;
    let pairs = PAIRS.lock();
    let open = pairs.iter().flatten().map(|slave| slave.port());
    let open = open.filter(|pair| pair.has_master());
    numbers.extend(open.map(|pair| pair.number).take(count));
    Ok(numbers)
}

/// A slave that `wanted`, which takes no lock, accepts.
pub fn find(wanted: impl Fn(&Terminal) -> bool) -> Option<Arc<Terminal>> {
    let pairs = PAIRS.lock();
    let slave = pairs.iter().flatten().find(|slave| wanted(&***slave))?;
    Some(slave.clone())
}

/// Counts one more who has the slave open: EIO if it is locked or has no master.
pub fn open(slave: &Slave) -> Result<(), Errno> {
    let _pairs = PAIRS.lock();
    let pair = slave.port();
    if pair.locked.load(Ordering::Relaxed) || !pair.has_master() {
        return Err(Errno::EIO);
    }
    pair.opened();
    Ok(())
}

/// Forgets the pair if nobody uses it any more.
pub fn settle(pair: &Pair) {
    let mut pairs = PAIRS.lock();
    let mut gone = None;
    if let Some(entry) = pairs.get_mut(pair.number as usize) {
        let is_unused = |slave: &Slave| {
            core::ptr::eq(slave.port(), pair)
                && !pair.has_master()
                && pair.slaves.load(Ordering::Acquire) == 0
                && !slave.is_taken()
        };
        if entry.as_deref().is_some_and(is_unused) {
            gone = entry.take();
        }
    }
    drop(pairs);
    drop(gone);
}
