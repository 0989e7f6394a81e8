//! What the C faces in `user/xv6` stand on: functions named `weft_…` in the C
//! calling convention. Programs in Rust do not use them, and the linker then
//! leaves them out.
//!
//! Results are as the kernel gives them: negative error numbers where a call
//! can fail.

mod locks;
mod memory;
mod process;
mod threads;

use crate::call::raw;
use abi::Errno;

/// A result as C sees it.
fn result(result: Result<usize, Errno>) -> isize {
    match result {
        Ok(value) => value as isize,
        Err(error) => -(error.number() as isize),
    }
}

/// Any system call.
///
/// # Safety
/// As [`crate::call::raw`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_call(
    number: usize,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
) -> isize {
    // SAFETY: the caller's.
    result(unsafe { raw(number, [a, b, c, d, e]) })
}
