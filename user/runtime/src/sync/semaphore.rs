//! A counting semaphore in user memory. Those who wait are not in order;
//! [`super::KernelSemaphore`] is for that.

use super::futex;
use core::sync::atomic::{AtomicU32, Ordering::*};

#[repr(C)]
#[derive(Debug)]
pub struct Semaphore {
    value: AtomicU32,
    waiters: AtomicU32,
}

impl Semaphore {
    pub const fn new(value: u32) -> Semaphore {
        Semaphore {
            value: AtomicU32::new(value),
            waiters: AtomicU32::new(0),
        }
    }

    /// Takes one, sleeping until there is one.
    pub fn wait(&self) {
        for _ in 0..futex::spins() {
            if self.try_wait() {
                return;
            }
            core::hint::spin_loop();
        }
        while !self.try_wait() {
            self.waiters.fetch_add(1, SeqCst);
            futex::wait(&self.value, 0, futex::ANY);
            self.waiters.fetch_sub(1, Relaxed);
        }
    }

    /// Takes one if there is one.
    pub fn try_wait(&self) -> bool {
        self.value
            .fetch_update(SeqCst, Relaxed, |value| value.checked_sub(1))
            .is_ok()
    }

    pub fn post(&self) {
        self.value.fetch_add(1, SeqCst);
        if self.waiters.load(SeqCst) != 0 {
            futex::wake(&self.value, 1, futex::ANY);
        }
    }

    pub fn value(&self) -> u32 {
        self.value.load(Relaxed)
    }
}
