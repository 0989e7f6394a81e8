//! The inputs of programs that read files or else their standard input.

use super::arguments::complain;
use core::ffi::CStr;
use weft::{Errno, abi, file};

/// Opens a file; `-` is the standard input.
pub fn open(name: &CStr) -> Result<i32, Errno> {
    match name {
        name if name == c"-" => Ok(file::STDIN),
        name => file::open(name, abi::file::O_RDONLY),
    }
}

/// Gives each input to `body`; false if anything failed, which is reported.
pub fn each(names: &[&CStr], mut body: impl FnMut(&CStr, i32) -> Result<(), Errno>) -> bool {
    let names = if names.is_empty() { &[c"-"] } else { names };
    let mut good = true;
    for name in names {
        let result = open(name).and_then(|fd| {
            let result = body(name, fd);
            if fd != file::STDIN {
                let _ = file::close(fd);
            }
            result
        });
        if let Err(error) = result {
            complain(name, &error);
            good = false;
        }
    }
    good
}
