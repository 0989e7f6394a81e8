//! `du [-ahsb] [FILE…]`: the space that folders take with what is in them, in
//! KiB; `-s` only the sums, `-a` every file, `-h` for people, `-b` sizes instead
//! of space, in bytes. A file of several names counts once.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::format;
use core::ffi::CStr;
use user_bin::size::human;
use user_bin::system::arguments::{complain, options};
use user_bin::system::folder::{DEPTH, entries, join};
use weft::abi::file::*;
use weft::file;
use weft::io::Text;

weft::program!(main);

struct Sum {
    every_file: bool,
    only_sums: bool,
    for_people: bool,
    sizes: bool,
    seen: BTreeSet<(u64, u64)>,
    good: bool,
}

fn main() -> bool {
    let options = options("ahskb", "du [-ahsb] [FILE...]");
    let mut sum = Sum {
        every_file: options.has(b'a'),
        only_sums: options.has(b's'),
        for_people: options.has(b'h'),
        sizes: options.has(b'b'),
        seen: BTreeSet::new(),
        good: true,
    };
    let names = match options.operands.as_slice() {
        [] => &[c"."],
        names => names,
    };
    for name in names {
        sum.file(name, 0);
    }
    sum.good
}

impl Sum {
    /// Adds up a file or a folder, in bytes.
    fn file(&mut self, name: &CStr, depth: usize) -> u64 {
        let stat = match file::lstat(name) {
            Ok(stat) => stat,
            Err(error) => return self.fail(name, &error),
        };
        let folder = stat.mode & S_IFMT == S_IFDIR;
        if !folder && stat.nlink > 1 && !self.seen.insert((stat.dev, stat.ino)) {
            return 0;
        }
        let mut bytes = match self.sizes {
            true => stat.size.max(0) as u64,
            false => stat.blocks.max(0) as u64 * 512,
        };
        if folder && depth == DEPTH {
            return self.fail(name, &"is too deep");
        }
        if folder {
            match entries(name) {
                Ok(names) => {
                    for entry in names {
                        bytes += self.file(&join(name, &entry), depth + 1);
                    }
                }
                Err(error) => drop(self.fail(name, &error)),
            }
        }
        if depth == 0 || !self.only_sums && (folder || self.every_file) {
            self.print(name, bytes);
        }
        bytes
    }

    fn fail(&mut self, name: &CStr, error: &dyn core::fmt::Display) -> u64 {
        complain(name, error);
        self.good = false;
        0
    }

    fn print(&self, name: &CStr, bytes: u64) {
        let size = match (self.for_people, self.sizes) {
            (true, _) => human(bytes),
            (false, true) => format!("{bytes}"),
            (false, false) => format!("{}", bytes.div_ceil(1024)),
        };
        weft::println!("{size}\t{}", Text(name.to_bytes()));
    }
}
