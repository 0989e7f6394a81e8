//! `mkdir FOLDER…`: makes folders.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::file;
use weft::io::Text;

weft::program!(main);

fn main() -> i32 {
    let mut names = weft::args().skip(1).peekable();
    if names.peek().is_none() {
        weft::eprintln!("usage: mkdir FOLDER...");
        return 2;
    }
    let mut code = 0;
    for name in names {
        if let Err(error) = file::mkdir(name) {
            weft::eprintln!("mkdir: {}: {error}", Text(name.to_bytes()));
            code = 1;
        }
    }
    code
}
