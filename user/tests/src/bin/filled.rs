//! `filled`: a disk that gets full, by data, names and inodes. For a machine with
//! a small disk, where nothing else runs: the current folder lies on it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::abi::signal::SIGBUS;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, storage, tests, wild};

weft::program!(main);

const PAGE: usize = PAGE_SIZE;
const PART: usize = 16 * PAGE;
/// Blocks that the journal's cautions and directories may keep for a while.
const SOME: u64 = 64;

const TESTS: &[Test] = tests![
    data_fill_the_disk,
    synchronous_writes_fill_the_disk,
    folders_fill_the_disk,
    names_fill_the_disk,
    inodes_run_out,
    allocated_room_is_kept,
    a_mapped_page_without_room,
];

fn main() -> i32 {
    check::run(&[TESTS])
}

fn room() -> StatFs {
    let mut statfs = StatFs::default();
    let arguments = [c".".as_ptr() as usize, &raw mut statfs as usize];
    wild::call(call::STATFS, arguments).unwrap();
    statfs
}

fn open(name: &CStr, flags: usize) -> i32 {
    file::open(name, O_RDWR | O_CREAT | O_TRUNC | flags).unwrap()
}

/// What byte number `at` of a file is.
fn byte(at: usize) -> u8 {
    (at / PAGE) as u8 ^ (at % 251) as u8
}

/// Writes until nothing goes any more; how many bytes.
fn fill(fd: i32) -> usize {
    let mut part = [0; PART];
    let mut length = 0;
    loop {
        for (at, place) in part.iter_mut().enumerate() {
            *place = byte(length + at);
        }
        match file::write(fd, &part) {
            Ok(count) => length += count,
            Err(error) => {
                assert_eq!(error, Errno::ENOSPC);
                return length;
            }
        }
    }
}

/// Fills the disk with a file, but for some blocks.
fn fill_but(blocks: u64, name: &CStr) {
    let fd = open(name, 0);
    let length = (room().free_blocks - blocks) as usize * PAGE;
    wild::call(call::FALLOCATE, [fd as usize, 0, 0, length]).unwrap();
    file::close(fd).unwrap();
}

/// Whether a file has the bytes that `fill` writes, as the disk has them.
fn has_all(name: &CStr, length: usize) -> bool {
    check::drop_caches();
    let fd = file::open(name, O_RDONLY).unwrap();
    let mut part = [0; PART];
    let mut at = 0;
    loop {
        let count = file::read_full(fd, &mut part).unwrap();
        let right = |(index, &found): (usize, &u8)| found == byte(at + index);
        if !part[..count].iter().enumerate().all(right) {
            return false;
        }
        at += count;
        if count < PART {
            break;
        }
    }
    file::close(fd).unwrap();
    at == length
}

/// Does it with a file beside that was synced before, and lives through it; the
/// room is there again afterwards.
fn beside_what_is_kept(act: impl FnOnce()) {
    file::mkdir(c"filled").unwrap();
    file::chdir(c"filled").unwrap();
    let kept = open(c"kept", 0);
    for at in 0..100 * PAGE / PART {
        let mut part = [0; PART];
        for (index, place) in part.iter_mut().enumerate() {
            *place = byte(at * PART + index);
        }
        file::write_all(kept, &part).unwrap();
    }
    storage::sync_file(kept).unwrap();
    file::close(kept).unwrap();
    let before = room();
    act();
    assert!(has_all(c"kept", 100 * PAGE / PART * PART));
    let after = room();
    assert!(after.free_blocks + SOME >= before.free_blocks);
    assert_eq!(after.free_files, before.free_files);
    file::unlink(c"kept").unwrap();
    file::chdir(c"..").unwrap();
    file::rmdir(c"filled").unwrap();
}

fn data_fill_the_disk() {
    beside_what_is_kept(|| {
        let mut before = 0;
        // What one takes, the next gets.
        for round in 0..3 {
            let fd = open(c"large", 0);
            let length = fill(fd);
            assert_eq!(storage::sync_file(fd), Ok(()));
            assert!(has_all(c"large", length));
            assert!(round == 0 || length + SOME as usize * PAGE >= before);
            before = length;
            // What has its block can be written over.
            file::seek(fd, 0, SEEK_SET).unwrap();
            assert_eq!(file::write(fd, &[byte(0)]), Ok(1));
            assert_eq!(storage::sync_file(fd), Ok(()));
            file::close(fd).unwrap();
            // Cut off, or gone.
            match round {
                0 => file::close(open(c"large", 0)).unwrap(),
                _ => file::unlink(c"large").unwrap(),
            }
        }
    });
}

fn synchronous_writes_fill_the_disk() {
    beside_what_is_kept(|| {
        fill_but(2000, c"most");
        for flag in [O_SYNC, O_DSYNC] {
            let fd = open(c"large", flag);
            let length = fill(fd);
            assert!(length >= PART);
            file::close(fd).unwrap();
            assert!(has_all(c"large", length));
            file::unlink(c"large").unwrap();
        }
        file::unlink(c"most").unwrap();
    });
}

fn path(kind: &str, number: usize) -> CString {
    CString::new(format!("names/{kind}-{number}")).unwrap()
}

