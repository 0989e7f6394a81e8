//! `date [+FORMAT]`: the time now, in UTC. FORMAT has the conversions of
//! POSIX's date, such as `%Y-%m-%d`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use user_bin::calendar;
use user_bin::system::arguments::{complain, misused, options};
use weft::abi::time::CLOCK_REALTIME;
use weft::{Errno, time};

weft::program!(main);

const USAGE: &str = "date [+FORMAT]";

fn main() -> Result<(), Errno> {
    let options = options("u", USAGE);
    let (word, format) = match options.operands.as_slice() {
        [] => (c"", Some("%a %b %e %T UTC %Y")),
        [word] => (
            *word,
            word.to_str().ok().and_then(|word| word.strip_prefix('+')),
        ),
        _ => misused(USAGE),
    };
    let seconds = time::clock(CLOCK_REALTIME)? / 1_000_000_000;
    let mut text = String::new();
    let written = format.and_then(|format| calendar::write(seconds as i64, format, &mut text));
    if written.is_none() {
        complain(word, &"is no format that is known");
        misused(USAGE)
    }
    weft::println!("{text}");
    Ok(())
}
