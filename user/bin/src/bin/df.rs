//! `df [-hi] [FILE…]`: how full the file systems are that are mounted, or those
//! that hold the files; in KiB, `-h` for people, `-i` counts files.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use core::ffi::CStr;
use user_bin::options::Options;
use user_bin::size::human;
use user_bin::system::arguments::{all_good, complain, options};
use user_bin::system::mounts::{self, Mount};
use weft::abi::file::StatFs;
use weft::io::Text;
use weft::{file, storage};

weft::program!(main);

fn main() -> bool {
    let options = options("hik", "df [-hi] [FILE...]");
    let mounts = match mounts::all() {
        Ok(mounts) => mounts,
        Err(error) => {
            complain(c"/proc/mounts", &error);
            return false;
        }
    };
    let (size, used) = match options.has(b'i') {
        true => ("FILES", "USED"),
        false if options.has(b'h') => ("SIZE", "USED"),
        false => ("KIB", "USED"),
    };
    weft::println!(
        "{:<16} {size:>10} {used:>10} {:>10} {:>4} ON",
        "SOURCE",
        "FREE",
        "USE"
    );
    if options.operands.is_empty() {
        return all_good(mounts.iter(), |mount| line(&mount.target, mount, &options));
    }
    all_good(options.operands.iter(), |name| {
        match holder(name, &mounts) {
            Some(mount) => line(name, mount, &options),
            None => {
                let error = file::stat(name).err().unwrap_or(weft::Errno::ENOENT);
                complain(name, &error);
                false
            }
        }
    })
}

/// The mount that a file is on: the last one of the same device.
fn holder<'m>(name: &CStr, mounts: &'m [Mount]) -> Option<&'m Mount> {
    let device = file::stat(name).ok()?.dev;
    let same = |mount: &&Mount| file::stat(&mount.target).is_ok_and(|stat| stat.dev == device);
    mounts.iter().rev().find(same).or(mounts.first())
}

fn line(name: &CStr, mount: &Mount, options: &Options<'_>) -> bool {
    let found = match storage::statistics(name) {
        Ok(found) => found,
        Err(error) => {
            complain(name, &error);
            return false;
        }
    };
    let figures = match options.has(b'i') {
        true => [
            found.files,
            found.files - found.free_files.min(found.files),
            found.free_files,
        ]
        .map(|count| format!("{count}")),
        false => blocks(&found).map(|bytes| shown(bytes, options.has(b'h'))),
    };
    let [size, used, free] = figures;
    let percent = percent(&found, options.has(b'i'));
    let text = |text: &CString| format!("{}", Text(text.to_bytes()));
    weft::println!(
        "{:<16} {size:>10} {used:>10} {free:>10} {percent:>4} {}",
        text(&mount.source),
        text(&mount.target)
    );
    true
}

/// All bytes, those used and those a user can still have.
fn blocks(found: &StatFs) -> [u64; 3] {
    let used = found.blocks.saturating_sub(found.free_blocks);
    let block = found.block_size.max(1) as u64;
    [found.blocks, used, found.available_blocks].map(|count| count.saturating_mul(block))
}

fn shown(bytes: u64, for_people: bool) -> String {
    match for_people {
        true => human(bytes),
        false => format!("{}", bytes.div_ceil(1024)),
    }
}

/// Of what users can have, rounded up; `-` where there is no limit.
fn percent(found: &StatFs, files: bool) -> String {
    let (used, free) = match files {
        true => (
            found.files.saturating_sub(found.free_files),
            found.free_files,
        ),
        false => (
            found.blocks.saturating_sub(found.free_blocks),
            found.available_blocks,
        ),
    };
    match u128::from(used) + u128::from(free) {
        0 => "-".into(),
        all => format!("{}%", (u128::from(used) * 100).div_ceil(all)),
    }
}
