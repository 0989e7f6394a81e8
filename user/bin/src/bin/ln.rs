//! `ln [-s] OLD NEW`: another name for a file, or with `-s` a symbolic link.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::file;
use weft::io::Text;

weft::program!(main);

fn main() -> i32 {
    let mut args = weft::args().skip(1).peekable();
    let make = match args.next_if(|arg| *arg == c"-s") {
        Some(_) => file::symlink,
        None => file::link,
    };
    let (Some(old), Some(new), None) = (args.next(), args.next(), args.next()) else {
        weft::eprintln!("usage: ln [-s] OLD NEW");
        return 2;
    };
    match make(old, new) {
        Ok(()) => 0,
        Err(error) => {
            let (old, new) = (Text(old.to_bytes()), Text(new.to_bytes()));
            weft::eprintln!("ln: {old} as {new}: {error}");
            1
        }
    }
}
