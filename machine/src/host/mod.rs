//! The host back end: ordinary threads stand in for CPUs and tasks, so that
//! the kernel's logic runs inside `cargo test`. Interrupts do not exist.

pub mod console;
pub mod cpu;
pub mod disk;
pub mod log;
pub mod power;
pub mod task;
pub mod time;
pub mod user;
