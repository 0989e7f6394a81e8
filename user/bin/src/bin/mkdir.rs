//! `mkdir [-p] FOLDER…`: makes folders; with `-p` those above them, too, and it
//! is no error if one is there.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use core::ffi::CStr;
use user_bin::system::arguments::{complain, misused, options};
use weft::{Errno, abi, file};

weft::program!(main);

const USAGE: &str = "mkdir [-p] FOLDER...";

fn main() -> bool {
    let options = options("p", USAGE);
    if options.operands.is_empty() {
        misused(USAGE)
    }
    let with_those_above = options.has(b'p');
    let mut good = true;
    for name in options.operands {
        let made = match with_those_above {
            true => make_path(name),
            false => file::mkdir(name),
        };
        if let Err(error) = made {
            complain(name, &error);
            good = false;
        }
    }
    good
}

/// Makes a folder and those above it that are not there.
fn make_path(name: &CStr) -> Result<(), Errno> {
    let bytes = name.to_bytes();
    let ends = (1..bytes.len()).filter(|&i| bytes[i] == b'/' && bytes[i - 1] != b'/');
    for end in ends.chain([bytes.len()]) {
        let part = CString::new(&bytes[..end]).map_err(|_| Errno::EINVAL)?;
        match file::mkdir(&part) {
            // Whether it is a folder shows in the next part, and at the end.
            Err(Errno::EEXIST) => {}
            made => made?,
        }
    }
    match file::stat(name)?.mode & abi::file::S_IFMT {
        abi::file::S_IFDIR => Ok(()),
        _ => Err(Errno::EEXIST),
    }
}
