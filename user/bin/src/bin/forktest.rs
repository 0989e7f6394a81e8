//! `forktest`: forks until it fails or there are a thousand children, and waits
//! for every one of them.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::{Errno, process};

weft::program!(main);

const MOST: usize = 1000;

fn main() -> i32 {
    let mut count = 0;
    let stopped = loop {
        if count == MOST {
            break None;
        }
        match process::fork() {
            Ok(Some(_)) => count += 1,
            Ok(None) => return 0,
            Err(error) => break Some(error),
        }
    };
    for i in 0..count {
        if let Err(error) = process::wait() {
            weft::eprintln!("forktest: child {i} of {count} is lost: {error}");
            return 1;
        }
    }
    if process::wait() != Err(Errno::ECHILD) {
        weft::eprintln!("forktest: more children than were made");
        return 1;
    }
    match stopped {
        Some(error) => weft::println!("forktest: {count} children, then: {error}"),
        None => weft::println!("forktest: {count} children, all waited for"),
    }
    0
}
