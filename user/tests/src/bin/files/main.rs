//! `files`: names, folders, contents and devices.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod attributes;
mod content;
mod names;
mod storage;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::{Errno, check, file, wild};

weft::program!(main);

fn main() -> i32 {
    // All in a folder of their own.
    let _ = file::mkdir(c"/files-test");
    if file::chdir(c"/files-test").is_err() {
        weft::eprintln!("files: cannot make a folder");
        return 1;
    }
    let code = check::run(&[
        content::TESTS,
        names::TESTS,
        attributes::TESTS,
        storage::TESTS,
    ]);
    let _ = file::chdir(c"/");
    let _ = file::rmdir(c"/files-test");
    code
}

fn write_file(name: &CStr, bytes: &[u8]) {
    let fd = file::open(name, O_WRONLY | O_CREAT | O_TRUNC).unwrap();
    file::write_all(fd, bytes).unwrap();
    file::close(fd).unwrap();
}

fn contents(name: &CStr) -> Result<Vec<u8>, Errno> {
    let fd = file::open(name, O_RDONLY)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match file::read(fd, &mut buffer)? {
            0 => break,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    file::close(fd)?;
    Ok(bytes)
}

fn name(text: alloc::string::String) -> CString {
    CString::new(text).unwrap()
}

/// A path as an argument of a bare call.
fn at(path: &CStr) -> usize {
    path.as_ptr() as usize
}

/// A bare call with a path before its other arguments.
fn call_path<const N: usize>(number: usize, path: &CStr, rest: [usize; N]) -> Result<usize, Errno> {
    let mut args = [0; 6];
    args[0] = at(path);
    args[1..][..N].copy_from_slice(&rest);
    wild::call(number, args)
}
