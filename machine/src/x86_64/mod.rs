//! The x86-64 back end.
//!
//! | module | holds |
//! |---|---|
//! | `start` | from the boot loader to the kernel's first function |
//! | `firmware`, `pvh`, `multiboot2`, `acpi` | what boot loader and firmware say |
//! | `area`, `segments`, `entry`, `traps` | each CPU's own block; how traps come in |
//! | `user`, `task`, `user_state`, `stack` | user mode, and the switch between threads |
//! | `paging` | the kernel half of every address space |
//! | `apic`, `io_apic`, `interrupts`, `ipi`, `smp` | interrupts and other CPUs |
//! | `time`, `calibrate`, `clock` | TSC, timer, date |
//! | `virtio`, `pci` | disks |
//! | `serial`, `console`, `log`, `power`, `panic` | the board's edge |

mod acpi;
mod apic;
mod area;
mod calibrate;
mod clock;
pub mod console;
pub mod cpu;
mod entry;
pub mod features;
mod firmware;
pub mod interrupts;
mod io_apic;
pub mod ipi;
pub mod log;
mod multiboot2;
pub mod paging;
mod panic;
mod pci;
mod pic;
mod port;
pub mod power;
mod pvh;
mod registers;
mod segments;
mod serial;
mod smp;
mod stack;
mod start;
mod symbols;
pub mod task;
pub mod time;
mod traps;
pub mod user;
mod user_state;
mod virtio;

pub use virtio::block as disk;
