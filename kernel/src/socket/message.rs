//! What is sent at a time: bytes, and what goes along with them.
//!
//! The list of what is to be dropped has a spin lock of its own.

use crate::credentials::{self, Ids};
use crate::files::File;
use crate::files::allocate::{try_box, try_vec};
use crate::sched;
use abi::Errno;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use sync::{SpinLock, rank};

use super::Name;

/// Who sends, or made the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    pub pid: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Credentials {
    /// Those that the running process sends, unless it says others.
    pub fn sent() -> Credentials {
        Credentials::own(|ids| ids.real)
    }

    /// Those with which the running process connects or listens.
    pub fn connecting() -> Credentials {
        Credentials::own(|ids| ids.effective)
    }

    fn own(which: fn(Ids) -> u32) -> Credentials {
        let thread = sched::current();
        let ids = |all: &credentials::Credentials| (which(all.user), which(all.group));
        let (uid, gid) = thread.with_credentials(ids).unwrap_or_default();
        Credentials {
            pid: thread.user_group().map_or(0, |group| group.id()),
            uid,
            gid,
        }
    }
}

/// Files that go along with bytes.
pub struct Ancillary {
    files: Vec<Arc<File>>,
    /// Another of which only the files are left; see [`discard`].
    next: Option<Box<Ancillary>>,
}

/// How many files may be under way at a time, in all messages that nobody has
/// read. Sockets that are sent to themselves stay for ever: this is their limit.
const MOST_IN_FLIGHT: usize = 16_384;

static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

impl Ancillary {
    /// None without files: ETOOMANYREFS if too many are under way, ENOMEM.
    pub fn new(files: Vec<Arc<File>>) -> Result<Option<Box<Ancillary>>, Errno> {
        let count = files.len();
        if count == 0 {
            return Ok(None);
        }
        if IN_FLIGHT.fetch_add(count, Ordering::Relaxed) + count > MOST_IN_FLIGHT {
            IN_FLIGHT.fetch_sub(count, Ordering::Relaxed);
            return Err(Errno::ETOOMANYREFS);
        }
        // Counted until somebody takes the files, or the end.
        try_box(Ancillary { files, next: None }).map(Some)
    }

    /// Takes the files, which are under way no more.
    pub fn take_files(&mut self) -> Vec<Arc<File>> {
        IN_FLIGHT.fetch_sub(self.files.len(), Ordering::Relaxed);
        core::mem::take(&mut self.files)
    }

    /// The same files, for one who only looks. ENOMEM.
    pub fn copy_files(&self) -> Result<Vec<Arc<File>>, Errno> {
        let mut files = try_vec(self.files.len())?;
        files.extend(self.files.iter().cloned());
        Ok(files)
    }
}

impl Drop for Ancillary {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(self.files.len(), Ordering::Relaxed);
    }
}

/// One message, or a part of a stream.
pub struct Message {
    pub bytes: Vec<u8>,
    /// How many were read.
    pub start: usize,
    /// What it counts against a queue's limit.
    pub cost: usize,
    pub credentials: Credentials,
    pub files: Option<Box<Ancillary>>,
    /// The name of who has sent it.
    pub from: Option<Name>,
}

impl Message {
    /// What was not read; nothing while somebody reads it.
    pub fn left(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// What a message of `length` bytes counts.
pub fn cost_of(length: usize) -> usize {
    length + 64
}

struct Discarded {
    first: Option<Box<Ancillary>>,
}

static DISCARDED: SpinLock<Discarded, rank::SocketDiscarded> =
    SpinLock::new(Discarded { first: None });
static DISCARDING: AtomicBool = AtomicBool::new(false);

/// Drops what went along with a message that nobody has read. A file in it may be
/// a socket with such messages, and so on: they are dropped one after the other,
/// and not one inside the other.
pub fn discard(mut ancillary: Box<Ancillary>) {
    let mut list = DISCARDED.lock();
    ancillary.next = list.first.take();
    list.first = Some(ancillary);
    drop(list);
    // Whoever is at it looks at the list once more after this.
    while !DISCARDING.swap(true, Ordering::AcqRel) {
        while let Some(next) = pop_discarded() {
            drop(next);
        }
        DISCARDING.store(false, Ordering::Release);
        if DISCARDED.lock().first.is_none() {
            return;
        }
    }
}

fn pop_discarded() -> Option<Box<Ancillary>> {
    let mut list = DISCARDED.lock();
    let mut first = list.first.take()?;
    list.first = first.next.take();
    Some(first)
}
