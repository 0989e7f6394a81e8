//! A program's arguments, and what it says of its mistakes.

use crate::options::{Error, Options};
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt::Display;
use weft::io::Text;
use weft::process;

/// The options that `known` names (see [`Options::parse`]). `--help` prints
/// `usage` and ends the program with 0, a mistake prints it and ends with 2.
pub fn options(known: &str, usage: &str) -> Options<'static> {
    let words: Vec<&CStr> = weft::args().skip(1).collect();
    match Options::parse(&words, known) {
        Ok(options) => options,
        Err(Error::Help) => {
            weft::println!("usage: {usage}");
            process::exit(0)
        }
        Err(error) => {
            weft::eprintln!("{}: {error}", weft::args::name());
            misused(usage)
        }
    }
}

/// Ends the program after wrong arguments.
pub fn misused(usage: &str) -> ! {
    weft::eprintln!("usage: {usage}");
    process::exit(2)
}

/// A whole number, or the program ends with a message.
pub fn number(word: &CStr, usage: &str) -> usize {
    match word.to_str().ok().and_then(|word| word.parse().ok()) {
        Some(number) => number,
        None => {
            complain(word, &"expected a number");
            misused(usage)
        }
    }
}

/// Prints `PROGRAM: NAME: what is wrong`.
pub fn complain(name: &CStr, error: &dyn Display) {
    weft::eprintln!("{}: {}: {error}", weft::args::name(), Text(name.to_bytes()));
}

/// Does it for each, also after a failure; whether all succeeded.
pub fn all_good<T>(each: impl Iterator<Item = T>, mut body: impl FnMut(T) -> bool) -> bool {
    let mut good = true;
    for one in each {
        good &= body(one);
    }
    good
}
