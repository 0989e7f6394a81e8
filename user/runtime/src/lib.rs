//! The user runtime: what every program for Weft links.
//!
//! - [`program!`] names a program's `main`; `start` holds what runs before it.
//! - One module per family of calls ([`file`], [`storage`], [`process`],
//!   [`memory`], [`time`]), each a thin safe wrapper over [`call`].
//! - [`print!`] and friends, [`args()`], and a heap (`alloc` works).
//! - [`thread`] makes threads, [`sync`] lets them meet.
//! - `c` is what the C faces in `user/xv6` stand on.
//! - [`check`] is the harness of the tests in `/tests`; [`wild`]: calls with arguments no sane program would pass, for tests.
//!
//! Every call is Linux's unless the private range of `abi::call` says otherwise,
//! so a program that starts no threads runs on a Linux host just as well.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod args;
#[cfg(not(test))]
mod c;
pub mod call;
pub mod check;
pub mod file;
mod heap;
pub mod io;
pub mod memory;
pub mod process;
mod start;
pub mod storage;
pub mod sync;
pub mod thread;
pub mod time;
pub mod wild;

pub use abi;
pub use abi::Errno;
pub use args::{Args, args};
pub use start::Status;

/// Names the function a program starts with: any `fn() -> impl Status`.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn weft_main() -> i32 {
            $crate::Status::code($main())
        }
    };
}
