//! Data behind a lock, reachable only through a guard.

use super::{RawMutex, RawTicketLock};
use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// A lock without data.
///
/// # Safety
/// Between a `lock` (or a `try_lock` that gave true) and the next `unlock` no
/// other thread gets out of `lock`, and what was written before the `unlock` is
/// seen after the next `lock`.
pub unsafe trait RawLock {
    /// An unlocked lock.
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "each use is a lock of its own"
    )]
    const NEW: Self;
    fn lock(&self);
    fn try_lock(&self) -> bool;
    /// Only by the thread that holds it.
    fn unlock(&self);
}

pub struct Lock<T, R> {
    raw: R,
    data: UnsafeCell<T>,
}

/// Data behind a mutex: small and quick, in no order.
pub type Mutex<T> = Lock<T, RawMutex>;
/// Data behind a ticket lock: first come, first served.
pub type TicketLock<T> = Lock<T, RawTicketLock>;

// SAFETY: one thread at a time reaches the data.
unsafe impl<T: Send, R: Send> Send for Lock<T, R> {}
// SAFETY: as above.
unsafe impl<T: Send, R: Sync> Sync for Lock<T, R> {}

impl<T, R: RawLock> Lock<T, R> {
    pub const fn new(data: T) -> Self {
        Lock {
            raw: R::NEW,
            data: UnsafeCell::new(data),
        }
    }

    pub fn lock(&self) -> Guard<'_, T, R> {
        self.raw.lock();
        Guard { lock: self }
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T, R>> {
        self.raw.try_lock().then(|| Guard { lock: self })
    }

    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

/// The right to the data, until dropped.
pub struct Guard<'a, T, R: RawLock> {
    lock: &'a Lock<T, R>,
}

// SAFETY: sharing a guard shares the data, nothing more.
unsafe impl<T: Sync, R: RawLock + Sync> Sync for Guard<'_, T, R> {}

impl<'a, T, R: RawLock> Guard<'a, T, R> {
    /// The lock below, for a condition variable.
    pub(super) fn raw(&self) -> &'a R {
        &self.lock.raw
    }
}

impl<T, R: RawLock> Deref for Guard<'_, T, R> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T, R: RawLock> DerefMut for Guard<'_, T, R> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T, R: RawLock> Drop for Guard<'_, T, R> {
    fn drop(&mut self) {
        self.lock.raw.unlock();
    }
}

impl<T, R> fmt::Debug for Lock<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug, R: RawLock> fmt::Debug for Guard<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
