//! How much the file systems in memory have of it. Nobody else can be asked to
//! give that up, so it counts as the kernel's own; `limit.disk` says how much
//! it may be, for programs that test a full disk.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames;

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
        let more = |taken: usize| taken.checked_add(pages).filter(|&taken| taken <= most);
        TAKEN
            .fetch_update(Relaxed, Relaxed, more)
            .map_err(|_| Errno::ENOSPC)?;
        frames::hold(pages);
        self.0.fetch_add(pages, Relaxed);
        Ok(())
    }

    /// Gives back all but `pages`.
    pub(super) fn keep(&self, pages: usize) {
        let before = self.0.fetch_min(pages, Relaxed);
        let given = before.saturating_sub(pages);
        TAKEN.fetch_sub(given, Relaxed);
        frames::let_go(given);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.keep(0);
    }
}
