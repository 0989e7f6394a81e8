//! `uniq [-cdui] [INPUT [OUTPUT]]`: of equal lines that follow each other, one;
//! `-c` counts them, `-d` prints only those that were several, `-u` only those
//! that were not, `-i` takes capitals and small letters for the same.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::fmt::Write;
use user_bin::options::Options;
use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::input;
use weft::abi::file::{O_TRUNC, O_WRONLY};
use weft::io::{Lines, Writer};
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "uniq [-cdui] [INPUT [OUTPUT]]";

fn main() -> bool {
    let options = options("cdui", USAGE);
    let (input, output) = match options.operands.as_slice() {
        [] => (c"-", None),
        [input] => (*input, None),
        [input, output] => (*input, Some(*output)),
        _ => misused(USAGE),
    };
    let from = input::open(input).map_err(|error| (input, error));
    let result = from.and_then(|from| {
        let to = output.map_or(Ok(file::STDOUT), |name| {
            file::create(name, O_WRONLY | O_TRUNC, 0o666).map_err(|error| (name, error))
        })?;
        copy(from, to, &options).map_err(|error| (input, error))
    });
    if let Err((name, error)) = result {
        complain(name, &error);
    }
    result.is_ok()
}

fn copy(from: i32, to: i32, options: &Options<'_>) -> Result<(), Errno> {
    let mut out = Writer::<4096>::new(to);
    let mut lines = Lines::new(from);
    let mut last: Option<Vec<u8>> = None;
    let mut count = 0usize;
    let fold = options.has(b'i');
    loop {
        let line = lines.next_line()?;
        let line = line.map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        let same = match (&last, line) {
            (Some(last), Some(line)) if fold => last.eq_ignore_ascii_case(line),
            (Some(last), Some(line)) => last == line,
            _ => false,
        };
        if same {
            count += 1;
            continue;
        }
        if let Some(last) = &last {
            print(&mut out, last, count, options);
        }
        let Some(line) = line else {
            return out.flush();
        };
        last = Some(line.to_vec());
        count = 1;
    }
}

fn print(out: &mut Writer, line: &[u8], count: usize, options: &Options<'_>) {
    let unwanted = if count > 1 { b'u' } else { b'd' };
    if options.has(unwanted) {
        return;
    }
    if options.has(b'c') {
        let _ = write!(out, "{count:7} ");
    }
    out.write(line);
    out.write(b"\n");
}
