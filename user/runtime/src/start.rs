//! From the first instruction of a program to its `main`, and the end by panic.
//!
//! The kernel enters at `_start` with the System V process stack: argument
//! count, arguments, environment, auxiliary vector.

use crate::args;
use abi::Errno;

#[cfg(not(test))]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {enter}",
    "ud2",
    enter = sym enter,
);

#[cfg(not(test))]
unsafe extern "C" {
    safe fn weft_main() -> i32;
}

/// Runs once, on the first thread.
#[cfg(not(test))]
unsafe extern "C" fn enter(stack: *const usize) -> ! {
    // SAFETY: the kernel's start stack, before any other thread exists.
    unsafe {
        args::set(stack);
        crate::thread::block::set_first(stack as usize);
    }
    crate::process::exit(weft_main())
}

/// What a `main` may return.
pub trait Status {
    /// The exit code; an error has been reported by then.
    fn code(self) -> i32;
}

impl Status for () {
    fn code(self) -> i32 {
        0
    }
}

impl Status for i32 {
    fn code(self) -> i32 {
        self
    }
}

impl Status for bool {
    fn code(self) -> i32 {
        !self as i32
    }
}

impl Status for Result<(), Errno> {
    fn code(self) -> i32 {
        match self {
            Ok(()) => 0,
            Err(error) => {
                crate::eprintln!("{}: {error}", args::name());
                1
            }
        }
    }
}

/// A panic ends the whole group, as an uncaught panic of `std` does.
#[cfg(not(test))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    crate::eprintln!("{}: {info}", args::name());
    crate::process::exit(101)
}

/// The precompiled `core` and `alloc` name these two, though nothing here ever
/// unwinds.
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    unreachable!("unwinding")
}
