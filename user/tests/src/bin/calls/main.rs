//! `calls`: each call by itself, first as it should be used, then with bad
//! pointers, lengths and handles: the right error, and nothing changed.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod bad;
mod bad_paths;
mod bad_values;
mod basic;
mod descriptors;
mod noise;

weft::program!(main);

fn main() -> i32 {
    weft::check::run(&[
        basic::TESTS,
        descriptors::TESTS,
        bad::TESTS,
        bad_paths::TESTS,
        bad_values::TESTS,
        noise::TESTS,
    ])
}
