//! Seals of files in memory (fcntl(2), F_ADD_SEALS): what is never done to them
//! again, so that who gets such a file from a stranger may count on it.
//!
//! One word. Seals are added under the lock of changes, so a change that looks at
//! them under it comes before or after.

use abi::Errno;
use abi::file::{F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE};
use core::sync::atomic::{AtomicU32, Ordering};

use super::{PAGE, PageCache};

const ALL: u32 = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

/// The word. Usual files have the seal against seals.
pub struct Seals(AtomicU32);

impl Seals {
    pub const fn new() -> Seals {
        Seals(AtomicU32::new(F_SEAL_SEAL))
    }
}

impl PageCache {
    /// The file may get seals: for one that nobody else has yet.
    pub fn allow_seals(&self) {
        self.seals.0.store(0, Ordering::Relaxed);
    }

    /// Whether it has one of `seals`.
    pub fn is_sealed(&self, seals: u32) -> bool {
        self.seals.0.load(Ordering::SeqCst) & seals != 0
    }

    /// All that it has: EINVAL for a file that is not in memory.
    pub fn seals(&self) -> Result<u32, Errno> {
        match self.keeps_dirty {
            true => Ok(self.seals.0.load(Ordering::SeqCst)),
            false => Err(Errno::EINVAL),
        }
    }

    /// EPERM if it is sealed against seals; EBUSY, against writing, while a shared
    /// mapping may be written to; EINVAL.
    pub fn add_seals(&self, seals: u32) -> Result<(), Errno> {
        if seals & !ALL != 0 {
            return Err(Errno::EINVAL);
        }
        self.seals()?;
        let _change = self.change.lock();
        if self.is_sealed(F_SEAL_SEAL) {
            return Err(Errno::EPERM);
        }
        let old = self.seals.0.fetch_or(seals, Ordering::SeqCst);
        // Who maps it enters the list first, and looks at the seals then.
        if seals & !old & F_SEAL_WRITE != 0 && self.mappers.write() {
            self.seals.0.store(old, Ordering::SeqCst);
            return Err(Errno::EBUSY);
        }
        Ok(())
    }

    /// Up to where a write from `offset` to `end` may go, with the change held:
    /// EPERM if nowhere.
    pub(super) fn sealed_end(&self, offset: u64, end: u64) -> Result<u64, Errno> {
        let end = match self.is_sealed(F_SEAL_GROW) && end > self.size() {
            // The page in which the file ends is not written past its end.
            true => self.size() / PAGE * PAGE,
            false => end,
        };
        match self.is_sealed(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) || end <= offset {
            true => Err(Errno::EPERM),
            false => Ok(end),
        }
    }

    /// Whether its size may become `size`: EPERM.
    pub fn check_size(&self, size: u64) -> Result<(), Errno> {
        let seal = match size.cmp(&self.size()) {
            core::cmp::Ordering::Less => F_SEAL_SHRINK,
            core::cmp::Ordering::Equal => 0,
            core::cmp::Ordering::Greater => F_SEAL_GROW,
        };
        match self.is_sealed(seal) {
            true => Err(Errno::EPERM),
            false => Ok(()),
        }
    }
}
