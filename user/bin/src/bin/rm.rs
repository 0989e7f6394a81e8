//! `rm [-rf] FILE…`: removes names of files, and empty folders; with `-r` what is
//! in the folders, too; with `-f` it is no error if there is none.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::remove;
use weft::Errno;

weft::program!(main);

const USAGE: &str = "rm [-rf] FILE...";

fn main() -> bool {
    let options = options("rRf", USAGE);
    let (recursive, force) = (options.has(b'r') || options.has(b'R'), options.has(b'f'));
    if options.operands.is_empty() && !force {
        misused(USAGE)
    }
    let mut good = true;
    for name in options.operands {
        let result = match recursive {
            true => remove::all(name),
            false => remove::one(name),
        };
        match result {
            Err(Errno::ENOENT) if force => {}
            Err(error) => {
                complain(name, &error);
                good = false;
            }
            Ok(()) => {}
        }
    }
    good
}
