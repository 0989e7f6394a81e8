//! `free [-bkmh]`: the machine's memory, in KiB unless told otherwise.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use user_bin::size::human;
use user_bin::system::arguments::{misused, options};
use weft::{Errno, process};

weft::program!(main);

const USAGE: &str = "free [-b | -k | -m | -h]";

fn main() -> Result<(), Errno> {
    let options = options("bkmh", USAGE);
    if !options.operands.is_empty() {
        misused(USAGE)
    }
    let shown = |bytes: u64| -> String {
        match () {
            _ if options.has(b'h') => human(bytes),
            _ if options.has(b'b') => format!("{bytes}"),
            _ if options.has(b'm') => format!("{}", bytes >> 20),
            _ => format!("{}", bytes >> 10),
        }
    };
    let system = process::system()?;
    let unit = u64::from(system.mem_unit.max(1));
    let (total, free) = (system.totalram * unit, system.freeram * unit);
    weft::println!("        {:>12} {:>12} {:>12}", "total", "used", "free");
    weft::println!(
        "memory: {:>12} {:>12} {:>12}",
        shown(total),
        shown(total.saturating_sub(free)),
        shown(free)
    );
    Ok(())
}
