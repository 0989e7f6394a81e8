//! `memory`: mappings, also of files, the break, the stack, and copies of all that by fork.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod files;
mod layout;
mod mappings;

use weft::abi::memory::*;
use weft::abi::signal::SIGSEGV;
use weft::process::Ended;
use weft::{Errno, call, check, wild};

weft::program!(main);

fn main() -> i32 {
    // All in a folder of their own.
    let _ = weft::file::mkdir(c"/memory-test");
    if weft::file::chdir(c"/memory-test").is_err() {
        weft::eprintln!("memory: cannot make a folder");
        return 1;
    }
    let code = check::run(&[mappings::TESTS, layout::TESTS, files::TESTS]);
    let _ = weft::file::chdir(c"/");
    let _ = weft::file::rmdir(c"/memory-test");
    code
}

const PAGE: usize = PAGE_SIZE;

/// Runs `body` in a child that is to end by a bad access.
fn faults(body: impl FnOnce()) -> bool {
    check::in_child(body) == Ended::Signaled(SIGSEGV as u8)
}

fn reads(address: usize) -> bool {
    !faults(|| {
        wild::load(address);
    })
}

fn writes(address: usize) -> bool {
    !faults(|| wild::store(address, 1))
}

fn map_at(address: usize, length: usize, protection: usize, flags: usize) -> Result<usize, Errno> {
    wild::call(
        call::MMAP,
        [address, length, protection, flags, usize::MAX, 0],
    )
}

const ANONYMOUS: usize = MAP_PRIVATE | MAP_ANONYMOUS;

const READ_WRITE: usize = PROT_READ | PROT_WRITE;
