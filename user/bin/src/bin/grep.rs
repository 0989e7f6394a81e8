//! `grep PATTERN [FILE…]`: prints the lines that match; see
//! `user_bin::pattern`. Status 0 if there was one, 1 if not, 2 on an error.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use user_bin::pattern::Pattern;
use weft::io::{Lines, Text, Writer};
use weft::{Errno, abi, file};

weft::program!(main);

fn main() -> i32 {
    let mut args = weft::args().skip(1);
    let Some(pattern) = args.next() else {
        weft::eprintln!("usage: grep PATTERN [FILE...]");
        return 2;
    };
    let pattern = Pattern::new(pattern.to_bytes());
    let names: alloc::vec::Vec<_> = args.collect();
    let mut out = Writer::new(1);
    if names.is_empty() {
        return status(search(&pattern, file::STDIN, b"", &mut out));
    }
    let mut worst = 1;
    for name in &names {
        let prefix = if names.len() > 1 {
            name.to_bytes()
        } else {
            b""
        };
        let result = file::open(name, abi::file::O_RDONLY).and_then(|fd| {
            let result = search(&pattern, fd, prefix, &mut out);
            file::close(fd).and(result)
        });
        if let Err(error) = result {
            let _ = out.flush();
            weft::eprintln!("grep: {}: {error}", Text(name.to_bytes()));
            worst = 2;
        } else if result == Ok(true) && worst == 1 {
            worst = 0;
        }
    }
    if out.flush().is_ok() { worst } else { 2 }
}

fn status(result: Result<bool, Errno>) -> i32 {
    match result {
        Ok(found) => !found as i32,
        Err(error) => {
            weft::eprintln!("grep: {error}");
            2
        }
    }
}

fn search(pattern: &Pattern, fd: i32, prefix: &[u8], out: &mut Writer) -> Result<bool, Errno> {
    let mut lines = Lines::new(fd);
    let mut found = false;
    while let Some(line) = lines.next_line()? {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if pattern.matches(line) {
            found = true;
            if !prefix.is_empty() {
                out.write(prefix);
                out.write(b":");
            }
            out.write(line);
            out.write(b"\n");
        }
    }
    out.flush().map(|()| found)
}
