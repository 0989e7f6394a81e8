//! Errors of write-back, which nobody waits for: kept until each open file on
//! the file has been told.
//!
//! No locks: one word holds how many errors there were, the last, and whether
//! anybody has been told of it. As on Linux, an error that nobody knows of yet
//! is told to whoever opens the file next.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::Errno;

/// Somebody has been told.
const SEEN: u64 = 1 << 1;

/// The errors of one file so far.
pub struct WriteErrors(AtomicU64);

/// Up to where an open file has been told of the errors of its file.
pub struct ErrorMark(AtomicU64);

impl WriteErrors {
    pub const fn new() -> WriteErrors {
        WriteErrors(AtomicU64::new(0))
    }

    /// Notes one more error.
    pub fn note(&self, error: Errno) {
        let next = |word: u64| Some(((word >> 32) + 1) << 32 | u64::from(code(error)));
        // The closure never refuses.
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }

    /// For a file that is opened now: what others were told is their business.
    pub fn mark(&self) -> ErrorMark {
        let now = self.0.load(Ordering::Acquire);
        let is_unknown = now != 0 && now & SEEN == 0;
        ErrorMark(AtomicU64::new(if is_unknown { SEEN } else { now | SEEN }))
    }

    /// The last error since `mark` was asked, once.
    pub fn check(&self, mark: &ErrorMark) -> Result<(), Errno> {
        let now = self.0.fetch_or(SEEN, Ordering::AcqRel) | SEEN;
        if mark.0.swap(now, Ordering::AcqRel) == now {
            return Ok(());
        }
        Err(if now & u64::from(code(Errno::ENOSPC)) != 0 {
            Errno::ENOSPC
        } else {
            Errno::EIO
        })
    }
}

fn code(error: Errno) -> u32 {
    u32::from(error == Errno::ENOSPC)
}
