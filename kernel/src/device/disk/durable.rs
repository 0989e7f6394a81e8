//! Which writes a disk has made durable: what lies in its own cache is lost
//! when the power goes.
//!
//! Two counts, no lock: a flush covers the writes that finished before it
//! began, and counts for them only once it has succeeded, so that nobody who
//! finds nothing to flush relies on a flush that is still under way.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use abi::Errno;

/// See the module.
#[derive(Default)]
pub(super) struct Durable {
    /// Writes that have finished.
    written: AtomicU64,
    /// How many of them a flush has covered.
    flushed: AtomicU64,
}

impl Durable {
    /// Some writes have finished, or failed.
    pub(super) fn note_write(&self) {
        self.written.fetch_add(1, SeqCst);
    }

    /// Whether a flush would make anything durable.
    pub(super) fn is_behind(&self) -> bool {
        self.flushed.load(SeqCst) < self.written.load(SeqCst)
    }

    /// Notes what `flush` makes durable.
    pub(super) fn flush(&self, flush: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let written = self.written.load(SeqCst);
        flush()?;
        self.flushed.fetch_max(written, SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_waits_for_a_flush_that_began_after_it() {
        let durable = Durable::default();
        assert!(!durable.is_behind());
        durable.note_write();
        assert!(durable.is_behind());
        let meanwhile = || {
            // Not before it is done.
            assert!(durable.is_behind());
            durable.note_write();
            Ok(())
        };
        durable.flush(meanwhile).unwrap();
        assert!(durable.is_behind(), "the second write");
        durable.flush(|| Ok(())).unwrap();
        assert!(!durable.is_behind());
    }

    #[test]
    fn a_flush_that_fails_covers_nothing() {
        let durable = Durable::default();
        durable.note_write();
        assert_eq!(durable.flush(|| Err(Errno::EIO)), Err(Errno::EIO));
        assert!(durable.is_behind());
    }
}
