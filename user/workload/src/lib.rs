//! What the crash test does to a disk, as data: each thread has a sequence of
//! operations, the same for a seed every time. The guest carries them out, and
//! the host knows from them what must be found after a crash.
//!
//! A thread works on names of its own, some of them in a folder that all
//! threads share; so its operations depend on no other thread.

#![no_std]
#![forbid(unsafe_code)]

mod plan;
mod record;
mod report;
mod stress;

pub use plan::{Operation, Plan, Sync};
pub use record::{PROMISE, Promise};
pub use report::{Report, Seen, read_report};
pub use stress::{STRESS_BLOCK, stress_block, stress_round};

/// Names of files that a thread has.
pub const NAMES: usize = 12;
/// Names of folders that a thread makes and removes.
pub const FOLDERS: usize = 2;
/// Threads at most.
pub const MOST_THREADS: usize = 16;
/// Operations of a thread at most.
pub const MOST_OPERATIONS: usize = 1000;
/// Bytes that a file may have.
pub const MOST_SIZE: u32 = 40_000;

/// Bytes that are written at the start of a file that has lost a name and stays open.
pub const HELD: u32 = 5000;

/// Where name `name` of a thread is: its folder, and the letter before its number.
pub fn place(name: u8) -> (Folder, char) {
    match name {
        0..=4 => (Folder::Own, 'f'),
        5..=7 => (Folder::Inner, 'g'),
        _ => (Folder::Shared, 's'),
    }
}

/// The folders that the files of a thread lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// `tT`.
    Own,
    /// `tT/d`.
    Inner,
    /// `shared`.
    Shared,
}

/// The byte at `position` of what a thread's operation writes: never zero, so
/// that it differs from a hole, and not what another operation writes there.
pub fn content(thread: usize, operation: usize, position: u32) -> u8 {
    let mixed = (thread as u64) << 48 | (operation as u64) << 32 | u64::from(position / 8);
    let mixed = mix(mixed).to_le_bytes()[position as usize % 8];
    mixed.max(1)
}

/// A step of splitmix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
