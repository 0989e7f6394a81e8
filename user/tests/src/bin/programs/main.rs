//! `programs`: the shell and the other programs of `/bin`, by scripts that
//! stand beside this file with what they are to print, on both outputs.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod script;
mod shell;
mod tools;

use weft::check;

weft::program!(main);

fn main() -> i32 {
    check::run(&[shell::TESTS, tools::TESTS])
}
