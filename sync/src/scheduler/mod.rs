//! What the locks that sleep need from the scheduler above them.
//!
//! Purpose: the kernel implements [`Scheduler`] in safe code and installs it once
//! at boot; this crate keeps threads as counted references whose type it does
//! not know. Key types: [`Scheduler`], `ThreadRef`. Locks: none. On the host and
//! under loom a scheduler over their threads stands in (see `host`).
//!
//! Parking is by token, as in `std::thread`: `unpark` leaves a token with the
//! thread, `park` returns once there is one and takes it, and may also return
//! for no reason. So an `unpark` that comes between the decision to sleep and
//! the sleep is not lost.

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use crate::rank::Chain;

#[cfg(not(target_os = "none"))]
pub mod host;
#[cfg(target_os = "none")]
mod installed;

#[cfg(not(target_os = "none"))]
pub use host::install;
#[cfg(not(target_os = "none"))]
pub(crate) use host::installed;
#[cfg(target_os = "none")]
pub use installed::install;
#[cfg(target_os = "none")]
pub(crate) use installed::installed;

/// The scheduler, as seen from below. Times are nanoseconds of the monotonic
/// clock.
pub trait Scheduler: Sync + Sized + 'static {
    /// What can be parked.
    type Thread: Send + Sync + 'static;

    /// The running thread, counted once more. No allocation.
    fn current(&self) -> Arc<Self::Thread>;

    /// Sleeps until the running thread has a token (and takes it) or until the
    /// deadline, and may return early. Called where [`crate::preempt::might_sleep`]
    /// holds.
    fn park(&self, deadline: Option<u64>);

    /// Gives `thread` a token and makes it runnable if it is parked. The
    /// reference is the scheduler's to keep: it can move to the run queue as it
    /// is. It may be called in an interrupt handler and with a wait queue's lock
    /// held, so it takes locks from `rank::RunQueue` on only. If the scheduler
    /// drops the reference instead, that is never the last one: the thread
    /// cannot leave its wait before this call has returned.
    fn unpark(&self, thread: Arc<Self::Thread>);

    /// Whether the running thread shall leave an interruptible sleep, because
    /// it is killed or has a signal to deliver. Whoever makes this true then
    /// calls `unpark`.
    fn interrupted(&self) -> bool;

    /// Gives the CPU away if another thread should have it. Called with
    /// interrupts on and no guard alive; the request has been taken.
    fn preempt(&self);

    /// The time now.
    fn now(&self) -> u64;

    /// Runs `access` on the running thread's own chain of sleeping locks, for
    /// the checks of debug builds. Without it these are not checked.
    fn with_held(&self, access: impl FnOnce(&Chain)) {
        let _ = access;
    }
}

/// [`Scheduler`] without its thread type.
pub(crate) trait Erased: Sync {
    fn current(&self) -> ThreadRef;
    fn park(&self, deadline: Option<u64>);
    fn unpark(&self, thread: ThreadRef);
    fn release(&self, thread: NonNull<()>);
    fn interrupted(&self) -> bool;
    fn preempt(&self);
    fn now(&self) -> u64;
    #[cfg(all(debug_assertions, not(loom)))]
    fn with_held(&self, access: &mut dyn FnMut(&Chain));
}

impl<S: Scheduler> Erased for S {
    #[inline]
    fn current(&self) -> ThreadRef {
        let thread = Arc::into_raw(Scheduler::current(self)).cast_mut().cast();
        ThreadRef {
            // SAFETY: `Arc::into_raw` gives the address of a live value.
            pointer: unsafe { NonNull::new_unchecked(thread) },
            counted: PhantomData,
        }
    }

    #[inline]
    fn park(&self, deadline: Option<u64>) {
        Scheduler::park(self, deadline);
    }

    #[inline]
    fn unpark(&self, thread: ThreadRef) {
        let thread = ManuallyDrop::new(thread).pointer;
        // SAFETY: there is one scheduler for ever, so `current` above made the
        // reference from an `Arc<S::Thread>`; its count passes to the new Arc.
        let thread = unsafe { Arc::from_raw(thread.cast::<S::Thread>().as_ptr()) };
        Scheduler::unpark(self, thread);
    }

    fn release(&self, thread: NonNull<()>) {
        // SAFETY: as in `unpark`; the caller gives up its count.
        drop(unsafe { Arc::from_raw(thread.cast::<S::Thread>().as_ptr()) });
    }

    #[inline]
    fn interrupted(&self) -> bool {
        Scheduler::interrupted(self)
    }

    fn preempt(&self) {
        Scheduler::preempt(self);
    }

    #[inline]
    fn now(&self) -> u64 {
        Scheduler::now(self)
    }

    #[cfg(all(debug_assertions, not(loom)))]
    fn with_held(&self, access: &mut dyn FnMut(&Chain)) {
        Scheduler::with_held(self, access);
    }
}

/// A counted reference to a thread of the installed scheduler.
pub(crate) struct ThreadRef {
    pointer: NonNull<()>,
    counted: PhantomData<Arc<()>>,
}

// SAFETY: it is an `Arc<Scheduler::Thread>`, whose value is Send and Sync.
unsafe impl Send for ThreadRef {}

impl Drop for ThreadRef {
    fn drop(&mut self) {
        get().release(self.pointer);
    }
}

/// The scheduler; to sleep before there is one is a bug of the start-up code.
#[inline]
pub(crate) fn get() -> &'static dyn Erased {
    installed().expect("nothing sleeps before the scheduler is installed")
}

/// Runs `access` on the running thread's chain, if there is one.
#[cfg(all(debug_assertions, not(loom)))]
pub(crate) fn with_held(mut access: impl FnMut(&Chain)) {
    if let Some(scheduler) = installed() {
        scheduler.with_held(&mut access);
    }
}
