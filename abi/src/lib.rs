//! What user programs and the kernel agree on: call numbers, flags, error
//! numbers and `repr(C)` structures.
//!
//! Wherever Linux on x86-64 has a call, Weft uses Linux's number, layout and
//! semantics, so that stock compilers and C libraries fit. What Linux lacks
//! (the native thread calls) lives in a private range; see [`call`].
#![no_std]
#![forbid(unsafe_code)]

pub mod call;
pub mod clone;
pub mod errno;
pub mod event;
pub mod file;
pub mod futex;
pub mod inotify;
pub mod ipc;
pub mod lock;
pub mod membarrier;
pub mod memory;
pub mod mqueue;
pub mod prctl;
pub mod process;
pub mod rseq;
pub mod sched;
pub mod signal;
pub mod socket;
pub mod time;
pub mod tty;

pub use errno::Errno;