/// Calls `make` with one number after the other until there is no space.
fn make_all(mut make: impl FnMut(usize) -> Result<(), Errno>) -> usize {
    let mut count = 0;
    loop {
        match make(count) {
            Ok(()) => count += 1,
            Err(error) => {
                assert_eq!(error, Errno::ENOSPC);
                return count;
            }
        }
    }
}

fn folders_fill_the_disk() {
    beside_what_is_kept(|| {
        file::mkdir(c"names").unwrap();
        fill_but(500, c"most");
        let make = |number| file::mkdir(&path("folder", number));
        let count = make_all(make);
        assert!(count >= 400, "{count}");
        wild::call(call::SYNC, []).unwrap();
        check::drop_caches();
        // Room for one is room for one.
        file::rmdir(&path("folder", count - 1)).unwrap();
        file::mkdir(&path("folder", count - 1)).unwrap();
        for number in 0..count {
            file::rmdir(&path("folder", number)).unwrap();
        }
        file::rmdir(c"names").unwrap();
        file::unlink(c"most").unwrap();
    });
}

fn names_fill_the_disk() {
    let path = |number: usize| {
        let end = "-and-so-on".repeat(23);
        CString::new(format!("names/{number}{end}")).unwrap()
    };
    beside_what_is_kept(|| {
        file::mkdir(c"names").unwrap();
        fill_but(200, c"most");
        let count = make_all(|number| file::link(c"kept", &path(number)));
        assert!(count >= 1500, "{count}");
        let links = file::stat(c"kept").unwrap().nlink as usize;
        assert_eq!(links, count + 1);
        wild::call(call::SYNC, []).unwrap();
        check::drop_caches();
        for number in 0..count {
            file::unlink(&path(number)).unwrap();
        }
        file::rmdir(c"names").unwrap();
        file::unlink(c"most").unwrap();
    });
}

fn inodes_run_out() {
    beside_what_is_kept(|| {
        file::mkdir(c"names").unwrap();
        let before = room().free_files as usize;
        let make = |number| file::close(file::open(&path("file", number), O_WRONLY | O_CREAT)?);
        let count = make_all(make);
        assert_eq!((count, room().free_files), (before, 0));
        let made = [file::mkdir(c"more"), file::symlink(c"kept", c"more")];
        assert_eq!(made, [Err(Errno::ENOSPC); 2]);
        // There is room for data.
        let fd = file::open(&path("file", 0), O_WRONLY).unwrap();
        file::write_all(fd, &[1; PAGE]).unwrap();
        assert_eq!(storage::sync_file(fd), Ok(()));
        file::close(fd).unwrap();
        for number in 0..count {
            file::unlink(&path("file", number)).unwrap();
        }
        file::rmdir(c"names").unwrap();
    });
}

fn allocated_room_is_kept() {
    beside_what_is_kept(|| {
        let fd = open(c"allocated", 0);
        let allocate = |length| wild::call(call::FALLOCATE, [fd as usize, 0, 0, length]).map(drop);
        let free = room().free_blocks as usize;
        assert_eq!(allocate((free + 1) * PAGE), Err(Errno::ENOSPC));
        assert_eq!(file::fstat(fd).unwrap().size, 0);
        let length = free / 2 * PAGE / PART * PART;
        allocate(length).unwrap();
        let other = open(c"other", 0);
        fill(other);
        for at in (0..length).step_by(PART) {
            let mut part = [0; PART];
            for (index, place) in part.iter_mut().enumerate() {
                *place = byte(at + index);
            }
            file::write_all(fd, &part).unwrap();
        }
        assert_eq!(storage::sync_file(fd), Ok(()));
        assert!(has_all(c"allocated", length));
        for fd in [fd, other] {
            file::close(fd).unwrap();
        }
        file::unlink(c"allocated").unwrap();
        file::unlink(c"other").unwrap();
    });
}

fn a_mapped_page_without_room() {
    beside_what_is_kept(|| {
        let fd = open(c"mapped", 0);
        file::write_all(fd, &[1; PAGE]).unwrap();
        file::truncate(fd, 2 * PAGE as u64).unwrap();
        storage::sync_file(fd).unwrap();
        let rights = PROT_READ | PROT_WRITE;
        let arguments = [0, 2 * PAGE, rights, MAP_SHARED, fd as usize, 0];
        let base = wild::call(call::MMAP, arguments).unwrap();
        let other = open(c"other", 0);
        fill(other);
        storage::sync_file(other).unwrap();
        let store = |at: usize| check::in_child(move || wild::store(base + at, 7));
        assert_eq!(store(PAGE), Ended::Signaled(SIGBUS as u8));
        // A hole can be read, and what has a block be written.
        assert_eq!(wild::load(base + PAGE), 0);
        // What nobody uses any more is freed before the answer is no.
        file::unlink(c"other").unwrap();
        file::close(other).unwrap();
        assert_eq!(store(PAGE), Ended::Exited(0));
        assert_eq!(store(0), Ended::Exited(0));
        storage::sync_file(fd).unwrap();
        assert_eq!((wild::load(base), wild::load(base + PAGE)), (7, 7));
        wild::unmap(base, 2 * PAGE).unwrap();
        file::close(fd).unwrap();
        file::unlink(c"mapped").unwrap();
    });
}
