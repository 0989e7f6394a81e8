//! Ends with status 0.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

weft::program!(main);

fn main() -> i32 {
    0
}
