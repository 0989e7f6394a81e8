//! `tee [-ai] [FILE…]`: copies its input to its output and into files; `-a`
//! appends to them, `-i` is not ended by ^C.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::system::arguments::{complain, options};
use weft::abi::file::{O_APPEND, O_TRUNC, O_WRONLY};
use weft::abi::signal::{SIG_IGN, SIGINT};
use weft::{Errno, file, process};

weft::program!(main);

fn main() -> bool {
    let options = options("ai", "tee [-ai] [FILE...]");
    if options.has(b'i') {
        let _ = process::set_signal(SIGINT, SIG_IGN);
    }
    let flags = O_WRONLY | if options.has(b'a') { O_APPEND } else { O_TRUNC };
    let mut good = true;
    let mut outputs: Vec<(&CStr, i32)> = alloc::vec![(c"standard output", file::STDOUT)];
    for name in options.operands {
        match file::create(name, flags, 0o666) {
            Ok(fd) => outputs.push((name, fd)),
            Err(error) => {
                complain(name, &error);
                good = false;
            }
        }
    }
    let mut buffer = [0; 4096];
    loop {
        let bytes = match file::read(file::STDIN, &mut buffer) {
            Ok(0) => return good,
            Ok(length) => &buffer[..length],
            Err(Errno::EINTR) => continue,
            Err(error) => {
                complain(c"standard input", &error);
                return false;
            }
        };
        // One that fails is left out; the others go on.
        outputs.retain(|(name, fd)| {
            let result = file::write_all(*fd, bytes);
            if let Err(error) = result {
                complain(name, &error);
                good = false;
            }
            result.is_ok()
        });
    }
}
