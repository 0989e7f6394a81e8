//! Something done once, by whoever comes first, while the others wait.

use super::futex;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering::*};

const NEW: u32 = 0;
const RUNNING: u32 = 1;
/// Running, and somebody sleeps until it is done.
const AWAITED: u32 = 2;
const DONE: u32 = 3;

#[repr(C)]
#[derive(Debug)]
pub struct Once {
    state: AtomicU32,
}

impl Once {
    pub const fn new() -> Once {
        Once {
            state: AtomicU32::new(NEW),
        }
    }

    pub fn is_done(&self) -> bool {
        self.state.load(Acquire) == DONE
    }

    /// Runs `action` unless it has been run; it is done when this returns.
    pub fn call(&self, action: impl FnOnce()) {
        if !self.is_done() {
            self.call_slowly(action);
        }
    }

    #[cold]
    fn call_slowly(&self, action: impl FnOnce()) {
        if self
            .state
            .compare_exchange(NEW, RUNNING, Acquire, Acquire)
            .is_ok()
        {
            action();
            if self.state.swap(DONE, Release) == AWAITED {
                futex::wake(&self.state, u32::MAX >> 1, futex::ANY);
            }
            return;
        }
        while !self.is_done() {
            let _ = self
                .state
                .compare_exchange(RUNNING, AWAITED, Relaxed, Relaxed);
            futex::wait(&self.state, AWAITED, futex::ANY);
        }
    }
}

/// A value made when it is first looked at.
pub struct Lazy<T> {
    once: Once,
    make: fn() -> T,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: made once, then only shared.
unsafe impl<T: Send + Sync> Sync for Lazy<T> {}

impl<T> Lazy<T> {
    pub const fn new(make: fn() -> T) -> Self {
        Lazy {
            once: Once::new(),
            make,
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.once.call(|| {
            // SAFETY: `once` lets only one thread here, before any reads.
            unsafe { (*self.value.get()).write((self.make)()) };
        });
        // SAFETY: written, and never again.
        unsafe { (*self.value.get()).assume_init_ref() }
    }
}

impl<T> Drop for Lazy<T> {
    fn drop(&mut self) {
        if self.once.is_done() {
            // SAFETY: written, and dropped here alone.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}
