//! `head [-n LINES | -c BYTES] [FILE…]`: the first ten lines, or as many as
//! said, of each file.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::{number, options};
use user_bin::system::input;
use weft::io::{Lines, Text, Writer};
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "head [-n LINES | -c BYTES] [FILE...]";

fn main() -> bool {
    let options = options("n:c:#", USAGE);
    let count = options.value(b'n').or(options.value(b'#'));
    let count = count.map_or(10, |word| number(word, USAGE));
    let bytes = options.value(b'c').map(|word| number(word, USAGE));
    let titled = options.operands.len() > 1;
    let mut first = true;
    input::each(&options.operands, |name, fd| {
        if titled {
            let before = if first { "" } else { "\n" };
            weft::println!("{before}==> {} <==", Text(name.to_bytes()));
            first = false;
        }
        match bytes {
            Some(count) => copy_bytes(fd, count),
            None => copy_lines(fd, count),
        }
    })
}

fn copy_lines(fd: i32, count: usize) -> Result<(), Errno> {
    let mut out = Writer::<4096>::new(file::STDOUT);
    let mut lines = Lines::new(fd);
    for _ in 0..count {
        match lines.next_line()? {
            Some(line) => out.write(line),
            None => break,
        }
    }
    out.flush()
}

fn copy_bytes(fd: i32, mut count: usize) -> Result<(), Errno> {
    let mut buffer = [0; 4096];
    while count > 0 {
        let part = count.min(buffer.len());
        match file::read(fd, &mut buffer[..part])? {
            0 => break,
            length => {
                file::write_all(file::STDOUT, &buffer[..length])?;
                count -= length;
            }
        }
    }
    Ok(())
}
