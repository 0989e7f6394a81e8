//! The break among threads, and memory that goes while a peer uses it.

use crate::shared::*;
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use weft::check::{Test, until_asleep};
use weft::{Errno, call, check, file, memory, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    break_total_is_exact,
    break_is_seen_by_all,
    break_pieces_do_not_overlap,
    break_shrunk_under_a_peer_faults,
    blocked_read_into_memory_that_goes,
    blocked_read_into_a_break_that_shrinks,
    blocked_write_from_memory_that_goes,
    path_rewritten_by_a_peer,
    vector_rewritten_by_a_peer,
    touching_the_same_pages_at_once,
];

fn break_total_is_exact() {
    for count in [2, 4, 8] {
        let start = wild::brk(0);
        let body = || {
            for round in 0..check::rounds(300, 20_000) {
                let step = (round % 5 + 1) * 1000;
                memory::move_break(step as isize).unwrap();
                memory::move_break(PAGE as isize).unwrap();
                memory::move_break(-(step as isize)).unwrap();
            }
        };
        let peers: alloc::vec::Vec<_> = (0..count).map(|_| bare(GROUP, &body).unwrap()).collect();
        peers.into_iter().for_each(Bare::join);
        let grown = count * check::rounds(300, 20_000) * PAGE;
        assert_eq!(wild::brk(0), start + grown);
        assert_eq!(wild::brk(start), start);
    }
}

