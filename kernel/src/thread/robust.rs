//! The robust list: the locks that a thread holds, so that others learn of it
//! when it ends (set_robust_list(2); Linux's Documentation/locking, "The robust
//! futex ABI").
//!
//! The program keeps the list, and the kernel looks at it once, at the end. Then
//! it may be anything: a bad pointer ends the walk, a circle is left after
//! [`LIMIT`] entries, and only words with the thread's own id are touched.

use super::futex::{self, Word};
use super::{Current, find};
use crate::memory::user;
use abi::Errno;
use abi::futex::*;
use core::sync::atomic::Ordering::Relaxed;
use machine::copy;

/// Entries that are looked at (`ROBUST_LIST_LIMIT`).
const LIMIT: usize = 2048;

/// Says where the caller's list is: EINVAL if its head has another length.
pub fn set(current: &Current, head: usize, length: usize) -> Result<usize, Errno> {
    if length != size_of::<RobustListHead>() {
        return Err(Errno::EINVAL);
    }
    current.robust_list.store(head, Relaxed);
    Ok(0)
}

/// Stores where a thread's list is, and how long its head is. ESRCH, EFAULT.
pub fn get(current: &Current, tid: usize, head: usize, length: usize) -> Result<usize, Errno> {
    let thread = find(current, tid)?;
    user::write_value(length, &size_of::<RobustListHead>())?;
    user::write_value(head, &thread.robust_list.load(Relaxed))?;
    Ok(0)
}

/// A link of the list.
#[derive(Clone, Copy)]
struct Link {
    address: usize,
    /// It stands for a lock with priority inheritance.
    inherits: bool,
}

impl Link {
    fn new(word: usize) -> Link {
        Link {
            address: word & !1,
            inherits: word & 1 != 0,
        }
    }
}

/// Marks all locks of the list, and wakes one waiter of each. The thread ends, or
/// its program does, and its memory is still there.
pub(super) fn release(current: &Current) {
    let at = current.robust_list.swap(0, Relaxed);
    if at != 0 {
        // What cannot be read cannot be helped.
        let _ = walk(current, at);
    }
}

fn walk(current: &Current, at: usize) -> Result<(), Errno> {
    let head: RobustListHead = user::read_value(at)?;
    let pending = Link::new(head.pending);
    let word_of = |link: Link| link.address.wrapping_add_signed(head.offset);
    let mut link = Link::new(head.first);
    for _ in 0..LIMIT {
        if link.address == at {
            break;
        }
        // First: whoever gets the lock may use the entry for something else.
        let next = user::read_value(link.address);
        if link.address != pending.address {
            owner_died(current, word_of(link), link, false)?;
        }
        link = Link::new(next?);
    }
    match pending.address {
        0 => Ok(()),
        _ => owner_died(current, word_of(pending), pending, true),
    }
}

/// Marks one lock, if it is the thread's.
fn owner_died(current: &Current, at: usize, link: Link, is_pending: bool) -> Result<(), Errno> {
    let wake = || futex::wake(current, Word::shared(at), 1, FUTEX_BITSET_MATCH_ANY).map(drop);
    let tid = current.tid();
    loop {
        let value = copy::fetch_u32(at).map_err(|_| Errno::EFAULT)?;
        if is_pending && !link.inherits && value == 0 {
            // It was let go, and its waiter perhaps not woken any more.
            return wake();
        }
        if value & FUTEX_TID_MASK != tid {
            return Ok(());
        }
        let died = value & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        let was = copy::compare_exchange_u32(at, value, died).map_err(|_| Errno::EFAULT)?;
        if was == value {
            return match value & FUTEX_WAITERS != 0 && !link.inherits {
                true => wake(),
                false => Ok(()),
            };
        }
    }
}
