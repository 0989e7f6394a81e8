//! Copies from and to user memory: the only code that touches it. Each checks
//! that the range is the user's half, and ends with [`Fault`] where the space
//! does not allow the access.
//!
//! A copy that faults is resolved by the kernel (`Hooks::kernel_fault`) and
//! goes on; that may sleep. Where preemption is off nothing is resolved: the
//! copy ends with [`Fault`] at once. The forms ending in `_nofault` turn it
//! off for themselves, for those who hold a lock or want to know whether the
//! page is there.
//!
//! No locks. Data changes under the reader's eyes: copy once, judge the copy.

use crate::address::{PAGE_SIZE, USER_END};
use crate::memory::frames::Frame;
use core::ops::Range;
use sync::preempt;

#[cfg(target_os = "none")]
mod x86_64;
#[cfg(target_os = "none")]
use x86_64 as arch;
#[cfg(target_os = "none")]
pub use x86_64::fixup;

#[cfg(not(target_os = "none"))]
mod host;
#[cfg(not(target_os = "none"))]
use host as arch;

/// The user's memory cannot be accessed so. Part of a copy may be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault;

/// Checks that `length` bytes from `address` on are in the user's half.
#[inline]
fn check(address: usize, length: usize) -> Result<(), Fault> {
    if address <= USER_END && length <= USER_END - address {
        Ok(())
    } else {
        Err(Fault)
    }
}

/// Copies from user memory at `from`.
#[inline]
pub fn copy_in(bytes: &mut [u8], from: usize) -> Result<(), Fault> {
    check(from, bytes.len())?;
    // SAFETY: the range is the user's, and `bytes` is the caller's alone.
    unsafe { arch::copy_in(bytes.as_mut_ptr(), from, bytes.len()) }
}

/// Copies to user memory at `to`.
#[inline]
pub fn copy_out(to: usize, bytes: &[u8]) -> Result<(), Fault> {
    check(to, bytes.len())?;
    // SAFETY: the range is the user's, and `bytes` is readable.
    unsafe { arch::copy_out(to, bytes.as_ptr(), bytes.len()) }
}

/// Copies `range` of `frame` to user memory at `to`, which may be a mapping of
/// the same frame. Panics if the range leaves the frame.
#[inline]
pub fn copy_frame_out(to: usize, frame: &Frame, range: Range<usize>) -> Result<(), Fault> {
    assert!(
        range.start <= range.end && range.end <= PAGE_SIZE,
        "bytes outside the frame"
    );
    check(to, range.len())?;
    // SAFETY: the range is the user's, and lies in a frame that is held by a
    // reference; the copy takes the frame's bytes as ones that others write.
    unsafe { arch::copy_out(to, frame.pointer().add(range.start), range.len()) }
}

/// Copies from user memory at `from`, which may be a mapping of the same frame,
/// to `range` of `frame`. Panics if the range leaves the frame.
#[inline]
pub fn copy_frame_in(frame: &Frame, range: Range<usize>, from: usize) -> Result<(), Fault> {
    assert!(
        range.start <= range.end && range.end <= PAGE_SIZE,
        "bytes outside the frame"
    );
    check(from, range.len())?;
    // SAFETY: as above.
    unsafe { arch::copy_in(frame.pointer().add(range.start), from, range.len()) }
}

/// Zeroes `length` bytes of user memory at `to`.
pub fn zero(to: usize, length: usize) -> Result<(), Fault> {
    check(to, length)?;
    // SAFETY: the range is the user's.
    unsafe { arch::zero(to, length) }
}

/// Reads one word; in one access, if it is aligned.
#[inline]
pub fn fetch_u32(from: usize) -> Result<u32, Fault> {
    check(from, 4)?;
    // SAFETY: the range is the user's.
    unsafe { arch::fetch_u32(from) }
}

/// Reads one double word; in one access, if it is aligned.
#[inline]
pub fn fetch_u64(from: usize) -> Result<u64, Fault> {
    check(from, 8)?;
    // SAFETY: the range is the user's.
    unsafe { arch::fetch_u64(from) }
}

/// Writes one word; in one access, if it is aligned.
#[inline]
pub fn store_u32(to: usize, value: u32) -> Result<(), Fault> {
    check(to, 4)?;
    // SAFETY: the range is the user's.
    unsafe { arch::store_u32(to, value) }
}

/// Writes one double word; in one access, if it is aligned.
#[inline]
pub fn store_u64(to: usize, value: u64) -> Result<(), Fault> {
    check(to, 8)?;
    // SAFETY: the range is the user's.
    unsafe { arch::store_u64(to, value) }
}

/// Replaces the word at `at` by `new` if it is `expected`, as one act.
/// Returns what was there. An unaligned address is a fault.
#[inline]
pub fn compare_exchange_u32(at: usize, expected: u32, new: u32) -> Result<u32, Fault> {
    check(at, 4)?;
    if !at.is_multiple_of(4) {
        return Err(Fault);
    }
    // SAFETY: the range is the user's and aligned.
    unsafe { arch::compare_exchange_u32(at, expected, new) }
}

/// As [`copy_in`], but faults are not resolved.
#[inline]
pub fn copy_in_nofault(bytes: &mut [u8], from: usize) -> Result<(), Fault> {
    nofault(|| copy_in(bytes, from))
}

/// As [`copy_out`], but faults are not resolved.
#[inline]
pub fn copy_out_nofault(to: usize, bytes: &[u8]) -> Result<(), Fault> {
    nofault(|| copy_out(to, bytes))
}

/// As [`zero`], but faults are not resolved.
pub fn zero_nofault(to: usize, length: usize) -> Result<(), Fault> {
    nofault(|| zero(to, length))
}

/// As [`fetch_u32`], but faults are not resolved.
#[inline]
pub fn fetch_u32_nofault(from: usize) -> Result<u32, Fault> {
    nofault(|| fetch_u32(from))
}

/// As [`compare_exchange_u32`], but faults are not resolved.
#[inline]
pub fn compare_exchange_u32_nofault(at: usize, expected: u32, new: u32) -> Result<u32, Fault> {
    nofault(|| compare_exchange_u32(at, expected, new))
}

/// Runs `copy` with preemption off, which the page fault handler takes as a
/// sign that it may not sleep.
#[inline]
fn nofault<T>(copy: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let _pinned = preempt::disable();
    copy()
}
