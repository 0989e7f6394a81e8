//! The instructions that touch user memory, each with the place where it goes
//! on if it faults. They are in one block of assembly, so that the table of
//! those places is complete and next to them.
//!
//! A page fault in the kernel looks the instruction up with [`fixup`]. Only
//! here the CPU is allowed to access user pages (SMAP).

use super::Fault;
use crate::arch::features::{Feature, has};
use core::arch::{asm, global_asm};

// Every routine follows the C calling convention, keeps no frame, and returns
// 0, or 1 after a fault. A copy goes by words, then by the bytes that are
// left: byte-wise forms are slow where ERMS is missing or emulated.
global_asm!(
    r#"
    .pushsection .text.user_copy, "ax", @progbits

    .global user_copy
user_copy:
    mov rcx, rdx
    shr rcx, 3
user_copy_words:
    rep movsq
    mov ecx, edx
    and ecx, 7
    jz 2f
user_copy_bytes:
    rep movsb
2:  xor eax, eax
    ret

    .global user_zero
user_zero:
    xor eax, eax
    mov rcx, rsi
    shr rcx, 3
user_zero_words:
    rep stosq
    mov ecx, esi
    and ecx, 7
user_zero_bytes:
    rep stosb
    ret

    .global user_fetch_u32
user_fetch_u32:
    mov eax, [rdi]
    mov [rsi], eax
    xor eax, eax
    ret

    .global user_fetch_u64
user_fetch_u64:
    mov rax, [rdi]
    mov [rsi], rax
    xor eax, eax
    ret

    .global user_store_u32
user_store_u32:
    mov [rdi], esi
    xor eax, eax
    ret

    .global user_store_u64
user_store_u64:
    mov [rdi], rsi
    xor eax, eax
    ret

    .global user_compare_exchange_u32
user_compare_exchange_u32:
    mov eax, [rsi]
user_compare_exchange_u32_access:
    lock cmpxchg [rdi], edx
    mov [rsi], eax
    xor eax, eax
    ret

user_faulted:
    mov eax, 1
    ret
    .popsection

    .pushsection .rodata.user_copy, "a", @progbits
    .balign 8
    .global user_copy_accesses
user_copy_accesses:
    .quad user_copy_words, user_copy_bytes
    .quad user_zero_words, user_zero_bytes
    .quad user_fetch_u32, user_fetch_u64
    .quad user_store_u32, user_store_u64
    .quad user_compare_exchange_u32_access
    .global user_copy_landing
user_copy_landing:
    .quad user_faulted
    .popsection
    "#
);

/// Entries of the table.
const ACCESSES: usize = 9;

unsafe extern "C" {
    fn user_copy(to: usize, from: usize, length: usize) -> u32;
    fn user_zero(to: usize, length: usize) -> u32;
    fn user_fetch_u32(from: usize, value: *mut u32) -> u32;
    fn user_fetch_u64(from: usize, value: *mut u64) -> u32;
    fn user_store_u32(to: usize, value: u32) -> u32;
    fn user_store_u64(to: usize, value: u64) -> u32;
    fn user_compare_exchange_u32(at: usize, expected: *mut u32, new: u32) -> u32;
    safe static user_copy_accesses: [usize; ACCESSES];
    safe static user_copy_landing: usize;
}

/// Where the code goes on whose access to user memory at `ip` faulted. None if
/// there is no such access, and the fault is a bug of the kernel.
#[must_use]
pub fn fixup(ip: usize) -> Option<usize> {
    user_copy_accesses
        .contains(&ip)
        .then_some(user_copy_landing)
}

/// Lets the CPU access user pages while `access` runs.
#[inline]
fn allowed(access: impl FnOnce() -> u32) -> Result<(), Fault> {
    let smap = has(Feature::Smap);
    if smap {
        // SAFETY: the instruction exists, and allows what is revoked below.
        unsafe { asm!("stac", options(nostack)) };
    }
    let failed = access();
    if smap {
        // SAFETY: as above.
        unsafe { asm!("clac", options(nostack)) };
    }
    if failed == 0 { Ok(()) } else { Err(Fault) }
}

/// # Safety
/// `from` is in the user's half, `to` is writable kernel memory, both for
/// `length` bytes.
#[inline]
pub(super) unsafe fn copy_in(to: *mut u8, from: usize, length: usize) -> Result<(), Fault> {
    // SAFETY: by this function's contract; a fault on the user's side is
    // caught by the table.
    allowed(|| unsafe { user_copy(to.expose_provenance(), from, length) })
}

/// # Safety
/// `to` is in the user's half, `from` is readable kernel memory, both for
/// `length` bytes.
#[inline]
pub(super) unsafe fn copy_out(to: usize, from: *const u8, length: usize) -> Result<(), Fault> {
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_copy(to, from.expose_provenance(), length) })
}

/// # Safety
/// `to` is in the user's half for `length` bytes.
pub(super) unsafe fn zero(to: usize, length: usize) -> Result<(), Fault> {
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_zero(to, length) })
}

/// # Safety
/// `from` is in the user's half for 4 bytes.
#[inline]
pub(super) unsafe fn fetch_u32(from: usize) -> Result<u32, Fault> {
    let mut value = 0;
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_fetch_u32(from, &raw mut value) })?;
    Ok(value)
}

/// # Safety
/// `from` is in the user's half for 8 bytes.
#[inline]
pub(super) unsafe fn fetch_u64(from: usize) -> Result<u64, Fault> {
    let mut value = 0;
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_fetch_u64(from, &raw mut value) })?;
    Ok(value)
}

/// # Safety
/// `to` is in the user's half for 4 bytes.
#[inline]
pub(super) unsafe fn store_u32(to: usize, value: u32) -> Result<(), Fault> {
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_store_u32(to, value) })
}

/// # Safety
/// `to` is in the user's half for 8 bytes.
#[inline]
pub(super) unsafe fn store_u64(to: usize, value: u64) -> Result<(), Fault> {
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_store_u64(to, value) })
}

/// # Safety
/// `at` is in the user's half for 4 bytes, and aligned.
#[inline]
pub(super) unsafe fn compare_exchange_u32(
    at: usize,
    expected: u32,
    new: u32,
) -> Result<u32, Fault> {
    let mut value = expected;
    // SAFETY: as in `copy_in`.
    allowed(|| unsafe { user_compare_exchange_u32(at, &raw mut value, new) })?;
    Ok(value)
}
