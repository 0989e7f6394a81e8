//! `tail [-n LINES | -n +LINE | -c BYTES] [-f] [FILE…]`: the last ten lines, or
//! as many as said, or those from a line on; `-f` goes on as the last file grows.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::input;
use weft::io::{Lines, Text, Writer};
use weft::{Errno, file, time};

weft::program!(main);

const USAGE: &str = "tail [-n [+]LINES | -c BYTES] [-f] [FILE...]";

/// How often a file that is followed is looked at, in nanoseconds.
const INTERVAL: u64 = 200_000_000;

enum Part {
    Lines(usize),
    /// From that line on, the first counted as 1.
    FromLine(usize),
    Bytes(usize),
}

fn main() -> bool {
    let options = options("n:c:f#", USAGE);
    let part = match (
        options.value(b'c'),
        options.value(b'n'),
        options.value(b'#'),
    ) {
        (Some(bytes), ..) => Part::Bytes(count(bytes).1),
        (None, Some(lines), _) | (None, None, Some(lines)) => match count(lines) {
            (true, line) => Part::FromLine(line),
            (false, lines) => Part::Lines(lines),
        },
        (None, None, None) => Part::Lines(10),
    };
    let (follow, names) = (options.has(b'f'), options.operands);
    let mut left = names.len().max(1);
    input::each(&names, |name, fd| {
        if names.len() > 1 {
            let before = if left == names.len() { "" } else { "\n" };
            weft::println!("{before}==> {} <==", Text(name.to_bytes()));
        }
        left -= 1;
        let result = show(fd, &part);
        match follow && left == 0 {
            true => result.and_then(|()| watch(fd)),
            false => result,
        }
    })
}

/// A number, and whether there is a plus before it; a minus says nothing.
fn count(word: &CStr) -> (bool, usize) {
    let text = word.to_str().unwrap_or("");
    let (plus, digits) = match text.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('-').unwrap_or(text)),
    };
    match digits.parse() {
        Ok(number) => (plus, number),
        Err(_) => {
            complain(word, &"expected a number");
            misused(USAGE)
        }
    }
}

fn show(fd: i32, part: &Part) -> Result<(), Errno> {
    let mut out = Writer::<4096>::new(file::STDOUT);
    let mut lines = Lines::new(fd);
    match *part {
        Part::FromLine(first) => {
            let mut number = 1;
            while let Some(line) = lines.next_line()? {
                if number >= first {
                    out.write(line);
                }
                number += 1;
            }
        }
        Part::Lines(count) => {
            let mut last: VecDeque<Vec<u8>> = VecDeque::new();
            while let Some(line) = lines.next_line()? {
                // The oldest line's memory is the new one's.
                let mut kept = match last.len() >= count {
                    true => last.pop_front().unwrap_or_default(),
                    false => Vec::new(),
                };
                kept.clear();
                kept.extend_from_slice(line);
                if count > 0 {
                    last.push_back(kept);
                }
            }
            last.iter().for_each(|line| out.write(line));
        }
        Part::Bytes(count) => {
            let mut last: Vec<u8> = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let length = file::read(fd, &mut buffer)?;
                if length == 0 {
                    break;
                }
                last.extend_from_slice(&buffer[..length]);
                if last.len() > count.saturating_mul(2).max(65536) {
                    last.drain(..last.len() - count);
                }
            }
            out.write(&last[last.len().saturating_sub(count)..]);
        }
    }
    out.flush()
}

/// Prints what comes, until a key or a signal ends the program.
fn watch(fd: i32) -> Result<(), Errno> {
    let mut buffer = [0; 4096];
    loop {
        match file::read(fd, &mut buffer)? {
            0 => time::sleep(INTERVAL)?,
            length => file::write_all(file::STDOUT, &buffer[..length])?,
        }
    }
}
