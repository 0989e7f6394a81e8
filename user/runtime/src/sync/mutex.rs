//! The mutex: one word, and no order among those who wait.

use super::{RawLock, futex};
use core::sync::atomic::{AtomicU32, Ordering::*};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may be asleep: the unlock has to wake one.
const CONTENDED: u32 = 2;

#[repr(C)]
#[derive(Debug)]
pub struct RawMutex {
    state: AtomicU32,
}

impl RawMutex {
    #[cold]
    fn wait(&self) {
        for _ in 0..futex::spins() {
            match self.state.load(Relaxed) {
                FREE if self.try_lock() => return,
                CONTENDED => break,
                _ => core::hint::spin_loop(),
            }
        }
        // Whoever has slept takes the lock as contended: others may sleep still.
        while self.state.swap(CONTENDED, Acquire) != FREE {
            futex::wait(&self.state, CONTENDED, futex::ANY);
        }
    }
}

// SAFETY: only one thread at a time changes the state from free to held.
unsafe impl RawLock for RawMutex {
    const NEW: Self = RawMutex {
        state: AtomicU32::new(FREE),
    };

    fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    fn try_lock(&self) -> bool {
        self.state
            .compare_exchange(FREE, HELD, Acquire, Relaxed)
            .is_ok()
    }

    fn unlock(&self) {
        let address = self.state.as_ptr() as usize;
        if self.state.swap(FREE, Release) == CONTENDED {
            futex::wake_address(address, 1, futex::ANY);
        }
    }
}
