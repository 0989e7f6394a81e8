//! Things that are made once.
//!
//! Purpose: statics that cannot be constants. Key types: [`OnceCell`], [`Once`].
//! Locks: those who wait for the maker are in a wait queue of rank `LockQueue`;
//! nothing is locked while the maker works.

use crate::facade::{AtomicU32, Ordering, UnsafeCell, const_fn};
use crate::rank::LockQueue;
use crate::wait_queue::WaitQueue;

const EMPTY: u32 = 0;
/// One thread makes the value; `value` is its own.
const BUSY: u32 = 1;
/// The value is there, and shared from now on.
const READY: u32 = 2;

/// A value that is written once and read ever after.
pub struct OnceCell<T> {
    state: AtomicU32,
    queue: WaitQueue<(), LockQueue>,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value moves from the thread that makes it to the one that drops it.
unsafe impl<T: Send> Send for OnceCell<T> {}
// SAFETY: one thread makes it (Send), and then all share it (Sync).
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}

impl<T> OnceCell<T> {
    const_fn! {
        /// A cell without a value.
        pub fn new() -> Self {
            Self {
                state: AtomicU32::new(EMPTY),
                queue: WaitQueue::new(),
                value: UnsafeCell::new(None),
            }
        }
    }

    /// The value, if it is there.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) == READY {
            // SAFETY: once READY is stored nobody writes.
            self.value.with(|value| unsafe { (*value).as_ref() })
        } else {
            None
        }
    }

    /// The value, which `make` makes if there is none; all others wait for it.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let mut make = Some(make);
        loop {
            if let Some(value) = self.get() {
                return value;
            }
            if self.claim()
                && let Some(make) = make.take()
            {
                let busy = Busy { cell: self };
                // SAFETY: the state is BUSY by this thread.
                self.value
                    .with_mut(|value| unsafe { *value = Some(make()) });
                busy.finish();
            } else {
                self.queue
                    .wait_until(|| (self.state.load(Ordering::Acquire) != BUSY).then_some(()));
            }
        }
    }

    /// Puts `value` in.
    ///
    /// # Errors
    /// The value back, if there is one already or another thread makes one.
    pub fn set(&self, value: T) -> Result<(), T> {
        if !self.claim() {
            return Err(value);
        }
        let busy = Busy { cell: self };
        // SAFETY: the state is BUSY by this thread.
        self.value.with_mut(|slot| unsafe { *slot = Some(value) });
        busy.finish();
        Ok(())
    }

    fn claim(&self) -> bool {
        self.state
            .compare_exchange(EMPTY, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    fn leave(&self, state: u32) {
        self.state.store(state, Ordering::Release);
        self.queue.wake_all();
    }
}

/// A cell whose value is being made; if the maker panics the next one makes it.
struct Busy<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<T> Busy<'_, T> {
    fn finish(self) {
        self.cell.leave(READY);
        core::mem::forget(self);
    }
}

impl<T> Drop for Busy<'_, T> {
    fn drop(&mut self) {
        self.cell.leave(EMPTY);
    }
}

/// Something that is done once, and what came of it.
pub struct Once<T = ()> {
    done: OnceCell<T>,
}

impl<T> Once<T> {
    const_fn! {
        /// Not done yet.
        pub fn new() -> Self {
            Self {
                done: OnceCell::new(),
            }
        }
    }

    /// Does it unless it is done, and returns when it is done by whomever.
    pub fn call_once(&self, action: impl FnOnce() -> T) -> &T {
        self.done.get_or_init(action)
    }

    /// What came of it, once it is done.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.done.get()
    }

    /// Whether it is done.
    pub fn is_completed(&self) -> bool {
        self.done.get().is_some()
    }
}
