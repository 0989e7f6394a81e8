//! The condition variable.
//!
//! `signals` counts signals; a waiter reads it while it still holds the lock
//! and sleeps only as long as it has not changed, so a signal between its
//! unlock and its sleep is not lost. `waiters` spares a signal that nobody
//! waits for the system call. (A waiter would have to be held up between its
//! unlock and its sleep for exactly 2³² signals to miss them.)

use super::{Guard, RawLock, futex};
use core::sync::atomic::{AtomicU32, Ordering::*};

#[repr(C)]
#[derive(Debug)]
pub struct Condvar {
    signals: AtomicU32,
    waiters: AtomicU32,
}

impl Condvar {
    pub const fn new() -> Condvar {
        Condvar {
            signals: AtomicU32::new(0),
            waiters: AtomicU32::new(0),
        }
    }

    /// Unlocks, sleeps until signalled, locks again. May return without a
    /// signal: the caller checks its condition in a loop.
    pub fn wait<'a, T, R: RawLock>(&self, guard: Guard<'a, T, R>) -> Guard<'a, T, R> {
        self.wait_raw(guard.raw());
        guard
    }

    /// As [`Condvar::wait`], until the condition holds.
    pub fn wait_until<'a, T, R: RawLock>(
        &self,
        mut guard: Guard<'a, T, R>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Guard<'a, T, R> {
        while !condition(&mut guard) {
            guard = self.wait(guard);
        }
        guard
    }

    /// As [`Condvar::wait`], on a bare lock that the caller holds.
    pub fn wait_raw<R: RawLock>(&self, lock: &R) {
        self.waiters.fetch_add(1, SeqCst);
        let signals = self.signals.load(SeqCst);
        lock.unlock();
        futex::wait(&self.signals, signals, futex::ANY);
        self.waiters.fetch_sub(1, Relaxed);
        lock.lock();
    }

    /// Wakes one waiter, if there is one.
    pub fn signal(&self) {
        self.wake(1);
    }

    /// Wakes all waiters.
    pub fn broadcast(&self) {
        self.wake(u32::MAX >> 1);
    }

    fn wake(&self, count: u32) {
        if self.waiters.load(SeqCst) != 0 {
            self.signals.fetch_add(1, SeqCst);
            futex::wake(&self.signals, count, futex::ANY);
        }
    }
}
