//! When this CPU may be given to another thread.
//!
//! Purpose: sections that are not preempted, and requests to reschedule that
//! wait until the last section ends. Key types: [`PreemptGuard`], and [`Serving`]
//! for a switch. Locks: none; all state is in the per-CPU header. May call
//! [`crate::Scheduler::preempt`].

use core::marker::PhantomData;

use crate::cpu_local::{self, NO_RESCHEDULE, SERVING};
use crate::{interrupts, rank, scheduler};

/// Preemption is off on this CPU while it lives.
#[must_use = "preemption comes back when the guard is dropped"]
#[derive(Debug)]
pub struct PreemptGuard {
    /// It belongs to the CPU it was made on.
    not_send: PhantomData<*mut ()>,
}

/// Disables preemption until the guard is dropped.
#[inline(always)]
pub fn disable() -> PreemptGuard {
    cpu_local::preempt_enter();
    PreemptGuard {
        not_send: PhantomData,
    }
}

impl Drop for PreemptGuard {
    #[inline(always)]
    fn drop(&mut self) {
        leave();
    }
}

/// Ends one section, and gives the CPU away if it was the last and was asked to.
#[inline(always)]
pub(crate) fn leave() {
    if cpu_local::preempt_leave() {
        now();
    }
}

/// Out of line: no guard is alive and a reschedule is wanted. With interrupts
/// off the request stays, and whoever enables them looks again.
#[cold]
fn now() {
    if interrupts::enabled() && scheduler::installed().is_some() {
        cpu_local::interrupts_disable();
        serve();
        cpu_local::interrupts_enable();
    }
}

/// Gives the CPU away as long as a reschedule is due. Called with interrupts off,
/// as at the return from an interrupt, and ends with interrupts off.
///
/// A thread that gets the CPU back may find the next tick waiting, every time. It
/// is marked as serving, so that neither that interrupt nor the end of a section
/// serves the new request on top of this one: this loop does, and the stack does
/// not grow.
pub fn serve() {
    while due()
        && let Some(scheduler) = scheduler::installed()
    {
        cpu_local::serving_begin();
        take_request();
        cpu_local::interrupts_enable();
        scheduler.preempt();
        cpu_local::interrupts_disable();
        cpu_local::serving_end();
    }
}

/// What a thread leaves behind when it gives the CPU away, for [`switched_back`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Serving(bool);

/// The scheduler switches from the running thread, with interrupts off. Until the
/// thread that comes has called [`switched_back`], it is not preempted.
#[inline]
pub fn switch_away() -> Serving {
    Serving(cpu_local::serving_begin())
}

/// The thread that gave `serving` back to itself runs again, its predecessor's
/// guards are gone, and interrupts are on. A new thread has the default.
#[inline]
pub fn switched_back(serving: Serving) {
    if !serving.0 && cpu_local::serving_end() {
        now();
    }
}

/// Asks for a reschedule on this CPU as soon as no guard is alive.
#[inline]
pub fn request() {
    cpu_local::reschedule_request();
}

/// Whether a reschedule was asked for on this CPU and not yet taken up.
#[inline]
pub fn wanted() -> bool {
    cpu_local::preempt_word() & NO_RESCHEDULE == 0
}

/// Takes the request; the scheduler does so when it chooses the next thread.
#[inline]
pub fn take_request() -> bool {
    cpu_local::reschedule_take()
}

/// How many guards (preemption, interrupts, spin locks) are alive on this CPU.
#[inline]
pub fn count() -> u32 {
    cpu_local::preempt_word() & !(NO_RESCHEDULE | SERVING)
}

/// Whether a reschedule is wanted and nothing forbids it.
#[inline]
pub fn due() -> bool {
    cpu_local::preempt_word() == 0
}

/// States that the caller may sleep. In debug builds it panics if a guard or a
/// spin lock is held, interrupts are off, or an interrupt handler runs; before
/// a scheduler is installed there is one thread and nothing can sleep.
#[inline(always)]
#[cfg_attr(debug_assertions, track_caller)]
pub fn might_sleep() {
    rank::check_may_sleep();
}
