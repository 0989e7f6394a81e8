//! Entering user mode, and telling why it was left.

use super::area::{self, KERNEL_STACK, USER_LOADED, USER_REGS_END};
use super::entry::{iret_to_user, sysret_to_user};
use super::features::{Feature, has};
use super::registers::{disable_interrupts, enable_interrupts, read_cr2};
use super::{interrupts, traps, user_state};
use crate::address::USER_END;
use crate::user::{FROM_SYSCALL, Trap, UserRegs};
use core::arch::asm;
use sync::preempt;

const _: () = assert!(
    size_of::<UserRegs>().is_multiple_of(16),
    "the CPU aligns its frames"
);
const _: () = assert!(
    KERNEL_STACK < 4096,
    "one displacement byte or four, never more"
);

/// Enters user mode by one of the two ways, and returns when it was left.
macro_rules! enter {
    ($regs:ident, $way:ident) => {{
        let regs: *mut UserRegs = $regs;
        asm!(
            "mov gs:[{end}], rsi",
            "call {way}",
            end = const USER_REGS_END,
            way = sym $way,
            in("rdi") regs,
            in("rsi") regs.add(1),
            lateout("r12") _, lateout("r13") _, lateout("r14") _, lateout("r15") _,
            clobber_abi("C"),
        );
    }};
}
#[inline]
pub fn run(regs: &mut UserRegs, pending: impl Fn() -> bool) -> Trap {
    disable_interrupts();
    if preempt::wanted() || pending() {
        enable_interrupts();
        return Trap::Pending;
    }
    if !user_loaded() {
        // SAFETY: interrupts are off, and this task is the running one.
        unsafe { user_state::load(&*area::task()) };
    }
    if regs.vector == FROM_SYSCALL {
        // SAFETY: 1. interrupts are off; the frame of the next trap goes to the
        // registers, which stay in place until it has come. 2. what the
        // assembly does not keep is declared clobbered. 3. what user mode can
        // reach, the page table says, not this code.
        unsafe { enter!(regs, sysret_to_user) };
    } else if let Err(trap) = enter_exactly(regs) {
        return trap;
    }
    if regs.vector == FROM_SYSCALL {
        enable_interrupts();
        return Trap::Syscall;
    }
    left(regs)
}

/// Enters user mode with every register as it stands. Not the way back from a
/// system call.
#[inline(never)]
fn enter_exactly(regs: &mut UserRegs) -> Result<(), Trap> {
    if regs.rip as usize >= USER_END {
        return Err(no_such_address(regs));
    }
    // SAFETY: as in `run`.
    unsafe { enter!(regs, iret_to_user) };
    Ok(())
}

#[inline(always)]
fn user_loaded() -> bool {
    let loaded: u8;
    // SAFETY: reads this CPU's block.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg_byte) loaded, const USER_LOADED,
            options(nostack, preserves_flags, readonly));
    }
    loaded != 0
}

/// The registers say to go on at an address that is not the user's. The CPU
/// would fault in the kernel, so the fault is told without trying.
#[cold]
fn no_such_address(regs: &mut UserRegs) -> Trap {
    enable_interrupts();
    regs.error = 0;
    Trap::Fault {
        vector: traps::GENERAL_PROTECTION,
        error: 0,
    }
}

/// User mode was left by an exception or interrupt; interrupts are still off.
#[cold]
fn left(regs: &UserRegs) -> Trap {
    if has(Feature::Smap) {
        // A user may have set the flag that lifts SMAP; gates do not clear it.
        // SAFETY: SMAP exists, and forbidding access to user memory is safe.
        unsafe { asm!("clac", options(nomem, nostack)) };
    }
    let vector = regs.vector as u8;
    let trap = match vector {
        traps::PAGE_FAULT => Trap::PageFault {
            addr: read_cr2(),
            access: traps::access(regs.error),
            present: regs.error & 1 != 0,
        },
        2 | 18 => {
            traps::machine_event(vector);
            Trap::Interrupt
        }
        0..32 => Trap::Fault {
            vector,
            error: regs.error,
        },
        _ => {
            interrupts::dispatch(vector, true);
            Trap::Interrupt
        }
    };
    enable_interrupts();
    trap
}
