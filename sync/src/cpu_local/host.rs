//! The header in a thread-local: each host thread plays a CPU.
//!
//! Purpose: see the parent; interrupts are a flag that nothing raises, so that
//! guards nest and are tested as in the kernel. Key types: none of its own.
//! Locks: none.

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{Header, NO_RESCHEDULE, SERVING};
#[cfg(debug_assertions)]
use crate::rank::Chain;

thread_local! {
    static HEADER: Header = const { Header::new() };
    static INTERRUPTS: Cell<bool> = const { Cell::new(true) };
}

/// Only the own thread writes, so a load and a store are as good as one step.
fn update(field: &AtomicU32, change: impl FnOnce(u32) -> u32) -> u32 {
    let before = field.load(Relaxed);
    field.store(change(before), Relaxed);
    before
}

pub(super) fn cpu_number() -> u32 {
    HEADER.with(Header::cpu)
}

pub(super) fn assume(cpu: u32) {
    HEADER.with(|header| header.cpu.store(cpu, Relaxed));
}

pub(crate) fn preempt_enter() {
    HEADER.with(|header| update(&header.preempt, |word| word + 1));
}

pub(crate) fn preempt_leave() -> bool {
    HEADER.with(|header| update(&header.preempt, |word| word - 1)) == 1
}

pub(crate) fn preempt_word() -> u32 {
    HEADER.with(|header| header.preempt.load(Relaxed))
}

pub(crate) fn reschedule_request() {
    HEADER.with(|header| update(&header.preempt, |word| word & !NO_RESCHEDULE));
}

pub(crate) fn reschedule_take() -> bool {
    HEADER.with(|header| update(&header.preempt, |word| word | NO_RESCHEDULE)) & NO_RESCHEDULE == 0
}

pub(crate) fn serving_begin() -> bool {
    HEADER.with(|header| update(&header.preempt, |word| word | SERVING)) & SERVING != 0
}

pub(crate) fn serving_end() -> bool {
    HEADER.with(|header| update(&header.preempt, |word| word & !SERVING)) == SERVING
}

pub(crate) fn interrupt_depth_enter() {
    HEADER.with(|header| update(&header.interrupt_depth, |depth| depth + 1));
}

pub(crate) fn interrupt_depth_leave() -> bool {
    HEADER.with(|header| update(&header.interrupt_depth, |depth| depth - 1)) == 1
}

pub(crate) fn interrupt_restore_replace(restore: bool) -> bool {
    HEADER.with(|header| update(&header.interrupt_restore, |_| restore.into())) != 0
}

pub(crate) fn handler_enter() {
    HEADER.with(|header| update(&header.handler_depth, |depth| depth + 1));
}

pub(crate) fn handler_leave() {
    HEADER.with(|header| update(&header.handler_depth, |depth| depth - 1));
}

pub(crate) fn handler_depth() -> u32 {
    HEADER.with(|header| header.handler_depth.load(Relaxed))
}

pub(crate) fn interrupts_enabled() -> bool {
    INTERRUPTS.get()
}

pub(crate) fn interrupts_disable() {
    INTERRUPTS.set(false);
}

pub(crate) fn interrupts_enable() {
    INTERRUPTS.set(true);
}

#[cfg(debug_assertions)]
pub(crate) fn with_held<A>(access: impl FnOnce(&Chain) -> A) -> A {
    HEADER.with(|header| access(&header.held))
}
