//! `touch [-cam] [-r FILE | -d SECONDS] FILE…`: sets the times of files to now,
//! to those of another file, or to a time since 1970; makes those that are not
//! there, unless `-c`.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ffi::CStr;
use user_bin::system::arguments::{all_good, complain, misused, number, options};
use weft::abi::file::*;
use weft::abi::time::Timespec;
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "touch [-cam] [-r FILE | -d SECONDS] FILE...";

fn main() -> bool {
    let options = options("camr:d:", USAGE);
    if options.operands.is_empty() {
        misused(USAGE)
    }
    let now = Timespec {
        sec: 0,
        nsec: UTIME_NOW,
    };
    let mut times = [now; 2];
    if let Some(seconds) = options.value(b'd') {
        let sec = i64::try_from(number(seconds, USAGE)).unwrap_or(i64::MAX);
        times = [Timespec { sec, nsec: 0 }; 2];
    }
    if let Some(name) = options.value(b'r') {
        match file::stat(name) {
            Ok(stat) => times = times_of(&stat),
            Err(error) => {
                complain(name, &error);
                return false;
            }
        }
    }
    for (letter, other) in [(b'a', 1), (b'm', 0)] {
        if options.has(letter) && !(options.has(b'a') && options.has(b'm')) {
            times[other].nsec = UTIME_OMIT;
        }
    }
    all_good(options.operands.iter(), |name| {
        let result = touch(name, times, !options.has(b'c'));
        if let Err(error) = result {
            complain(name, &error);
        }
        result.is_ok()
    })
}

fn times_of(stat: &Stat) -> [Timespec; 2] {
    [(stat.atime, stat.atime_nsec), (stat.mtime, stat.mtime_nsec)]
        .map(|(sec, nsec)| Timespec { sec, nsec })
}

fn touch(name: &CStr, times: [Timespec; 2], make: bool) -> Result<(), Errno> {
    match file::set_times(name, times) {
        Err(Errno::ENOENT) if make => {
            file::close(file::create(name, O_WRONLY, 0o666)?)?;
            file::set_times(name, times)
        }
        Err(Errno::ENOENT) => Ok(()),
        result => result,
    }
}
