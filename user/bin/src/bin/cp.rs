//! `cp [-rpa] SOURCE TARGET` and `cp [-rpa] SOURCE… FOLDER`: copies files, and
//! with `-r` folders; `-p` keeps modes and times, `-a` is both.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::{all_good, complain, misused, options};
use user_bin::system::copy::Copy;
use user_bin::system::folder::{destination, is_folder};

weft::program!(main);

const USAGE: &str = "cp [-rpa] SOURCE TARGET | cp [-rpa] SOURCE... FOLDER";

fn main() -> bool {
    let options = options("rRpa", USAGE);
    let Some((target, sources)) = options.operands.split_last() else {
        misused(USAGE)
    };
    match sources {
        [] => misused(USAGE),
        [_, _, ..] if !is_folder(target) => {
            complain(target, &"is no folder, and there are several sources");
            return false;
        }
        _ => {}
    }
    let copy = Copy {
        recursive: options.has(b'r') || options.has(b'R') || options.has(b'a'),
        preserve: options.has(b'p') || options.has(b'a'),
    };
    all_good(sources.iter(), |source| {
        copy.run(source, &destination(source, target))
    })
}
