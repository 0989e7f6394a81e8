//! Devices: what a device inode opens.

pub mod console;
pub mod disk;
mod line;
mod memory;
mod output;

use alloc::sync::Arc;

use abi::Errno;

use crate::files::inode::{Inode, device_number};
use crate::files::open_file::File;
use crate::files::proc;

/// As on Linux: 1 for memory devices, 5 for terminals.
const NULL: u64 = device_number(1, 3);
const ZERO: u64 = device_number(1, 5);
const FULL: u64 = device_number(1, 7);
const TTY: u64 = device_number(5, 0);
const CONSOLE: u64 = device_number(5, 1);

/// What `/dev` has: name, number, permissions.
pub const NAMES: &[(&str, u64, u32)] = &[
    ("console", CONSOLE, 0o600),
    ("tty", TTY, 0o666),
    ("null", NULL, 0o666),
    ("zero", ZERO, 0o666),
    ("full", FULL, 0o666),
];

/// Opens the device `number` through `inode`: ENXIO if there is none.
pub fn open(number: u64, inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
    match number {
        NULL => File::new(inode, flags, memory::Null),
        ZERO => File::new(inode, flags, memory::Zero),
        FULL => File::new(inode, flags, memory::Full),
        // There is one terminal, and it is everybody's controlling one.
        TTY | CONSOLE => File::new(inode, flags, console::ConsoleFile),
        _ => match (disk::index_of(number), proc::index_of(number)) {
            (Some(index), _) => disk::open(index, inode, flags),
            (_, Some(index)) => proc::open(index, inode, flags),
            _ => Err(Errno::ENXIO),
        },
    }
}
