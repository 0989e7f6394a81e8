//! Memory that is unmapped while other CPUs have its translation: they fault,
//! and never reach the frame's next owner.

use crate::shared::*;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use weft::abi::memory::*;
use weft::check::{Test, until};
use weft::{call, check, tests, wild};

pub const TESTS: &[Test] = tests![
    unmapped_pages_are_not_read,
    unmapped_pages_are_not_written,
    protected_pages_fault,
    read_only_pages_are_not_written,
    given_back_pages_are_not_reached,
];

const PAGES: usize = 8;
const OLD: u8 = 0xaa;
const NEW: u8 = 0x55;

/// One round: peers use every page of `base` until they fault; `remove` takes
/// the pages away; then fresh pages, which reuse the frames, are filled and
/// watched.
fn round(use_page: impl Fn(usize) + Sync, remove: impl Fn(usize)) {
    let base = wild::map(PAGES * PAGE);
    // Mapped before, so that it is not at the same addresses; touched after.
    let next = wild::map(PAGES * PAGE);
    for page in 0..PAGES {
        wild::store(base + page * PAGE, OLD);
    }
    let warm = AtomicU32::new(0);
    let page = AtomicU32::new(0);
    let body = || {
        let mine = base + page.fetch_add(1, SeqCst) as usize * PAGE;
        for page in 0..PAGES {
            use_page(base + page * PAGE);
        }
        warm.fetch_add(1, SeqCst);
        loop {
            use_page(mine);
        }
    };
    let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    until(|| warm.load(SeqCst) == 3);
    remove(base);
    for page in 0..PAGES {
        wild::bytes(next + page * PAGE, PAGE).fill(NEW);
    }
    // Each ends by a fault, on whatever CPU it is.
    peers.into_iter().for_each(Bare::join);
    for page in 0..PAGES {
        let bytes = wild::bytes(next + page * PAGE, PAGE);
        assert!(bytes.iter().all(|byte| *byte == NEW), "a stale write");
    }
    wild::unmap(next, PAGES * PAGE).unwrap();
}

fn reads_old(address: usize) {
    let seen = wild::load(address);
    assert_eq!(seen, OLD, "another owner's byte");
}

fn unmapped_pages_are_not_read() {
    for _ in 0..check::rounds(15, 5_000) {
        round(reads_old, |base| wild::unmap(base, PAGES * PAGE).unwrap());
    }
}

fn unmapped_pages_are_not_written() {
    for _ in 0..check::rounds(15, 5_000) {
        round(
            |at| wild::store(at, OLD),
            |base| wild::unmap(base, PAGES * PAGE).unwrap(),
        );
    }
}

fn protected_pages_fault() {
    for _ in 0..check::rounds(15, 5_000) {
        round(reads_old, |base| {
            wild::protect(base, PAGES * PAGE, PROT_NONE).unwrap();
            // What was there comes back with the rights, and goes with them.
            wild::protect(base, PAGES * PAGE, PROT_NONE).unwrap();
        });
    }
}

fn read_only_pages_are_not_written() {
    for _ in 0..check::rounds(15, 5_000) {
        round(
            |at| wild::store(at, OLD),
            |base| {
                wild::protect(base, PAGES * PAGE, PROT_READ).unwrap();
                // From here on nothing changes.
                for page in 0..PAGES {
                    assert_eq!(wild::load(base + page * PAGE), OLD);
                }
            },
        );
    }
}

/// `MADV_DONTNEED`: the pages are there again, but zeroed.
fn given_back_pages_are_not_reached() {
    for _ in 0..check::rounds(15, 5_000) {
        let base = wild::map(PAGES * PAGE);
        let next = wild::map(PAGES * PAGE);
        wild::bytes(base, PAGES * PAGE).fill(OLD);
        let stop = Flag::new();
        let body = || {
            while !stop.is_set() {
                for page in 0..PAGES {
                    let seen = wild::load(base + page * PAGE);
                    assert!(seen == OLD || seen == 0, "another owner's byte");
                }
            }
        };
        let peers: [_; 2] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
        let result = wild::call(call::MADVISE, [base, PAGES * PAGE, MADV_DONTNEED]);
        wild::bytes(next, PAGES * PAGE).fill(NEW);
        assert_eq!(result, Ok(0));
        assert!(
            wild::bytes(base, PAGES * PAGE)
                .iter()
                .all(|byte| *byte == 0)
        );
        stop.set();
        peers.into_iter().for_each(Bare::join);
        wild::unmap(base, PAGES * PAGE).unwrap();
        wild::unmap(next, PAGES * PAGE).unwrap();
    }
}
