//! `cat [FILE…]`: copies files, or standard input (also named `-`), to
//! standard output.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::io::Text;
use weft::{Errno, file};

weft::program!(main);

fn main() -> bool {
    let mut good = true;
    let mut copy_named = |name: &core::ffi::CStr| {
        let result = if name == c"-" {
            copy(file::STDIN)
        } else {
            open_and_copy(name)
        };
        if let Err(error) = result {
            weft::eprintln!("cat: {}: {error}", Text(name.to_bytes()));
            good = false;
        }
    };
    let mut args = weft::args().skip(1).peekable();
    if args.peek().is_none() {
        copy_named(c"-");
    }
    args.for_each(copy_named);
    good
}

fn open_and_copy(name: &core::ffi::CStr) -> Result<(), Errno> {
    let fd = file::open(name, weft::abi::file::O_RDONLY)?;
    let result = copy(fd);
    file::close(fd).and(result)
}

fn copy(fd: i32) -> Result<(), Errno> {
    let mut buffer = [0; 16384];
    loop {
        match file::read(fd, &mut buffer)? {
            0 => return Ok(()),
            n => file::write_all(file::STDOUT, &buffer[..n])?,
        }
    }
}
