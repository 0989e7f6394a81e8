//! `umount FOLDER…`: takes file systems away from folders, all written back.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::{all_good, complain, misused, options};
use weft::{Errno, storage};

weft::program!(main);

const USAGE: &str = "umount FOLDER...";

fn main() -> bool {
    let options = options("", USAGE);
    if options.operands.is_empty() {
        misused(USAGE)
    }
    all_good(options.operands.iter(), |name| {
        let result = storage::unmount(name);
        match result {
            Ok(()) => {}
            Err(Errno::EBUSY) => complain(name, &"files on it are in use"),
            Err(Errno::EINVAL) => complain(name, &"nothing is mounted there"),
            Err(error) => complain(name, &error),
        }
        result.is_ok()
    })
}
