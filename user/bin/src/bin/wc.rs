//! `wc [FILE…]`: counts lines, words and bytes.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::io::Text;
use weft::{Errno, abi, file};

weft::program!(main);

#[derive(Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

fn main() -> bool {
    let names = weft::args().skip(1);
    if names.clone().next().is_none() {
        return report(c"", count(file::STDIN)).is_some();
    }
    let mut total = Counts::default();
    let (mut files, mut good) = (0, true);
    for name in names {
        let counts = file::open(name, abi::file::O_RDONLY).and_then(|fd| {
            let counts = count(fd);
            file::close(fd).and(counts)
        });
        files += 1;
        match report(name, counts) {
            Some(counts) => {
                total.lines += counts.lines;
                total.words += counts.words;
                total.bytes += counts.bytes;
            }
            None => good = false,
        }
    }
    if files > 1 {
        report(c"total", Ok(total));
    }
    good
}

fn report(title: &core::ffi::CStr, counts: Result<Counts, Errno>) -> Option<Counts> {
    let name = Text(title.to_bytes());
    match counts {
        Ok(counts) => {
            let blank = if title.is_empty() { "" } else { " " };
            weft::println!(
                "{} {} {}{blank}{name}",
                counts.lines,
                counts.words,
                counts.bytes
            );
            Some(counts)
        }
        Err(error) => {
            weft::eprintln!("wc: {name}: {error}");
            None
        }
    }
}

fn count(fd: i32) -> Result<Counts, Errno> {
    let mut counts = Counts::default();
    let mut buffer = [0; 4096];
    let mut in_word = false;
    loop {
        let bytes = match file::read(fd, &mut buffer)? {
            0 => return Ok(counts),
            n => &buffer[..n],
        };
        counts.bytes += bytes.len() as u64;
        for byte in bytes {
            counts.lines += (*byte == b'\n') as u64;
            let blank = byte.is_ascii_whitespace();
            counts.words += (!blank && !in_word) as u64;
            in_word = !blank;
        }
    }
}
