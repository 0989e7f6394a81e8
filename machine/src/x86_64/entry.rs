//! The first and last instructions of every trap.
//!
//! While a thread is in user mode, its `UserRegs` lie where the CPU's next
//! trap frame goes: the task state's `rsp0` is their end. So what the hardware
//! and these stubs push is the register file itself, and coming back from user
//! mode is one return on the kernel stack that [`sysret_to_user`] or
//! [`iret_to_user`] left.
//!
//! Traps from the kernel push the same frame on the kernel stack.

use super::area::{KERNEL_STACK, USER_REGS_END, USER_STACK};
use super::traps::{kernel_trap, own_stack_trap};
use crate::user::{FROM_SYSCALL, UserRegs};
use core::arch::{global_asm, naked_asm};
use core::mem::{offset_of, size_of};

/// Offset of a register from the END of `UserRegs`.
macro_rules! end {
    ($field:ident) => {
        size_of::<UserRegs>() - offset_of!(UserRegs, $field)
    };
}

// One stub of 16 bytes for each vector, which makes the frame uniform: an
// error code (zero where the CPU pushes none) and the vector.
global_asm!(
    ".pushsection .text.stubs, \"ax\"",
    ".balign 16",
    "interrupt_stubs:",
    ".set vector, 0",
    ".rept 256",
    ".balign 16",
    // Exceptions 8, 10 to 14, 17, 21, 29 and 30 come with an error code.
    ".if (vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30) == 0",
    "push 0",
    ".endif",
    "push vector",
    ".if vector == 1 || vector == 2 || vector == 8 || vector == 18",
    "jmp {own_stack}",
    ".else",
    "jmp {common}",
    ".endif",
    ".set vector, vector + 1",
    ".endr",
    ".popsection",
    own_stack = sym own_stack_entry,
    common = sym common_entry,
);

unsafe extern "C" {
    safe static interrupt_stubs: [[u8; 16]; 256];
}

/// The address of the stub of `vector`.
pub fn stub(vector: u8) -> usize {
    interrupt_stubs[usize::from(vector)].as_ptr() as usize
}

macro_rules! push_general {
    () => {
        "push rdi
         push rsi
         push rdx
         push rcx
         push rax
         push r8
         push r9
         push r10
         push r11
         push rbx
         push rbp
         push r12
         push r13
         push r14
         push r15"
    };
}

macro_rules! pop_general {
    () => {
        "pop r15
         pop r14
         pop r13
         pop r12
         pop rbp
         pop rbx
         pop r11
         pop r10
         pop r9
         pop r8
         pop rax
         pop rcx
         pop rdx
         pop rsi
         pop rdi"
    };
}

/// Where all stubs but those with a stack of their own go.
#[unsafe(naked)]
extern "C" fn common_entry() {
    naked_asm!(
        // The saved code segment's low bits are the level that was left.
        "test byte ptr [rsp + 24], 3",
        "jz 2f",
        // From user mode: the frame is in UserRegs.
        "swapgs",
        push_general!(),
        "cld",
        "mov rsp, gs:[{kernel_stack}]",
        "pop rbp",
        "pop rbx",
        "ret",
        // From the kernel.
        "2:",
        push_general!(),
        "cld",
        "mov rdi, rsp",
        // A frame for backtraces: who was interrupted.
        "push [rsp + {rip}]",
        "push rbp",
        "mov rbp, rsp",
        "call {kernel_trap}",
        "add rsp, 16",
        pop_general!(),
        "add rsp, 16",
        "iretq",
        kernel_stack = const KERNEL_STACK,
        kernel_trap = sym kernel_trap,
        rip = const offset_of!(UserRegs, rip),
    )
}

/// Exceptions that can come at any instruction, so that `gs` may be either the
/// user's or the kernel's even in the kernel. Kernel blocks are in the upper
/// half, and a user's `gs` is not, so the sign of the base tells.
#[unsafe(naked)]
extern "C" fn own_stack_entry() {
    naked_asm!(
        push_general!(),
        "cld",
        "test byte ptr [rsp + {cs}], 3",
        "jnz 3f",
        "xor ebx, ebx",
        "mov ecx, 0xc0000101",
        "rdmsr",
        "test edx, edx",
        "js 2f",
        "swapgs",
        "inc ebx",
        "2:",
        "mov rdi, rsp",
        "call {own_stack_trap}",
        "test ebx, ebx",
        "jz 4f",
        "swapgs",
        "4:",
        pop_general!(),
        "add rsp, 16",
        "iretq",
        // From user mode: move the frame to UserRegs and go on as the others.
        "3:",
        "swapgs",
        "mov rsi, rsp",
        "mov rdi, gs:[{regs_end}]",
        "sub rdi, {size}",
        "mov ecx, {size} / 8",
        "rep movsq",
        "mov rsp, gs:[{kernel_stack}]",
        "pop rbp",
        "pop rbx",
        "ret",
        cs = const offset_of!(UserRegs, cs),
        regs_end = const USER_REGS_END,
        size = const size_of::<UserRegs>(),
        kernel_stack = const KERNEL_STACK,
        own_stack_trap = sym own_stack_trap,
    )
}

