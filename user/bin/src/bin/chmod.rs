//! `chmod [-R] MODE FILE…`: sets rights: octal, or as in `u+x` and `go-w`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use core::ffi::CStr;
use user_bin::mode;
use user_bin::system::arguments::{all_good, complain, misused, options};
use user_bin::system::folder::{DEPTH, entries, join};
use weft::abi::file::*;
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "chmod [-R] MODE FILE...";

fn main() -> bool {
    let options = options("R", USAGE);
    let [mode, names @ ..] = options.operands.as_slice() else {
        misused(USAGE)
    };
    let change = mode.to_str().unwrap_or("");
    if names.is_empty() {
        misused(USAGE)
    }
    if mode::change(0, change).is_none() {
        complain(mode, &"is no mode");
        misused(USAGE)
    }
    let depth = if options.has(b'R') { DEPTH } else { 0 };
    all_good(names.iter(), |name| set(name, change, depth))
}

/// Changes a file, and what is in it if it is a folder and `depth` allows.
fn set(name: &CStr, change: &str, depth: usize) -> bool {
    let folder = match set_one(name, change) {
        Ok(folder) => folder,
        Err(error) => {
            complain(name, &error);
            return false;
        }
    };
    if !folder || depth == 0 {
        return true;
    }
    match entries(name) {
        Ok(names) => all_good(names.iter(), |entry| {
            let path = join(name, entry);
            let is_link = file::lstat(&path).is_ok_and(|stat| stat.mode & S_IFMT == S_IFLNK);
            is_link || set(&path, change, depth - 1)
        }),
        Err(error) => {
            complain(name, &error);
            false
        }
    }
}

/// Whether it is a folder.
fn set_one(name: &CStr, change: &str) -> Result<bool, Errno> {
    let stat = file::stat(name)?;
    let mode = mode::change(stat.mode, change).ok_or(Errno::EINVAL)?;
    file::chmod(name, mode)?;
    Ok(stat.mode & S_IFMT == S_IFDIR)
}
