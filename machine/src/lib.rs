//! The CPU and the board, behind one small interface.
//!
//! Two back ends stand behind it: `x86_64` (a real machine) and `host` (the
//! kernel's logic inside `cargo test`). Nothing here knows what a process is.
//!
//! Start at [`boot`] for how the machine comes up, [`user`] for traps from
//! user mode, [`task`] for the switch between threads.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

pub mod address;
pub mod boot;
pub mod console;
pub mod cpu;
pub mod disk;
pub mod hooks;
pub mod log;
pub mod memory;
pub mod power;
pub mod task;
pub mod time;
pub mod user;
pub mod vdso;

#[cfg(not(target_os = "none"))]
pub mod host;
#[cfg(target_os = "none")]
pub mod x86_64;

#[cfg(not(target_os = "none"))]
use host as arch;
#[cfg(target_os = "none")]
use x86_64 as arch;

// What of the board is plain arithmetic, tested on the host.
#[cfg(any(test, target_os = "none"))]
mod date;
#[cfg(any(test, target_os = "none"))]
mod regions;
#[cfg(any(test, target_os = "none"))]
mod symbols;

pub use boot::BootInfo;
pub use memory::{copy, frames, page_table};

/// Asks `cpu` to look at its run queue: it calls `Hooks::kicked` soon.
pub fn kick(cpu: usize) {
    arch::cpu::kick(cpu);
}
