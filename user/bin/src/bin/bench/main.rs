//! `bench [--quick] [NAME…]`: what each operation costs, as lines `NAME VALUE`
//! in nanoseconds (bandwidths in MB/s). Under an emulator that counts one
//! nanosecond per instruction the values are instructions.
//!
//! Each operation runs in several batches; the cheapest batch counts, less what
//! an empty loop costs. What the system lacks is reported on standard error.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod calls;
mod files;
mod measure;
mod memory;
mod processes;
mod switches;
mod threads;

use measure::Bench;

weft::program!(main);

fn main() -> i32 {
    let words: alloc::vec::Vec<_> = weft::args()
        .skip(1)
        .filter_map(|word| word.to_str().ok())
        .collect();
    let quick = words.contains(&"--quick");
    let names = words
        .into_iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let mut bench = Bench::new(quick, names);
    calls::run(&mut bench);
    threads::run(&mut bench);
    switches::run(&mut bench);
    processes::run(&mut bench);
    memory::run(&mut bench);
    files::run(&mut bench);
    0
}
