//! Sections that no interrupt on this CPU enters.
//!
//! Purpose: guards that nest and may be dropped in any order. Key types:
//! [`InterruptGuard`], and [`HandlerGuard`] for the time a handler runs. Locks:
//! none; all state is in the per-CPU header. May call what [`preempt`] may.

use core::marker::PhantomData;

use crate::{cpu_local, preempt};

/// Interrupts are off on this CPU while it lives; it is a preemption guard too.
#[must_use = "interrupts come back when the guard is dropped"]
#[derive(Debug)]
pub struct InterruptGuard {
    /// Whether this guard found interrupts enabled.
    were_enabled: bool,
    /// It belongs to the CPU it was made on.
    not_send: PhantomData<*mut ()>,
}

/// Turns interrupts off until the guard is dropped.
#[inline(always)]
pub fn off() -> InterruptGuard {
    InterruptGuard {
        were_enabled: enter(),
        not_send: PhantomData,
    }
}

impl Drop for InterruptGuard {
    #[inline(always)]
    fn drop(&mut self) {
        leave(self.were_enabled);
    }
}

/// Whether this CPU takes interrupts.
#[inline]
pub fn enabled() -> bool {
    cpu_local::interrupts_enabled()
}

/// Turns interrupts off; says whether they were on.
#[inline(always)]
pub(crate) fn enter() -> bool {
    let were_enabled = cpu_local::interrupts_enabled();
    cpu_local::interrupts_disable();
    cpu_local::interrupt_depth_enter();
    cpu_local::preempt_enter();
    were_enabled
}

/// Ends one section. Interrupts come back with the last section if any of them
/// found them on: two locks taken one after the other may be released in the
/// same order.
#[inline(always)]
pub(crate) fn leave(were_enabled: bool) {
    let last = cpu_local::interrupt_depth_leave();
    if were_enabled && last {
        cpu_local::interrupts_enable();
    } else if were_enabled != last {
        leave_out_of_order(last);
    }
    preempt::leave();
}

/// Either the section that found interrupts on ends first, and the last one has
/// to enable them; or this is that last one (or there is nothing to enable,
/// because the first section began with interrupts off).
fn leave_out_of_order(last: bool) {
    if cpu_local::interrupt_restore_replace(!last) && last {
        cpu_local::interrupts_enable();
    }
}

/// Lives while an interrupt handler runs, so that debug builds can tell what a
/// handler may not take. It keeps preemption off, and does not preempt when it
/// goes: the return path asks [`preempt::due`].
#[must_use = "the handler ends when the guard is dropped"]
#[derive(Debug)]
pub struct HandlerGuard {
    /// It belongs to the CPU it was made on.
    not_send: PhantomData<*mut ()>,
}

/// Says that an interrupt handler begins; machine calls it with interrupts off.
#[inline]
pub fn enter_handler() -> HandlerGuard {
    cpu_local::preempt_enter();
    cpu_local::handler_enter();
    HandlerGuard {
        not_send: PhantomData,
    }
}

impl Drop for HandlerGuard {
    #[inline]
    fn drop(&mut self) {
        cpu_local::handler_leave();
        let _ = cpu_local::preempt_leave();
    }
}

/// Whether an interrupt handler runs on this CPU.
#[inline]
pub fn in_handler() -> bool {
    cpu_local::handler_depth() != 0
}
