//! `sort [-nrufc] [-t SEPARATOR] [-k KEY]… [-o FILE] [FILE…]`: sorts lines; see
//! `user_bin::order`. `-u` leaves out equal ones, `-c` only checks.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::cmp::Ordering;
use user_bin::options::Options;
use user_bin::order::{Key, Order};
use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::input;
use weft::abi::file::{O_TRUNC, O_WRONLY};
use weft::io::{Lines, Text, Writer};
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "sort [-nrufc] [-t SEPARATOR] [-k FIRST[,LAST][nr]] [-o FILE] [FILE...]";

fn main() -> i32 {
    let options = options("nrufct:k:o:", USAGE);
    let order = order(&options);
    let unique = options.has(b'u');
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let good = input::each(&options.operands, |_, fd| {
        let mut input = Lines::new(fd);
        while let Some(line) = input.next_line()? {
            lines.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec());
        }
        Ok(())
    });
    if !good {
        return 2;
    }
    let compare = |a: &Vec<u8>, b: &Vec<u8>| match unique {
        true => order.compare_keys(a, b),
        false => order.compare(a, b),
    };
    if options.has(b'c') {
        return check(&lines, unique, compare);
    }
    lines.sort_by(compare);
    if unique {
        lines.dedup_by(|a, b| order.compare_keys(a, b) == Ordering::Equal);
    }
    let name = options.value(b'o');
    let result = name.map_or(Ok(file::STDOUT), |name| {
        file::create(name, O_WRONLY | O_TRUNC, 0o666)
    });
    let result = result.and_then(|fd| write(&lines, fd));
    match result {
        Ok(()) => 0,
        Err(error) => {
            complain(name.unwrap_or(c"standard output"), &error);
            2
        }
    }
}

fn order(options: &Options<'_>) -> Order {
    let keys = options.values(b'k').map(|word| {
        let key = word.to_str().ok().and_then(Key::parse);
        key.unwrap_or_else(|| {
            complain(word, &"expected FIRST[,LAST] and letters n and r");
            misused(USAGE)
        })
    });
    let separator = options.value(b't').map(|word| match word.to_bytes() {
        [byte] => *byte,
        _ => {
            complain(word, &"expected a single byte between fields");
            misused(USAGE)
        }
    });
    Order {
        numeric: options.has(b'n'),
        reverse: options.has(b'r'),
        fold_case: options.has(b'f'),
        separator,
        keys: keys.collect(),
    }
}

fn check(lines: &[Vec<u8>], unique: bool, compare: impl Fn(&Vec<u8>, &Vec<u8>) -> Ordering) -> i32 {
    let wrong = |pair: &&[Vec<u8>]| match compare(&pair[0], &pair[1]) {
        Ordering::Less => false,
        Ordering::Equal => unique,
        Ordering::Greater => true,
    };
    match lines.windows(2).find(wrong) {
        Some(pair) => {
            weft::eprintln!("sort: out of order: {}", Text(&pair[1]));
            1
        }
        None => 0,
    }
}

fn write(lines: &[Vec<u8>], fd: i32) -> Result<(), Errno> {
    let mut out = Writer::<8192>::new(fd);
    for line in lines {
        out.write(line);
        out.write(b"\n");
    }
    out.flush()
}
