//! Removes names of files, and folders with what is in them.

use super::folder::{entries, join};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::{Errno, file};

/// A file, or an empty folder.
pub fn one(name: &CStr) -> Result<(), Errno> {
    match file::unlink(name) {
        Err(Errno::EISDIR | Errno::EPERM) => file::rmdir(name),
        result => result,
    }
}

/// Depth first, with a list instead of recursion: folders can be deep.
pub fn all(name: &CStr) -> Result<(), Errno> {
    let mut names: Vec<CString> = alloc::vec![name.into()];
    while let Some(name) = names.last() {
        match one(name) {
            Ok(()) => drop(names.pop()),
            Err(Errno::ENOTEMPTY) => {
                let inside = entries(name)?;
                let inside: Vec<CString> = inside.iter().map(|entry| join(name, entry)).collect();
                names.extend(inside);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
