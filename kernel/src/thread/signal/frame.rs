//! The frame that a handler runs on: what it interrupts, in the layout of
//! Linux for x86-64 (`struct rt_sigframe`), and the way back.

use super::super::Current;
use crate::memory::user;
use crate::signal::Info;
use abi::Errno;
use abi::signal::*;
use machine::address::USER_END;
use machine::task::{VECTORS_SIZE, Vectors};
use zerocopy::IntoBytes;

/// What a function may use below its stack pointer (System V ABI, 3.2.2).
const RED_ZONE: usize = 128;

/// Puts a frame on the stack and lets the thread begin the handler. EFAULT if
/// there is no room for it.
pub(super) fn push(
    current: &mut Current,
    info: Info,
    action: SigAction,
    old_mask: u64,
) -> Result<(), Errno> {
    if action.flags & SA_RESTORER == 0 {
        return Err(Errno::EFAULT);
    }
    let stack = current.signals.lock().stack;
    let sp = current.regs().stack();
    let top = match action.flags & SA_ONSTACK != 0 && stack.size != 0 && !is_on(&stack, sp) {
        true => (stack.base + stack.size) as usize,
        false => sp.wrapping_sub(RED_ZONE),
    };
    let below = |at: usize, size: usize| at.checked_sub(size).filter(|&at| at < USER_END);
    let vectors_at = below(top, VECTORS_SIZE).ok_or(Errno::EFAULT)? & !63;
    let frame_at = below(vectors_at, size_of::<SigFrame>() + 8).ok_or(Errno::EFAULT)? & !15;
    // At a function's entry the stack pointer is 8 past a multiple of 16.
    let frame_at = frame_at + 8;
    let left_over = sp.wrapping_sub(frame_at);
    if is_on(&stack, sp) && left_over < stack.size as usize && frame_at < stack.base as usize {
        // Nested handlers have used the alternate stack up.
        return Err(Errno::EFAULT);
    }
    let mut vectors = Vectors::new();
    current.task.save_vectors(&mut vectors);
    user::write_bytes(vectors_at, vectors.bytes())?;
    let frame = SigFrame {
        restorer: action.restorer as u64,
        ucontext: UContext {
            stack: SigStack {
                flags: state_of(&stack, sp),
                ..stack
            },
            context: SigContext {
                fpstate: vectors_at as u64,
                oldmask: old_mask,
                cr2: info.fault_address(),
                ..context(current)
            },
            mask: old_mask,
            ..UContext::default()
        },
        info: info.to_abi(),
    };
    user::write_bytes(frame_at, frame.as_bytes())?;
    let regs = current.regs();
    regs.set_stack(frame_at);
    regs.set_ip(action.handler);
    regs.rdi = u64::from(info.signal);
    regs.rsi = (frame_at + core::mem::offset_of!(SigFrame, info)) as u64;
    regs.rdx = (frame_at + core::mem::offset_of!(SigFrame, ucontext)) as u64;
    regs.rax = 0;
    let flags = regs.flags() & !(DIRECTION | TRAP);
    regs.set_flags(flags);
    regs.restore_exactly();
    Ok(())
}

/// Flags that a function finds clear at its entry.
const DIRECTION: u64 = 0x400;
const TRAP: u64 = 0x100;

/// rt_sigreturn(2): takes the frame back. The restored `rax`.
pub(super) fn pop(current: &mut Current) -> Result<usize, Errno> {
    // The handler's return has taken the restorer's address.
    let at = current.regs().stack();
    let ucontext: UContext = user::read_value(at)?;
    let context = ucontext.context;
    let mut vectors = Vectors::new();
    if context.fpstate != 0 {
        user::read_bytes(context.fpstate as usize, vectors.bytes_mut())?;
    }
    current.task.load_vectors(&vectors);
    restore(current, &context);
    // A stack that the handler chose holds only if it could be set now.
    let _ = super::calls::set_stack(current, ucontext.stack);
    let group = current.group().clone();
    group.set_mask(current, ucontext.mask);
    Ok(context.rax as usize)
}

fn context(current: &mut Current) -> SigContext {
    let regs = current.regs();
    SigContext {
        r8: regs.r8,
        r9: regs.r9,
        r10: regs.r10,
        r11: regs.r11,
        r12: regs.r12,
        r13: regs.r13,
        r14: regs.r14,
        r15: regs.r15,
        rdi: regs.rdi,
        rsi: regs.rsi,
        rbp: regs.rbp,
        rbx: regs.rbx,
        rdx: regs.rdx,
        rax: regs.rax,
        rcx: regs.rcx,
        rsp: regs.stack() as u64,
        rip: regs.ip() as u64,
        eflags: regs.flags(),
        cs: 0x33,
        ss: 0x2b,
        err: regs.error_code(),
        trapno: regs.vector(),
        ..SigContext::default()
    }
}

fn restore(current: &mut Current, context: &SigContext) {
    let regs = current.regs();
    regs.r8 = context.r8;
    regs.r9 = context.r9;
    regs.r10 = context.r10;
    regs.r11 = context.r11;
    regs.r12 = context.r12;
    regs.r13 = context.r13;
    regs.r14 = context.r14;
    regs.r15 = context.r15;
    regs.rdi = context.rdi;
    regs.rsi = context.rsi;
    regs.rbp = context.rbp;
    regs.rbx = context.rbx;
    regs.rdx = context.rdx;
    regs.rcx = context.rcx;
    regs.set_stack(context.rsp as usize);
    regs.set_flags(context.eflags);
    regs.set_ip(context.rip as usize);
    regs.restore_exactly();
}

/// Whether `sp` is on the alternate stack.
pub(super) fn is_on(stack: &SigStack, sp: usize) -> bool {
    (sp as u64).wrapping_sub(stack.base) <= stack.size && stack.size != 0
}

/// The alternate stack's state, as sigaltstack(2) tells it.
pub(super) fn state_of(stack: &SigStack, sp: usize) -> i32 {
    match stack.size {
        0 => SS_DISABLE,
        _ if is_on(stack, sp) => SS_ONSTACK,
        _ => 0,
    }
}
