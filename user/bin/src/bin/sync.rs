//! `sync [FILE…]`: waits until all that was written, or those files, are on
//! their disks.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::options;
use user_bin::system::input;
use weft::storage;

weft::program!(main);

fn main() -> bool {
    let options = options("", "sync [FILE...]");
    if options.operands.is_empty() {
        storage::sync();
        return true;
    }
    input::each(&options.operands, |_, fd| storage::sync_file(fd))
}
