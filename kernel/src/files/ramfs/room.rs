//! How much of `limit.disk` is taken, for programs that test a full disk.
//!
//! Without that boot option memory is the only bound, and nothing is counted.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use abi::Errno;
use abi::memory::PAGE_SIZE;

use crate::limits;

/// Pages of all file systems in memory together.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What one file or directory has of it, given back when that is gone.
pub(super) struct Room(AtomicUsize);

impl Room {
    pub(super) const fn new() -> Room {
        Room(AtomicUsize::new(0))
    }

    /// ENOSPC if there are not so many pages left.
    pub(super) fn take(&self, pages: usize) -> Result<(), Errno> {
        let most = limits::disk() / PAGE_SIZE;
        if most == usize::MAX / PAGE_SIZE {
            return Ok(());
        }
        let more = |taken: usize| taken.checked_add(pages).filter(|&taken| taken <= most);
        TAKEN
            .fetch_update(Relaxed, Relaxed, more)
            .map_err(|_| Errno::ENOSPC)?;
        self.0.fetch_add(pages, Relaxed);
        Ok(())
    }

    /// Gives back all but `pages`.
    pub(super) fn keep(&self, pages: usize) {
        let before = self.0.fetch_min(pages, Relaxed);
        TAKEN.fetch_sub(before.saturating_sub(pages), Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.keep(0);
    }
}
