//! Who may write to a file: a program that runs is not changed, and what is
//! open for writing is not run (ETXTBSY).
//!
//! No locks: one word counts writers upwards from zero, and runs of the program
//! downwards.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicIsize, Ordering};

use abi::Errno;

use super::PageCache;

/// The right to write to a file, or to run it, until it is dropped.
pub struct Access {
    cache: Arc<PageCache>,
    by: isize,
}

/// The word.
pub struct Users(AtomicIsize);

impl Users {
    pub const fn new() -> Users {
        Users(AtomicIsize::new(0))
    }
}

impl PageCache {
    /// The right to write to the file: ETXTBSY while a program runs from it.
    pub fn access_to_write(self: &Arc<Self>) -> Result<Access, Errno> {
        self.access(1)
    }

    /// The right to run the file: ETXTBSY while somebody may write to it.
    pub fn access_to_run(self: &Arc<Self>) -> Result<Access, Errno> {
        self.access(-1)
    }

    fn access(self: &Arc<Self>, by: isize) -> Result<Access, Errno> {
        // On one side of zero only.
        let more = |users: isize| (users * by >= 0).then_some(users + by);
        let users = &self.users.0;
        users
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map_err(|_| Errno::ETXTBSY)?;
        Ok(Access {
            cache: self.clone(),
            by,
        })
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.cache.users.0.fetch_sub(self.by, Ordering::AcqRel);
    }
}
