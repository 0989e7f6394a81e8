//! Devices: what a device inode opens.

pub mod console;
pub mod disk;
mod line;
mod memory;
mod output;
pub mod pty;
pub mod terminal;

use alloc::sync::Arc;

use abi::Errno;

use crate::files::inode::{Inode, device_number};
use crate::files::open_file::File;

use self::terminal::TerminalFile;

/// As on Linux: 1 for memory devices, 5 for terminals.
const NULL: u64 = device_number(1, 3);
const ZERO: u64 = device_number(1, 5);
const FULL: u64 = device_number(1, 7);
const RANDOM: u64 = device_number(1, 8);
const URANDOM: u64 = device_number(1, 9);
const TTY: u64 = device_number(5, 0);
const CONSOLE: u64 = device_number(5, 1);
const PTMX: u64 = device_number(5, 2);

/// What `/dev` has: name, number, permissions.
pub const NAMES: &[(&str, u64, u32)] = &[
    ("console", CONSOLE, 0o600),
    ("tty", TTY, 0o666),
    ("ptmx", PTMX, 0o666),
    ("null", NULL, 0o666),
    ("zero", ZERO, 0o666),
    ("full", FULL, 0o666),
    ("random", RANDOM, 0o666),
    ("urandom", URANDOM, 0o666),
];

/// What `/dev` calls the device.
pub fn name_of(number: u64) -> Option<&'static str> {
    let mut names = NAMES.iter();
    names.find_map(|&(name, of, _)| (of == number).then_some(name))
}

/// Opens the device `number` through `inode`: ENXIO if there is none.
pub fn open(number: u64, inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
    match number {
        NULL => File::new(inode, flags, memory::Null),
        ZERO => File::new(inode, flags, memory::Zero),
        FULL => File::new(inode, flags, memory::Full),
        RANDOM | URANDOM => File::new(inode, flags, memory::Random),
        TTY => TerminalFile::open(terminal::own()?, inode, flags),
        CONSOLE => TerminalFile::open(console::terminal(), inode, flags),
        PTMX => pty::Master::open(inode, flags),
        _ => match disk::index_of(number) {
            Some(index) => disk::open(index, inode, flags),
            None => Err(Errno::ENXIO),
        },
    }
}
