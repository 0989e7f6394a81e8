//! `zombie`: leaves a child that has ended and not been waited for, while it
//! sleeps: `zombie & ps` shows it. When it ends itself, init collects the child.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::{Errno, process, time};

weft::program!(main);

fn main() -> Result<(), Errno> {
    if process::fork()?.is_some() {
        time::sleep(5_000_000_000)?;
    }
    Ok(())
}