fn break_is_seen_by_all() {
    let (base, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let grow = || {
        let at = memory::move_break(3 * PAGE as isize).unwrap();
        wild::store(at + 2 * PAGE, 9);
        base.store(at, SeqCst);
    };
    let start = wild::brk(0);
    for flags in [GROUP, SPACE] {
        bare(flags, &grow).unwrap().join();
        assert_eq!(base.load(SeqCst), start);
        assert_eq!(wild::brk(0), start + 3 * PAGE);
        assert_eq!(wild::load(start + 2 * PAGE), 9);
        let look = || seen.store(wild::brk(0), SeqCst);
        memory::move_break(-3 * PAGE as isize).unwrap();
        bare(flags, &look).unwrap().join();
        assert_eq!(seen.load(SeqCst), start);
    }
}

/// Every piece that a thread gets is its own, zeroed, and writable.
fn break_pieces_do_not_overlap() {
    let start = wild::brk(0);
    let body = || {
        for _ in 0..check::rounds(100, 5_000) {
            let at = memory::move_break(64).unwrap();
            let piece = wild::bytes(at, 64);
            assert!(piece.iter().all(|byte| *byte == 0), "another's piece");
            piece.fill(thread::id() as u8 | 1);
            weft::time::give_way();
            assert!(piece.iter().all(|byte| *byte == thread::id() as u8 | 1));
        }
    };
    let peers: [_; 8] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
    assert_eq!(wild::brk(start), start);
}

fn break_shrunk_under_a_peer_faults() {
    for _ in 0..check::rounds(20, 1_000) {
        let at = memory::move_break(2 * PAGE as isize).unwrap();
        let page = at.next_multiple_of(PAGE);
        let (reading, after) = (Flag::new(), Flag::new());
        let body = || {
            loop {
                let seen = wild::load(page);
                assert_eq!(seen, 0, "another owner's byte");
                reading.set();
                if after.is_set() {
                    // The shrink has returned: this must fault.
                    wild::load(page);
                    panic!("the page is still there");
                }
            }
        };
        let peer = bare(GROUP, &body).unwrap();
        reading.wait();
        memory::move_break(-2 * PAGE as isize).unwrap();
        after.set();
        peer.join();
    }
}

/// Starts a read from an empty pipe into `buffer`, lets `remove` take the
/// memory away while it sleeps, then writes: EFAULT, and no more harm.
fn read_into_vanishing(buffer: usize, remove: impl Fn()) {
    let (read, write) = file::pipe().unwrap();
    let body = || {
        let result = wild::call(call::READ, [read as usize, buffer, 16]);
        assert_eq!(result, Err(Errno::EFAULT));
    };
    let peer = bare(GROUP, &body).unwrap();
    until_asleep(peer.id);
    remove();
    file::write_all(write, b"0123456789abcdef").unwrap();
    peer.join();
    // The pipe still works.
    file::write_all(write, b"x").unwrap();
    assert!(file::read(read, &mut [0; 64]).unwrap() >= 1);
    file::close(read).unwrap();
    file::close(write).unwrap();
}

fn blocked_read_into_memory_that_goes() {
    use weft::abi::memory::{PROT_NONE, PROT_READ};
    let page = wild::map(PAGE);
    read_into_vanishing(page, || wild::unmap(page, PAGE).unwrap());
    let page = wild::map(PAGE);
    read_into_vanishing(page, || wild::protect(page, PAGE, PROT_NONE).unwrap());
    let page = wild::map(PAGE);
    wild::store(page, 1);
    read_into_vanishing(page, || wild::protect(page, PAGE, PROT_READ).unwrap());
    assert_eq!(wild::load(page), 1);
}

fn blocked_read_into_a_break_that_shrinks() {
    let page = memory::move_break(2 * PAGE as isize)
        .unwrap()
        .next_multiple_of(PAGE);
    wild::store(page, 1);
    read_into_vanishing(page, || {
        assert!(memory::move_break(-2 * PAGE as isize).is_ok())
    });
}

fn blocked_write_from_memory_that_goes() {
    let (read, write) = file::pipe().unwrap();
    let length = 256 * PAGE;
    let buffer = wild::map(length);
    let body = || {
        // More than a pipe holds. What was taken before the memory went counts.
        let result = wild::call(call::WRITE, [write as usize, buffer, length]);
        assert!(result == Err(Errno::EFAULT) || result.is_ok_and(|n| n > 0 && n < length));
    };
    let peer = bare(GROUP, &body).unwrap();
    until_asleep(peer.id);
    wild::unmap(buffer, length).unwrap();
    let drain = || while file::read(read, &mut [0; 4096]).is_ok_and(|n| n > 0) {};
    let drainer = bare(GROUP, &drain).unwrap();
    peer.join();
    file::close(write).unwrap();
    drainer.join();
}

/// A path that changes while the kernel looks at it: copied once, so that what
/// was created is one of the mixtures, and nothing outside comes of it.
fn path_rewritten_by_a_peer() {
    use weft::abi::file::*;
    file::mkdir(c"/flip").unwrap();
    let path = wild::map(PAGE);
    wild::bytes(path, 11).copy_from_slice(b"/flip/aaaa\0");
    let stop = Flag::new();
    let body = || {
        while !stop.is_set() {
            // One name is short, one is too long for its folder.
            wild::bytes(path + 6, 5).copy_from_slice(b"bb\0bb");
            wild::bytes(path + 6, 5).copy_from_slice(b"aaaa\0");
        }
    };
    let peer = bare(GROUP, &body).unwrap();
    for _ in 0..check::rounds(2_000, 100_000) {
        let fd = wild::call(call::OPEN, [path, O_CREAT | O_RDWR, 0o666]);
        file::close(fd.expect("an open of some mixture") as i32).unwrap();
    }
    stop.set();
    peer.join();
    let fd = file::open(c"/flip", O_RDONLY).unwrap();
    let mut names = alloc::vec::Vec::new();
    let mut buffer = [0; 4096];
    let mut each = |entry: file::Entry<'_>| names.push(alloc::ffi::CString::from(entry.name));
    while file::read_folder(fd, &mut buffer, &mut each).unwrap() {}
    file::close(fd).unwrap();
    for name in names
        .iter()
        .filter(|name| !name.to_bytes().starts_with(b"."))
    {
        assert!(name.to_bytes().len() <= 5, "{name:?}");
        assert!(
            name.to_bytes()
                .iter()
                .all(|byte| matches!(byte, b'a' | b'b')),
            "{name:?}"
        );
        let path = [b"/flip/", name.to_bytes_with_nul()].concat();
        file::unlink(core::ffi::CStr::from_bytes_with_nul(&path).unwrap()).unwrap();
    }
    file::rmdir(c"/flip").unwrap();
}

/// The lengths of a vector write change while the kernel looks: the result is
/// one of the two sums that make sense, or a clean error.
fn vector_rewritten_by_a_peer() {
    let vector = wild::map(PAGE);
    let data = wild::map(PAGE);
    wild::word64(vector).store(data as u64, SeqCst);
    wild::word64(vector + 8).store(10, SeqCst);
    let stop = Flag::new();
    let body = || {
        while !stop.is_set() {
            wild::word64(vector + 8).store(u64::MAX, SeqCst);
            wild::word64(vector + 8).store(10, SeqCst);
        }
    };
    let peer = bare(GROUP, &body).unwrap();
    let null = file::open(c"/dev/null", weft::abi::file::O_WRONLY).unwrap();
    for _ in 0..check::rounds(2_000, 100_000) {
        let result = wild::call(call::WRITEV, [null as usize, vector, 1]);
        assert!(matches!(result, Ok(10) | Err(Errno::EINVAL)), "{result:?}");
    }
    stop.set();
    peer.join();
}

/// Threads fault in the same fresh pages at once: each page is made once, and
/// no write is lost.
fn touching_the_same_pages_at_once() {
    for _ in 0..check::rounds(20, 1_000) {
        const PAGES: usize = 64;
        let base = wild::map(PAGES * PAGE);
        let (arrived, next) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let body = || {
            let me = next.fetch_add(1, SeqCst);
            arrived.fetch_add(1, SeqCst);
            check::until(|| arrived.load(SeqCst) == 4);
            for page in 0..PAGES {
                wild::store(base + page * PAGE + me, 1);
            }
        };
        let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
        peers.into_iter().for_each(Bare::join);
        for page in 0..PAGES {
            assert_eq!(wild::bytes(base + page * PAGE, 5), [1, 1, 1, 1, 0]);
        }
        wild::unmap(base, PAGES * PAGE).unwrap();
    }
}
