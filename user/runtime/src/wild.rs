//! For tests: calls with any arguments, and memory behind Rust's back.
//!
//! These functions are safe to name, because a test of a kernel must be able
//! to say anything; what they do to the test's own memory is the test's affair.
//! Ordinary programs use the other modules.

use crate::call::{self, raw};
use crate::thread::Entry;
use abi::Errno;
use abi::memory::*;
use core::arch::{asm, naked_asm};
use core::sync::atomic::{AtomicU32, AtomicU64};

/// Any call with any arguments.
pub fn call<const N: usize>(number: usize, args: [usize; N]) -> Result<usize, Errno> {
    // SAFETY: see the module: the test answers for its arguments.
    unsafe { raw(number, args) }
}

/// The native clone as it is; the new thread's id.
pub fn clone(
    entry: Entry,
    words: (usize, usize),
    stack: (usize, usize),
    flags: usize,
) -> Result<i32, Errno> {
    crate::thread::note_threads();
    let args = [entry as usize, words.0, words.1, stack.0, stack.1, flags];
    call(call::THREAD_CLONE, args).map(|tid| tid as i32)
}

/// Pages of the test's own, mapped afresh.
pub fn map(length: usize) -> usize {
    crate::memory::map(length, PROT_READ | PROT_WRITE).expect("memory")
}

pub fn unmap(address: usize, length: usize) -> Result<(), Errno> {
    call(call::MUNMAP, [address, length]).map(drop)
}

pub fn protect(address: usize, length: usize, protection: usize) -> Result<(), Errno> {
    call(call::MPROTECT, [address, length, protection]).map(drop)
}

/// Sets the break; the break there is then (Linux's brk).
pub fn brk(to: usize) -> usize {
    call(call::BRK, [to]).unwrap_or(0)
}

/// Reads a byte, whatever is there.
pub fn load(address: usize) -> u8 {
    let value;
    // SAFETY: a read that faults ends the thread, nothing else.
    unsafe { asm!("mov {}, [{}]", out(reg_byte) value, in(reg) address, options(nostack)) };
    value
}

/// Writes a byte, whatever is there.
pub fn store(address: usize, value: u8) {
    // SAFETY: see the module.
    unsafe { asm!("mov [{}], {}", in(reg) address, in(reg_byte) value, options(nostack)) };
}

/// A word in memory of the test's own.
pub fn word(address: usize) -> &'static AtomicU32 {
    // SAFETY: see the module; aligned by the test.
    unsafe { &*(address as *const AtomicU32) }
}

/// A word in memory of the test's own.
pub fn word64(address: usize) -> &'static AtomicU64 {
    // SAFETY: see the module; aligned by the test.
    unsafe { &*(address as *const AtomicU64) }
}

/// Bytes in memory of the test's own.
pub fn bytes(address: usize, length: usize) -> &'static mut [u8] {
    // SAFETY: see the module.
    unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) }
}

/// An entry that stores what it finds at `*first`: both arguments, the stack
/// pointer, the word on top of the stack; then 1 in the fifth word; and returns.
#[unsafe(naked)]
pub extern "C" fn report_start(first: usize, second: usize) {
    naked_asm!(
        "mov [rdi], rdi",
        "mov [rdi + 8], rsi",
        "mov [rdi + 16], rsp",
        "mov rax, [rsp]",
        "mov [rdi + 24], rax",
        "mov qword ptr [rdi + 32], 1",
        "ret",
    )
}

/// An entry that stores its two arguments as they are at a place known
/// beforehand (see [`SEEN`]); then leaves.
#[unsafe(naked)]
pub extern "C" fn report_words(first: usize, second: usize) {
    naked_asm!(
        "mov [rip + {seen}], rdi",
        "mov [rip + {seen} + 8], rsi",
        "mov eax, {exit}",
        "xor edi, edi",
        "syscall",
        seen = sym SEEN,
        exit = const call::EXIT,
    )
}

/// Where [`report_words`] stores.
pub static SEEN: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// An entry that returns at once, to the fake address.
pub extern "C" fn return_at_once(_: usize, _: usize) {}

/// Loads a vector register with `value`, gives way `times` times, and reads it.
pub fn vector_after(value: u64, times: usize) -> u64 {
    let result;
    // SAFETY: only registers named here change.
    unsafe {
        asm!(
            "movq xmm15, {value}",
            "2:",
            "mov eax, {give_way}",
            "syscall",
            "dec {times}",
            "jnz 2b",
            "movq {result}, xmm15",
            value = in(reg) value,
            times = inout(reg) times.max(1) => _,
            result = lateout(reg) result,
            give_way = const call::SCHED_YIELD,
            out("rax") _, out("rcx") _, out("r11") _, out("xmm15") _,
            options(nostack),
        );
    }
    result
}

/// Calls whatever is at the address.
pub fn jump(address: usize) {
    // SAFETY: see the module; code there follows the C convention.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) };
}

/// Makes calls with marks in all registers that a call must keep; how many of
/// them came back changed.
pub fn registers_lost(times: usize) -> u64 {
    let mut lost = 0;
    for mark in 0..times {
        let (rdi, rsi, rdx, r8, r9, r10): (usize, usize, usize, usize, usize, usize);
        let (r12, r13, r14, r15): (usize, usize, usize, usize);
        // SAFETY: getppid touches no memory; all registers are named.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") call::GETPPID => _,
                inlateout("rdi") mark => rdi,
                inlateout("rsi") mark ^ 1 => rsi,
                inlateout("rdx") mark ^ 2 => rdx,
                inlateout("r8") mark ^ 3 => r8,
                inlateout("r9") mark ^ 4 => r9,
                inlateout("r10") mark ^ 5 => r10,
                inlateout("r12") mark ^ 6 => r12,
                inlateout("r13") mark ^ 7 => r13,
                inlateout("r14") mark ^ 8 => r14,
                inlateout("r15") mark ^ 9 => r15,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
        }
        let found = [rdi, rsi, rdx, r8, r9, r10, r12, r13, r14, r15];
        lost += found
            .iter()
            .enumerate()
            .filter(|(i, value)| **value != mark ^ i)
            .count() as u64;
    }
    lost
}
