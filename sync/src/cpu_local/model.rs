//! Under loom there are no interrupts, no preemption and no debug chains: the
//! model explores every interleaving anyway, and each extra atomic costs time.
//!
//! Purpose: stand-ins that do nothing. Key types: none. Locks: none.

use super::NO_RESCHEDULE;

pub(super) fn cpu_number() -> u32 {
    0
}

pub(crate) fn preempt_enter() {}

pub(crate) fn preempt_leave() -> bool {
    false
}

pub(crate) fn preempt_word() -> u32 {
    NO_RESCHEDULE
}

pub(crate) fn reschedule_request() {}

pub(crate) fn reschedule_take() -> bool {
    false
}

pub(crate) fn serving_begin() -> bool {
    false
}

pub(crate) fn serving_end() -> bool {
    false
}

pub(crate) fn interrupt_depth_enter() {}

pub(crate) fn interrupt_depth_leave() -> bool {
    true
}

pub(crate) fn interrupt_restore_replace(_restore: bool) -> bool {
    false
}

pub(crate) fn handler_enter() {}

pub(crate) fn handler_leave() {}

pub(crate) fn handler_depth() -> u32 {
    0
}

pub(crate) fn interrupts_enabled() -> bool {
    true
}

pub(crate) fn interrupts_disable() {}

pub(crate) fn interrupts_enable() {}
