//! Zeroing and copying whole frames, the floor under every page fault.

use crate::address::PAGE_SIZE;

/// Zeroes the frame at `page`, eight bytes at a time: byte-wise forms are slow
/// where ERMS is missing or emulated.
///
/// # Safety
/// `page` is valid for writes of [`PAGE_SIZE`] bytes and aligned to it.
#[cfg(target_os = "none")]
#[inline]
pub(in crate::memory) unsafe fn zero(page: *mut u8) {
    use crate::arch::features::{Feature, has};
    if has(Feature::Tcg) {
        // SAFETY: passed on to the caller.
        return unsafe { zero_by_stores(page) };
    }
    // SAFETY: writes exactly the frame, by this function's contract; the
    // direction flag is clear by the calling convention.
    unsafe {
        core::arch::asm!(
            "rep stosq",
            inout("rcx") PAGE_SIZE / 8 => _,
            inout("rdi") page => _,
            in("rax") 0usize,
            options(nostack, preserves_flags),
        );
    }
}

/// [`zero`] where the repeat prefix is emulated, and takes 1.7 times as long as
/// as many plain stores.
///
/// # Safety
/// As for [`zero`].
#[cfg(target_os = "none")]
#[inline(never)]
unsafe fn zero_by_stores(page: *mut u8) {
    // SAFETY: twice 256 stores of 8 bytes are the frame.
    unsafe {
        core::arch::asm!(
            "2:",
            ".set frame_zero_at, 0",
            ".rept 256",
            "mov [{page} + frame_zero_at], {zero}",
            ".set frame_zero_at, frame_zero_at + 8",
            ".endr",
            "add {page}, 2048",
            "dec {count:e}",
            "jnz 2b",
            page = inout(reg) page => _,
            count = inout(reg) PAGE_SIZE / 2048 => _,
            zero = in(reg) 0usize,
            options(nostack),
        );
    }
}

/// Copies the frame at `from` to the frame at `to`.
///
/// # Safety
/// Both are valid for [`PAGE_SIZE`] bytes, aligned to it, and not the same.
#[cfg(target_os = "none")]
#[inline]
pub(in crate::memory) unsafe fn copy(to: *mut u8, from: *const u8) {
    // SAFETY: as for `zero`. Others may write to `from` meanwhile; in assembly
    // that gives unspecified bytes and no more.
    unsafe {
        core::arch::asm!(
            "rep movsq",
            inout("rcx") PAGE_SIZE / 8 => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(not(target_os = "none"))]
pub(in crate::memory) unsafe fn zero(page: *mut u8) {
    // SAFETY: passed on to the caller.
    unsafe { page.write_bytes(0, PAGE_SIZE) };
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(not(target_os = "none"))]
pub(in crate::memory) unsafe fn copy(to: *mut u8, from: *const u8) {
    // SAFETY: passed on to the caller.
    unsafe { to.copy_from_nonoverlapping(from, PAGE_SIZE) };
}

/// Copies `length` bytes that others may write meanwhile.
///
/// # Safety
/// Both are valid for `length` bytes and do not overlap.
#[inline]
pub(in crate::memory) unsafe fn copy_bytes(to: *mut u8, from: *const u8, length: usize) {
    #[cfg(target_os = "none")]
    // SAFETY: copies exactly `length` bytes: words, then the rest.
    unsafe {
        core::arch::asm!(
            "rep movsq",
            "mov ecx, {rest:e}",
            "rep movsb",
            rest = in(reg) length % 8,
            inout("rcx") length / 8 => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(target_os = "none"))]
    // SAFETY: passed on to the caller.
    unsafe {
        to.copy_from_nonoverlapping(from, length);
    }
}
