//! Traps that come while the kernel runs.

use super::features::{Feature, has};
use super::panic;
use super::registers::{disable_interrupts, enable_interrupts, read_cr2};
use super::{interrupts, ipi, stack};
use crate::hooks::{self, Access};
use crate::memory::copy;
use crate::user::UserRegs;
use core::arch::asm;
use sync::preempt;

pub const NON_MASKABLE: u8 = 2;
pub const DOUBLE_FAULT: u8 = 8;
pub const GENERAL_PROTECTION: u8 = 13;
pub const PAGE_FAULT: u8 = 14;

const INTERRUPT_FLAG: u64 = 1 << 9;

/// A trap frame in the kernel has the shape of the user's registers.
pub type Frame = UserRegs;

/// What a page fault's error code says of the access.
pub fn access(error: u64) -> Access {
    if error & 1 << 4 != 0 {
        Access::Execute
    } else if error & 1 << 1 != 0 {
        Access::Write
    } else {
        Access::Read
    }
}

/// Every trap from the kernel, except those with a stack of their own.
/// Interrupts are off.
pub extern "C" fn kernel_trap(frame: &mut Frame) {
    if has(Feature::Smap) {
        // The trap may have come inside a copy from or to user memory.
        // SAFETY: SMAP exists, and forbidding access to user memory is safe.
        // The flags that the return restores allow it again.
        unsafe { asm!("clac", options(nomem, nostack)) };
    }
    match frame.vector as u8 {
        PAGE_FAULT => page_fault(frame),
        GENERAL_PROTECTION => protection_fault(frame),
        vector @ 0..32 => panic::exception(vector, frame),
        vector => {
            interrupts::dispatch(vector, false);
            if frame.rflags & INTERRUPT_FLAG != 0 {
                preempt::serve();
            }
        }
    }
}

/// A page fault in the kernel is right only in a copy from or to user memory:
/// the kernel may resolve it, else the copy ends with an error.
fn page_fault(frame: &mut Frame) {
    let address = read_cr2();
    let Some(landing) = copy::fixup(frame.ip()) else {
        panic::page_fault(address, frame);
    };
    let may_sleep = frame.rflags & INTERRUPT_FLAG != 0 && preempt::count() == 0;
    if may_sleep && let Some(hooks) = hooks::get() {
        enable_interrupts();
        let resolved = hooks.kernel_fault(address, access(frame.error));
        disable_interrupts();
        if resolved {
            return;
        }
    }
    frame.rip = landing as u64;
}

/// A copy faults in this way when its address is not canonical.
fn protection_fault(frame: &mut Frame) {
    match copy::fixup(frame.ip()) {
        Some(landing) => frame.rip = landing as u64,
        None => panic::exception(GENERAL_PROTECTION, frame),
    }
}

/// Debug, non-maskable, double fault and machine check while in the kernel.
pub extern "C" fn own_stack_trap(frame: &mut Frame) {
    match frame.vector as u8 {
        DOUBLE_FAULT if stack::is_guard(read_cr2()) || stack::is_guard(frame.stack()) => {
            panic::stack_overflow(frame)
        }
        // A single step or watch point that reached the kernel stops no one.
        1 => {}
        vector @ (NON_MASKABLE | 18) => machine_event(vector),
        vector => panic::exception(vector, frame),
    }
}

/// A non-maskable interrupt is how a panicking CPU stops the others.
pub fn machine_event(vector: u8) {
    ipi::stop_if_asked();
    if vector == 18 {
        panic!("machine check");
    }
}
