//! File systems: what they have left, mounting them, and writing all back.

use crate::call::{self, raw};
use abi::Errno;
use abi::file::StatFs;
use core::ffi::CStr;

fn word(text: &CStr) -> usize {
    text.as_ptr() as usize
}

/// The file system that holds the file.
pub fn statistics(name: &CStr) -> Result<StatFs, Errno> {
    let mut found = StatFs::default();
    // SAFETY: the kernel reads the string and fills the structure.
    unsafe { raw(call::STATFS, [word(name), &raw mut found as usize]) }.map(|_| found)
}

/// Writes back all that is not on its medium yet.
pub fn sync() {
    // SAFETY: touches no memory.
    let _ = unsafe { raw(call::SYNC, []) };
}

/// Writes back all of the file system that an open file lies in. Unlike
/// [`sync`] it can fail.
pub fn sync_file_system(fd: i32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::SYNCFS, [fd as usize]) }.map(drop)
}

/// Writes back one file.
pub fn sync_file(fd: i32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::FSYNC, [fd as usize]) }.map(drop)
}

/// Writes back one file's data, and what is needed to find them.
pub fn sync_data(fd: i32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::FDATASYNC, [fd as usize]) }.map(drop)
}

/// Puts the file system of `kind` on `source` over the folder `target`; flags
/// `MS_*`.
pub fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: usize) -> Result<(), Errno> {
    let words = [word(source), word(target), word(kind), flags, 0];
    // SAFETY: the kernel reads the strings.
    unsafe { raw(call::MOUNT, words) }.map(drop)
}

pub fn unmount(target: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::UMOUNT2, [word(target), 0]) }.map(drop)
}
