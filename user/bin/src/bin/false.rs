//! Ends with status 1.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

weft::program!(main);

fn main() -> i32 {
    1
}
