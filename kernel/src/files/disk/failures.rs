//! Pages of a volume that could not be written: for those who synchronise all
//! of it. (Each file remembers its own for those who have it open.)

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::Errno;

/// See the module.
pub(super) struct Failures {
    count: AtomicU64,
    /// Some pages are lost for good.
    has_lost: AtomicBool,
}

impl Failures {
    pub(super) fn new() -> Failures {
        Failures {
            count: AtomicU64::new(0),
            has_lost: AtomicBool::new(false),
        }
    }

    pub(super) fn note(&self, error: Errno) {
        if error == Errno::EROFS {
            self.has_lost.store(true, Ordering::Release);
        }
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// EIO unless all that was tried since there were `before` has succeeded:
    /// what failed earlier was dirty still, and was tried again.
    pub(super) fn check_since(&self, before: u64) -> Result<(), Errno> {
        match self.count() != before || self.has_lost.load(Ordering::Acquire) {
            true => Err(Errno::EIO),
            false => Ok(()),
        }
    }
}