pub fn syscall_address() -> usize {
    syscall_entry as *const () as usize
}

/// Where the `syscall` instruction comes in: `rcx` and `r11` hold the user's
/// `rip` and flags, interrupts are off.
#[unsafe(naked)]
extern "C" fn syscall_entry() {
    naked_asm!(
        "swapgs",
        "mov gs:[{user_stack}], rsp",
        "mov rsp, gs:[{regs_end}]",
        "mov [rsp - {rip}], rcx",
        "mov [rsp - {rflags}], r11",
        "mov rcx, gs:[{user_stack}]",
        "mov [rsp - {rsp}], rcx",
        "mov qword ptr [rsp - {vector}], {from_syscall}",
        "mov [rsp - {rdi}], rdi",
        "mov [rsp - {rsi}], rsi",
        "mov [rsp - {rdx}], rdx",
        "mov [rsp - {rax}], rax",
        "mov [rsp - {r8}], r8",
        "mov [rsp - {r9}], r9",
        "mov [rsp - {r10}], r10",
        "mov [rsp - {rbx}], rbx",
        "mov [rsp - {rbp}], rbp",
        "mov [rsp - {r12}], r12",
        "mov [rsp - {r13}], r13",
        "mov [rsp - {r14}], r14",
        "mov [rsp - {r15}], r15",
        "mov rsp, gs:[{kernel_stack}]",
        "pop rbp",
        "pop rbx",
        "ret",
        user_stack = const USER_STACK,
        regs_end = const USER_REGS_END,
        kernel_stack = const KERNEL_STACK,
        from_syscall = const FROM_SYSCALL,
        rip = const end!(rip),
        rflags = const end!(rflags),
        rsp = const end!(rsp),
        vector = const end!(vector),
        rdi = const end!(rdi),
        rsi = const end!(rsi),
        rdx = const end!(rdx),
        rax = const end!(rax),
        r8 = const end!(r8),
        r9 = const end!(r9),
        r10 = const end!(r10),
        rbx = const end!(rbx),
        rbp = const end!(rbp),
        r12 = const end!(r12),
        r13 = const end!(r13),
        r14 = const end!(r14),
        r15 = const end!(r15),
    )
}

/// Enters user mode with the registers at `rdi`, whose end is in the task
/// state, after a system call: `rcx` and `r11` are the call's to change. Called
/// with interrupts off; "returns" when a trap has left user mode, and then
/// keeps only `rbx`, `rbp` and `rsp`.
#[unsafe(naked)]
pub unsafe extern "C" fn sysret_to_user() {
    naked_asm!(
        "push rbx",
        "push rbp",
        "mov gs:[{kernel_stack}], rsp",
        "mov rcx, [rdi + {rip}]",
        "mov r11, [rdi + {rflags}]",
        "mov rsi, [rdi + {rsi}]",
        "mov rdx, [rdi + {rdx}]",
        "mov rax, [rdi + {rax}]",
        "mov r8, [rdi + {r8}]",
        "mov r9, [rdi + {r9}]",
        "mov r10, [rdi + {r10}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rbp, [rdi + {rbp}]",
        "mov r12, [rdi + {r12}]",
        "mov r13, [rdi + {r13}]",
        "mov r14, [rdi + {r14}]",
        "mov r15, [rdi + {r15}]",
        "mov rsp, [rdi + {rsp}]",
        "mov rdi, [rdi + {rdi}]",
        "swapgs",
        "sysretq",
        kernel_stack = const KERNEL_STACK,
        rip = const offset_of!(UserRegs, rip),
        rflags = const offset_of!(UserRegs, rflags),
        rsp = const offset_of!(UserRegs, rsp),
        rdi = const offset_of!(UserRegs, rdi),
        rsi = const offset_of!(UserRegs, rsi),
        rdx = const offset_of!(UserRegs, rdx),
        rax = const offset_of!(UserRegs, rax),
        r8 = const offset_of!(UserRegs, r8),
        r9 = const offset_of!(UserRegs, r9),
        r10 = const offset_of!(UserRegs, r10),
        rbx = const offset_of!(UserRegs, rbx),
        rbp = const offset_of!(UserRegs, rbp),
        r12 = const offset_of!(UserRegs, r12),
        r13 = const offset_of!(UserRegs, r13),
        r14 = const offset_of!(UserRegs, r14),
        r15 = const offset_of!(UserRegs, r15),
    )
}

/// As [`sysret_to_user`], with every register as it stands.
#[unsafe(naked)]
pub unsafe extern "C" fn iret_to_user() {
    naked_asm!(
        "push rbx",
        "push rbp",
        "mov gs:[{kernel_stack}], rsp",
        "mov rsp, rdi",
        pop_general!(),
        "add rsp, 16",
        "swapgs",
        "iretq",
        kernel_stack = const KERNEL_STACK,
    )
}
