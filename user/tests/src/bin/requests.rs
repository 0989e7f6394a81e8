//! `requests`: what files cost in requests to the disk, which is all that counts
//! on a slow one. For a machine with one disk, where nothing else runs: the
//! current folder lies on it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use weft::abi::file::*;
use weft::check::Test;
use weft::{call, check, file, tests, wild};

weft::program!(main);

/// Bytes of the files.
const SIZE: usize = 8 << 20;
const PAGE: usize = 4096;

const TESTS: &[Test] = tests![
    reading_what_is_in_memory_asks_no_disk,
    reading_in_order_reads_ahead,
    neighbours_are_written_together,
    fsync_means_on_disk,
    writes_may_be_synchronous,
    a_disk_as_a_file_is_flushed,
];

fn main() -> i32 {
    check::run(&[TESTS])
}

/// Requests since boot, and sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    reads: u64,
    sectors_read: u64,
    writes: u64,
    flushes: u64,
}

impl Count {
    fn since(self, before: Count) -> Count {
        Count {
            reads: self.reads - before.reads,
            sectors_read: self.sectors_read - before.sectors_read,
            writes: self.writes - before.writes,
            flushes: self.flushes - before.flushes,
        }
    }
}

fn count() -> Count {
    let mut text = [0; 512];
    let fd = file::open(c"/proc/diskstats", O_RDONLY).unwrap();
    let length = file::read_full(fd, &mut text).unwrap();
    file::close(fd).unwrap();
    let text = core::str::from_utf8(&text[..length]).unwrap();
    let words: Vec<&str> = text
        .lines()
        .next()
        .unwrap()
        .split_ascii_whitespace()
        .collect();
    assert_eq!((words[2], words.len()), ("vda", 20));
    let number = |index: usize| words[index].parse().unwrap();
    Count {
        reads: number(3),
        sectors_read: number(5),
        writes: number(7),
        flushes: number(18),
    }
}

/// What `act` costs, once all it needs besides is in memory.
fn cost(mut act: impl FnMut()) -> Count {
    let before = count();
    act();
    count().since(before)
}

fn sync() {
    wild::call(call::SYNC, []).unwrap();
}

fn write(fd: i32) {
    for _ in 0..SIZE / PAGE {
        file::write_all(fd, &[7; PAGE]).unwrap();
    }
}

fn read(fd: i32) {
    let mut page = [0; PAGE];
    file::seek(fd, 0, SEEK_SET).unwrap();
    for _ in 0..SIZE / PAGE {
        assert_eq!(file::read_full(fd, &mut page), Ok(PAGE));
    }
}

fn make() -> i32 {
    let fd = file::open(c"requests-test", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    write(fd);
    fd
}

fn remove(fd: i32) {
    file::close(fd).unwrap();
    file::unlink(c"requests-test").unwrap();
}

fn reading_what_is_in_memory_asks_no_disk() {
    let fd = make();
    sync();
    let act = || {
        read(fd);
        assert_eq!(file::stat(c"requests-test").unwrap().size, SIZE as i64);
        assert!(file::stat(c"no-such-file").is_err());
    };
    act();
    let nothing = cost(|| ());
    assert_eq!(cost(act), nothing);
    remove(fd);
}

fn reading_in_order_reads_ahead() {
    let fd = make();
    check::drop_caches();
    // This program's own pages come back first.
    count();
    let cold = cost(|| read(fd));
    assert!(cold.sectors_read >= SIZE as u64 / 512, "{cold:?}");
    assert!(cold.sectors_read < SIZE as u64 / 512 + 1024, "{cold:?}");
    assert!(cold.reads < 60, "{cold:?}");
    remove(fd);
}

fn neighbours_are_written_together() {
    let fd = make();
    let written = cost(|| {
        wild::call(call::FSYNC, [fd as usize]).unwrap();
    });
    assert!(written.writes < 60, "{written:?}");
    remove(fd);
}

fn fsync_means_on_disk() {
    let fd = make();
    let fsync = || {
        wild::call(call::FSYNC, [fd as usize]).unwrap();
    };
    assert!(cost(fsync).flushes >= 1);
    // What is on the disk already costs nothing.
    assert_eq!(cost(fsync).writes, 0);
    file::write_all(fd, b"more").unwrap();
    let more = cost(|| {
        wild::call(call::FDATASYNC, [fd as usize]).unwrap();
    });
    assert!(more.writes >= 1 && more.flushes >= 1, "{more:?}");
    remove(fd);
}

fn writes_may_be_synchronous() {
    for flag in [O_SYNC, O_DSYNC] {
        let flags = O_RDWR | O_CREAT | O_TRUNC | flag;
        let fd = file::open(c"requests-test", flags).unwrap();
        for _ in 0..3 {
            let one = cost(|| file::write_all(fd, b"line\n").unwrap());
            assert!(one.writes >= 1 && one.flushes >= 1, "{one:?}");
        }
        remove(fd);
    }
}

/// Writes the last page of the disk, which belongs to no file, as it is.
fn rewrite_last_page(fd: i32) {
    let mut page = [0; PAGE];
    let end = file::seek(fd, 0, SEEK_END).unwrap();
    let last = end as i64 - PAGE as i64;
    file::seek(fd, last, SEEK_SET).unwrap();
    assert_eq!(file::read_full(fd, &mut page), Ok(PAGE));
    file::seek(fd, last, SEEK_SET).unwrap();
    file::write_all(fd, &page).unwrap();
}

fn a_disk_as_a_file_is_flushed() {
    let open = |flags| file::open(c"/dev/vda", O_RDWR | flags).unwrap();
    let is_durable = |cost: Count| assert!(cost.writes >= 1 && cost.flushes >= 1, "{cost:?}");
    // Nothing else is left to be written.
    sync();
    let fd = open(0);
    rewrite_last_page(fd);
    is_durable(cost(sync));
    // Once is enough.
    assert_eq!(cost(sync).flushes, 0);
    rewrite_last_page(fd);
    is_durable(cost(|| {
        wild::call(call::FSYNC, [fd as usize]).unwrap();
    }));
    rewrite_last_page(fd);
    is_durable(cost(|| {
        wild::call(call::FDATASYNC, [fd as usize]).unwrap();
    }));
    rewrite_last_page(fd);
    is_durable(cost(|| file::close(fd).unwrap()));
    let fd = open(O_SYNC);
    is_durable(cost(|| rewrite_last_page(fd)));
    file::close(fd).unwrap();
}
