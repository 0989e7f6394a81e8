//! The header through `gs`: one instruction for each operation.
//!
//! Purpose: see the parent. Key types: none of its own. Locks: none. The memory
//! operands are opaque to the compiler, and no block says `nomem`: what a guard
//! protects must not be moved out of it.

use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use super::{Header, NO_RESCHEDULE, SERVING};
#[cfg(debug_assertions)]
use crate::rank::Chain;

const PREEMPT: usize = offset_of!(Header, preempt);
const DEPTH: usize = offset_of!(Header, interrupt_depth);

/// The header of this CPU. Preemption must be off for the answer to stay true.
#[inline]
fn header() -> &'static Header {
    let header: *const Header;
    // SAFETY: `gs` points to a Header whose first field is its own address,
    // which `prepare` wrote before `gs` was loaded; headers never move or go.
    unsafe {
        asm!("mov {}, gs:[0]", out(reg) header, options(nostack, preserves_flags, readonly));
        &*header
    }
}

#[inline(always)]
pub(super) fn cpu_number() -> u32 {
    let cpu: u32;
    // SAFETY: reads a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "mov {:e}, gs:[{}]", out(reg) cpu, const offset_of!(Header, cpu),
            options(nostack, preserves_flags, readonly)
        );
    }
    cpu
}

/// Counts one more preemption guard.
#[inline(always)]
pub(crate) fn preempt_enter() {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe { asm!("inc dword ptr gs:[{}]", const PREEMPT, options(nostack)) }
}

/// Counts one guard less; true if it was the last and a reschedule is wanted.
#[inline(always)]
pub(crate) fn preempt_leave() -> bool {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "dec dword ptr gs:[{}]", "jz {}",
            const PREEMPT, label { return true },
            options(nostack)
        );
    }
    false
}

/// The count and the request, as the header has them.
#[inline(always)]
pub(crate) fn preempt_word() -> u32 {
    let word: u32;
    // SAFETY: reads a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "mov {:e}, gs:[{}]", out(reg) word, const PREEMPT,
            options(nostack, preserves_flags, readonly)
        );
    }
    word
}

/// Asks for a reschedule on this CPU.
#[inline(always)]
pub(crate) fn reschedule_request() {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!("and dword ptr gs:[{}], {}", const PREEMPT, const !NO_RESCHEDULE as i32, options(nostack))
    }
}

/// Takes the request back; true if there was one.
#[inline(always)]
pub(crate) fn reschedule_take() -> bool {
    let wanted: u8;
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "bts dword ptr gs:[{}], 31", "setnc {}",
            const PREEMPT, out(reg_byte) wanted,
            options(nostack)
        );
    }
    wanted != 0
}

/// Marks the running thread as serving a request; true if it was marked.
#[inline(always)]
pub(crate) fn serving_begin() -> bool {
    let was: u8;
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "bts dword ptr gs:[{}], {}", "setc {}",
            const PREEMPT, const SERVING.trailing_zeros(), out(reg_byte) was,
            options(nostack)
        );
    }
    was != 0
}

/// Takes the mark away; true if no guard is alive and a reschedule is wanted.
#[inline(always)]
pub(crate) fn serving_end() -> bool {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "and dword ptr gs:[{}], {}", "jz {}",
            const PREEMPT, const !SERVING as i32, label { return true },
            options(nostack)
        );
    }
    false
}

/// Counts one more interrupt guard.
#[inline(always)]
pub(crate) fn interrupt_depth_enter() {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe { asm!("inc dword ptr gs:[{}]", const DEPTH, options(nostack)) }
}

/// Counts one interrupt guard less; true if it was the last.
#[inline(always)]
pub(crate) fn interrupt_depth_leave() -> bool {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!(
            "dec dword ptr gs:[{}]", "jz {}",
            const DEPTH, label { return true },
            options(nostack)
        );
    }
    false
}

/// Replaces the "enable at the end" mark; interrupts are off. Gives the old one.
#[inline]
pub(crate) fn interrupt_restore_replace(restore: bool) -> bool {
    let field = &header().interrupt_restore;
    let before = field.load(Ordering::Relaxed);
    field.store(restore.into(), Ordering::Relaxed);
    before != 0
}

#[inline(always)]
pub(crate) fn handler_enter() {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!("inc dword ptr gs:[{}]", const offset_of!(Header, handler_depth), options(nostack))
    }
}

#[inline(always)]
pub(crate) fn handler_leave() {
    // SAFETY: changes a field of this CPU's header, see `header`.
    unsafe {
        asm!("dec dword ptr gs:[{}]", const offset_of!(Header, handler_depth), options(nostack))
    }
}

pub(crate) fn handler_depth() -> u32 {
    header().handler_depth.load(Ordering::Relaxed)
}

/// Whether the CPU takes interrupts.
#[inline(always)]
pub(crate) fn interrupts_enabled() -> bool {
    let flags: u64;
    // SAFETY: reads the flags by way of the stack and leaves it as it was.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) }
    flags & (1 << 9) != 0
}

#[inline(always)]
pub(crate) fn interrupts_disable() {
    // SAFETY: not taking interrupts breaks nobody's memory.
    unsafe { asm!("cli", options(nostack)) }
}

#[inline(always)]
pub(crate) fn interrupts_enable() {
    // SAFETY: called only where the state before the first guard is restored,
    // so handlers may run as they might have then.
    unsafe { asm!("sti", options(nostack)) }
}

/// The chain of spin locks this CPU holds; the caller must be pinned to it.
#[cfg(debug_assertions)]
pub(crate) fn with_held<A>(access: impl FnOnce(&Chain) -> A) -> A {
    access(&header().held)
}
