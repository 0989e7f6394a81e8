//! `mv [-n] SOURCE TARGET` and `mv [-n] SOURCE… FOLDER`: renames files and
//! folders; between file systems, copies and removes. `-n` replaces nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ffi::CStr;
use user_bin::system::arguments::{all_good, complain, misused, options};
use user_bin::system::copy::Copy;
use user_bin::system::folder::{destination, is_folder};
use user_bin::system::remove;
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "mv [-n] SOURCE TARGET | mv [-n] SOURCE... FOLDER";

fn main() -> bool {
    let options = options("fn", USAGE);
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
    all_good(sources.iter(), |source| {
        let to = destination(source, target);
        if options.has(b'n') && file::lstat(&to).is_ok() {
            return true;
        }
        move_one(source, &to)
    })
}

fn move_one(source: &CStr, target: &CStr) -> bool {
    let same =
        |a: weft::abi::file::Stat, b: weft::abi::file::Stat| (a.dev, a.ino) == (b.dev, b.ino);
    match (file::lstat(source), file::lstat(target)) {
        (Ok(a), Ok(b)) if same(a, b) => {
            complain(source, &"is the same file as the target");
            return false;
        }
        _ => {}
    }
    match file::rename(source, target) {
        Ok(()) => true,
        Err(Errno::EXDEV) => across(source, target),
        Err(Errno::EINVAL) => {
            complain(source, &"cannot be moved into itself");
            false
        }
        Err(error) => {
            complain(source, &error);
            false
        }
    }
}

/// To another file system. What is in the way is replaced, unless it is a
/// folder with something in it; the source stays if not all of it arrived.
fn across(source: &CStr, target: &CStr) -> bool {
    match remove::one(target) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => {
            complain(target, &error);
            return false;
        }
    }
    let copy = Copy {
        recursive: true,
        preserve: true,
    };
    if !copy.run(source, target) {
        return false;
    }
    let removed = remove::all(source);
    if let Err(error) = removed {
        complain(source, &error);
    }
    removed.is_ok()
}
