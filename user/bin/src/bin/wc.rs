//! `wc [-lwc] [FILE…]`: counts lines, words and bytes, or only what is asked for.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::options::Options;
use user_bin::system::arguments::options;
use user_bin::system::input;
use weft::io::Text;
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "wc [-lwc] [FILE...]";

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

fn main() -> bool {
    let options = options("lwc", USAGE);
    let mut total = Counts::default();
    let good = input::each(&options.operands, |name, fd| {
        let counts = count(fd)?;
        // The standard input has no name, if nobody gave it one.
        let named = !options.operands.is_empty();
        report(&options, counts, named.then_some(name.to_bytes()));
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
        Ok(())
    });
    if options.operands.len() > 1 {
        report(&options, total, Some(b"total"));
    }
    good
}

fn report(options: &Options<'_>, counts: Counts, name: Option<&[u8]>) {
    let all = [
        (b'l', counts.lines),
        (b'w', counts.words),
        (b'c', counts.bytes),
    ];
    let every = !all.iter().any(|(letter, _)| options.has(*letter));
    let wanted = all
        .iter()
        .filter(|(letter, _)| every || options.has(*letter));
    for (at, (_, count)) in wanted.enumerate() {
        let blank = if at == 0 { "" } else { " " };
        weft::print!("{blank}{count}");
    }
    match name {
        Some(name) => weft::println!(" {}", Text(name)),
        None => weft::println!(),
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
