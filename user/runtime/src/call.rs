//! The `syscall` instruction, and nothing else.
//!
//! The convention is that of `abi::call`: number in `rax`, arguments in `rdi`,
//! `rsi`, `rdx`, `r10`, `r8`, `r9`; the result or a negated error in `rax`.

use abi::Errno;
use core::arch::asm;

pub use abi::call::*;

/// Makes a system call with up to six arguments; missing ones are zero.
///
/// # Safety
/// The call must not make the kernel read, write, map or unmap memory that
/// Rust believes to be its own and in another state than the call leaves it.
#[inline(always)]
pub unsafe fn raw<const N: usize>(number: usize, args: [usize; N]) -> Result<usize, Errno> {
    let arg = |i: usize| if i < N { args[i] } else { 0 };
    let result;
    // SAFETY: the kernel changes only rax, rcx and r11 besides what the caller
    // has vouched for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arg(0), in("rsi") arg(1), in("rdx") arg(2),
            in("r10") arg(3), in("r8") arg(4), in("r9") arg(5),
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    Errno::check(result)
}
