//! `all [--full]`: runs the other test programs, one after the other, passes
//! on what they print, and sums up.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use core::ffi::CStr;
use weft::io::Lines;
use weft::process::Ended;
use weft::{Errno, file, process};

weft::program!(main);

const PROGRAMS: [&CStr; 7] = [
    c"calls",
    c"memory",
    c"files",
    c"pipes",
    c"exec",
    c"threads",
    c"programs",
];

#[derive(Default)]
struct Totals {
    passed: u32,
    failed: u32,
}

fn main() -> i32 {
    let full = weft::args().any(|word| word == c"--full");
    let mut totals = Totals::default();
    for program in PROGRAMS {
        match run(program, full, &mut totals) {
            Ok(Ended::Exited(0 | 1)) => {}
            result => {
                // It did not come to its own summing up.
                weft::println!("test {} ... FAILED", program.to_str().unwrap_or("?"));
                weft::eprintln!("all: {program:?}: {result:?}");
                totals.failed += 1;
            }
        }
    }
    weft::println!("{} passed, {} failed", totals.passed, totals.failed);
    (totals.failed > 0) as i32
}

/// The tests lie beside this program.
fn path(program: &CStr) -> CString {
    let own = weft::args().next().unwrap_or(c"").to_bytes();
    let folder = match own.iter().rposition(|byte| *byte == b'/') {
        Some(end) => &own[..end],
        None => b"/tests",
    };
    CString::new([folder, b"/", program.to_bytes()].concat()).expect("no zero in a path")
}

fn run(program: &CStr, full: bool, totals: &mut Totals) -> Result<Ended, Errno> {
    let path = path(program);
    let (read, write) = file::pipe()?;
    let Some(child) = process::fork()? else {
        let ready = file::dup2(write, file::STDOUT)
            .and(file::close(write))
            .and(file::close(read));
        let error = match ready {
            Ok(()) if full => process::exec(&path, &[&path, c"--full"]),
            Ok(()) => process::exec(&path, &[&path]),
            Err(error) => error,
        };
        weft::eprintln!("all: {path:?}: {error}");
        process::exit(127)
    };
    file::close(write)?;
    let passed_on = pass_on(read, totals);
    file::close(read)?;
    let ended = process::wait_for(child)?.1;
    passed_on.map(|()| ended)
}

/// Prints what a program prints but its sum, which is counted.
fn pass_on(from: i32, totals: &mut Totals) -> Result<(), Errno> {
    let mut lines = Lines::new(from);
    while let Some(line) = lines.next_line()? {
        match sums(line) {
            Some((passed, failed)) => {
                totals.passed += passed;
                totals.failed += failed;
            }
            None => file::write_all(file::STDOUT, line)?,
        }
    }
    Ok(())
}

/// Reads `N passed, N failed`.
fn sums(line: &[u8]) -> Option<(u32, u32)> {
    let line = core::str::from_utf8(line).ok()?.trim_end();
    let (passed, failed) = line.split_once(" passed, ")?;
    Some((
        passed.parse().ok()?,
        failed.strip_suffix(" failed")?.parse().ok()?,
    ))
}
