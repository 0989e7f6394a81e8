//! `stressfs [WORKERS [KIB [SECONDS]]]`: processes write, sync, read back and
//! remove files of their own at once: 5 with 20 KiB each, once. With SECONDS
//! they go on for so long.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::process::Ended;
use weft::{Errno, file, process, time};
use workload::{STRESS_BLOCK, stress_block};

weft::program!(main);

struct Plan {
    workers: u64,
    blocks: u64,
    /// On the monotonic clock, in nanoseconds.
    until: u64,
}

fn main() -> i32 {
    let Some(plan) = plan() else {
        weft::eprintln!("usage: stressfs [WORKERS [KIB [SECONDS]]]");
        return 2;
    };
    for number in 0..plan.workers {
        match process::fork() {
            Ok(Some(_)) => {}
            Ok(None) => {
                return match work(number, &plan) {
                    Ok(()) => 0,
                    Err(error) => {
                        weft::eprintln!("stressfs: process {number}: {error}");
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

fn plan() -> Option<Plan> {
    let mut words = weft::args().skip(1);
    let mut next = |default: u64| words.next().map_or(Some(default), number);
    let plan = Plan {
        workers: next(5)?,
        blocks: next(20)?.div_ceil(STRESS_BLOCK as u64 / 1024),
        until: time::now().saturating_add(next(0)?.saturating_mul(1_000_000_000)),
    };
    words.next().is_none().then_some(plan)
}

fn number(word: &CStr) -> Option<u64> {
    word.to_str().ok()?.parse().ok()
}

fn work(number: u64, plan: &Plan) -> Result<(), Errno> {
    let name = CString::new(alloc::format!("stressfs{number}")).map_err(|_| Errno::EINVAL)?;
    let mut round = number;
    loop {
        write_and_read(&name, plan.blocks, round)?;
        if time::now() >= plan.until {
            return Ok(());
        }
        // The next content is another worker's of now.
        round += 1;
    }
}

fn write_and_read(name: &CStr, blocks: u64, round: u64) -> Result<(), Errno> {
    let fd = file::open(name, O_CREAT | O_RDWR | O_TRUNC)?;
    for index in 0..blocks {
        file::write_all(fd, &stress_block(round, index))?;
    }
    if round.is_multiple_of(2) {
        weft::storage::sync_file(fd)?;
    }
    file::seek(fd, 0, SEEK_SET)?;
    let mut block = [0; STRESS_BLOCK];
    for index in 0..blocks {
        block.fill(0);
        if file::read_full(fd, &mut block)? != STRESS_BLOCK || block != stress_block(round, index) {
            return Err(Errno::EIO);
        }
    }
    file::close(fd)?;
    file::unlink(name)
}
