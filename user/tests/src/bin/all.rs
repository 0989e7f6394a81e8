#![no_std]
#![no_main]
weft::program!(main);
fn main() {}
