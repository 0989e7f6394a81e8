//! The Weft kernel: threads, scheduling, memory, files and calls, over the
//! machine's safe interface, which holds all that the compiler cannot check.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod credentials;
pub mod device;
pub mod files;
mod ipc;
mod limits;
pub mod memory;
mod options;
mod proc;
mod random;
pub mod sched;
mod signal;
mod socket;
mod start;
mod syscall;
pub mod thread;
mod time;

pub use start::start;

/// What programs are told of the kernel (uname(2)). C libraries refuse kernels older
/// than what they were built for.
const RELEASE: &str = "6.1.0-weft";
const VERSION: &str = concat!("Weft ", env!("CARGO_PKG_VERSION"));
