//! Pages of a volume that could not be written: for those who synchronise all
//! of it. (Each file remembers its own for those who have it open.)

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::Errno;

/// See the module.
pub(super) struct Failures {
    count: AtomicU64,
    /// Those that wait for memory: they are no errors, but not written either.
    short: AtomicU64,
    /// Some pages are lost for good.
    has_lost: AtomicBool,
}

/// How many there were at a time.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    count: u64,
    short: u64,
}

impl Failures {
    pub(super) fn new() -> Failures {
        Failures {
            count: AtomicU64::new(0),
            short: AtomicU64::new(0),
            has_lost: AtomicBool::new(false),
        }
    }

    pub(super) fn note(&self, error: Errno) {
        if error == Errno::EROFS {
            self.has_lost.store(true, Ordering::Release);
        }
        let count = match error {
            Errno::ENOMEM => &self.short,
            _ => &self.count,
        };
        count.fetch_add(1, Ordering::AcqRel);
    }

    /// For `check_since`.
    pub(super) fn counts(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Acquire);
        Counts {
            count: get(&self.count),
            short: get(&self.short),
        }
    }

    /// EIO unless all that was tried since `before` has succeeded: what failed
    /// earlier was dirty still, and was tried again. ENOMEM if that alone was
    /// why it has not.
    pub(super) fn check_since(&self, before: Counts) -> Result<(), Errno> {
        let now = self.counts();
        if now.count != before.count || self.has_lost.load(Ordering::Acquire) {
            return Err(Errno::EIO);
        }
        match now.short != before.short {
            true => Err(Errno::ENOMEM),
            false => Ok(()),
        }
    }
}
