//! `stressfs`: five processes write and read files of their own at once.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use weft::abi::file::*;
use weft::process::Ended;
use weft::{Errno, file, process};

weft::program!(main);

const PROCESSES: u8 = 5;
const BLOCKS: usize = 40;

fn main() -> i32 {
    for i in 0..PROCESSES {
        match process::fork() {
            Ok(Some(_)) => {}
            Ok(None) => {
                return match work(i) {
                    Ok(()) => 0,
                    Err(error) => {
                        weft::eprintln!("stressfs: process {i}: {error}");
                        1
                    }
                };
            }
            Err(error) => {
                weft::eprintln!("stressfs: cannot fork: {error}");
                return 1;
            }
        }
    }
    let mut code = 0;
    while let Ok((_, ended)) = process::wait() {
        if ended != Ended::Exited(0) {
            code = 1;
        }
    }
    weft::println!("stressfs: {}", if code == 0 { "ok" } else { "FAILED" });
    code
}

fn work(number: u8) -> Result<(), Errno> {
    let name = CString::new(alloc::format!("stressfs{number}")).map_err(|_| Errno::EINVAL)?;
    let mut block = [b'a' + number; 512];
    let fd = file::open(&name, O_CREAT | O_RDWR | O_TRUNC)?;
    for _ in 0..BLOCKS {
        file::write_all(fd, &block)?;
    }
    file::seek(fd, 0, SEEK_SET)?;
    for _ in 0..BLOCKS {
        block.fill(0);
        let read = file::read_full(fd, &mut block)?;
        if read != block.len() || block.iter().any(|byte| *byte != b'a' + number) {
            return Err(Errno::EIO);
        }
    }
    file::close(fd)?;
    file::unlink(&name)
}
