//! `mount [-t TYPE] [-o OPTIONS] [-r] SOURCE FOLDER`: puts a file system over a
//! folder; alone, lists what is mounted.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ffi::CStr;
use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::mounts;
use weft::abi::file::*;
use weft::io::Text;
use weft::{Errno, storage};

weft::program!(main);

const USAGE: &str = "mount | mount [-t ext4 | -t tmpfs] [-o ro,OPTION...] [-r] SOURCE FOLDER";

fn main() -> bool {
    let options = options("t:o:r", USAGE);
    let mut flags = if options.has(b'r') { MS_RDONLY } else { 0 };
    for list in options.values(b'o') {
        for option in list.to_bytes().split(|byte| *byte == b',') {
            match flag(option) {
                Some(flag) => flags |= flag,
                None => {
                    complain(
                        list,
                        &"expected options out of ro, rw, noatime, nosuid, nodev, noexec",
                    );
                    return false;
                }
            }
        }
    }
    match options.operands.as_slice() {
        [] => list(),
        [source, target] => mount(
            source,
            target,
            options.value(b't').unwrap_or(c"ext4"),
            flags,
        ),
        _ => misused(USAGE),
    }
}

fn flag(option: &[u8]) -> Option<usize> {
    Some(match option {
        b"rw" | b"defaults" => 0,
        b"ro" => MS_RDONLY,
        b"noatime" => MS_NOATIME,
        b"relatime" => MS_RELATIME,
        b"nosuid" => MS_NOSUID,
        b"nodev" => MS_NODEV,
        b"noexec" => MS_NOEXEC,
        _ => return None,
    })
}

fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: usize) -> bool {
    let result = storage::mount(source, target, kind, flags);
    match result {
        Ok(()) => {}
        Err(Errno::ENODEV) => complain(kind, &"there is no such type of file system"),
        Err(Errno::ENOTBLK) => complain(source, &"is no disk"),
        Err(Errno::EINVAL) => complain(source, &"holds no file system of that type"),
        Err(Errno::EBUSY) => complain(source, &"is in use already"),
        Err(Errno::ENOTDIR) => complain(target, &"is no folder"),
        Err(error) => weft::eprintln!(
            "mount: {} on {}: {error}",
            Text(source.to_bytes()),
            Text(target.to_bytes())
        ),
    }
    result.is_ok()
}

fn list() -> bool {
    let mounts = match mounts::all() {
        Ok(mounts) => mounts,
        Err(error) => {
            complain(c"/proc/mounts", &error);
            return false;
        }
    };
    for mount in mounts {
        let text = [&mount.source, &mount.target, &mount.kind, &mount.options];
        let [source, target, kind, options] = text.map(|text| Text(text.to_bytes()));
        weft::println!("{source} on {target} type {kind} ({options})");
    }
    true
}
