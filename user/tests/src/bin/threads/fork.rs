//! fork in a process with threads: one thread in the child, and a memory that
//! is exactly what it was at one moment.

use crate::shared::*;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use weft::check::{Test, until};
use weft::process::Ended;
use weft::{check, file, memory, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    fork_in_a_thread_gives_one_thread,
    fork_while_a_peer_moves_the_break,
    fork_while_a_peer_writes,
    fork_does_not_lose_the_parents_writes,
    fork_from_several_threads_at_once,
    fork_with_a_busy_heap,
    fork_copies_for_both_sides,
];

fn fork_in_a_thread_gives_one_thread() {
    let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &|| spin_for_ever()).unwrap());
    let body = || {
        let ended = check::in_child(|| {
            let members = check::list()
                .iter()
                .filter(|info| info.tgid == process::id() as u32)
                .count();
            assert_eq!(members, 1);
            assert_eq!(thread::id(), process::id());
            assert_eq!(join_any(), Err(weft::Errno::ECHILD));
            // And it can make threads of its own.
            bare(GROUP, &|| ()).unwrap().join();
        });
        assert_eq!(ended, Ended::Exited(0));
    };
    bare(GROUP, &body).unwrap().join();
    for peer in peers {
        assert_eq!(thread::kill(process::id(), peer.id, 0), Ok(()));
    }
}

fn fork_while_a_peer_moves_the_break() {
    let start = memory::move_break(0).unwrap();
    let stop = Flag::new();
    let body = || {
        while !stop.is_set() {
            let at = memory::move_break(4 * PAGE as isize).unwrap();
            wild::store(at, 1);
            memory::move_break(-4 * PAGE as isize).unwrap();
        }
    };
    let peer = bare(GROUP, &body).unwrap();
    for _ in 0..check::rounds(50, 5_000) {
        let ended = check::in_child(|| {
            // The break is one of the two, and works.
            let now = wild::brk(0);
            assert!(now == start || now == start + 4 * PAGE);
            assert_eq!(wild::brk(start + PAGE), start + PAGE);
            wild::store(start + PAGE - 1, 1);
        });
        assert_eq!(ended, Ended::Exited(0));
    }
    stop.set();
    peer.join();
    assert_eq!(wild::brk(0), start);
}

const PAGES: usize = 24;

fn value(base: usize, page: usize) -> u64 {
    wild::word64(base + page * PAGE).load(SeqCst)
}

/// A peer writes a growing number into page after page. In the child the pages
/// show one moment: never increasing from the first to the last, at most one
/// apart, and they stay so.
fn fork_while_a_peer_writes() {
    let base = wild::map(PAGES * PAGE);
    let (stop, round) = (Flag::new(), AtomicU64::new(0));
    let body = || {
        while !stop.is_set() {
            let next = round.load(SeqCst) + 1;
            for page in 0..PAGES {
                wild::word64(base + page * PAGE).store(next, SeqCst);
            }
            round.store(next, SeqCst);
        }
    };
    let peer = bare(GROUP, &body).unwrap();
    until(|| round.load(SeqCst) > 0);
    for _ in 0..check::rounds(25, 10_000) {
        let ended = check::in_child(|| {
            let first: [u64; PAGES] = core::array::from_fn(|page| value(base, page));
            assert!(first.is_sorted_by(|a, b| a >= b), "torn: {first:?}");
            assert!(first[0] - first[PAGES - 1] <= 1, "torn: {first:?}");
            for _ in 0..3 {
                weft::time::give_way();
                let again: [u64; PAGES] = core::array::from_fn(|page| value(base, page));
                assert_eq!(first, again, "the parent's writes show in the child");
            }
        });
        assert_eq!(ended, Ended::Exited(0));
    }
    stop.set();
    peer.join();
}

/// The writer sees its own writes, whatever happens to the pages meanwhile.
fn fork_does_not_lose_the_parents_writes() {
    let base = wild::map(PAGES * PAGE);
    let (stop, rounds) = (Flag::new(), AtomicU64::new(0));
    let body = || {
        let mut next = 0;
        while !stop.is_set() {
            next += 1;
            for page in 0..PAGES {
                assert_eq!(value(base, page), next - 1, "a write was lost");
                wild::word64(base + page * PAGE).store(next, SeqCst);
                assert_eq!(value(base, page), next, "a write was lost");
            }
            rounds.store(next, SeqCst);
        }
    };
    let peer = bare(GROUP, &body).unwrap();
    let reader = || {
        // A second CPU that reads what the first writes: never backwards.
        let mut last = [0; PAGES];
        while !stop.is_set() {
            for (page, last) in last.iter_mut().enumerate() {
                let now = value(base, page);
                assert!(now >= *last, "an old page came back");
                *last = now;
            }
        }
    };
    let second = bare(GROUP, &reader).unwrap();
    for _ in 0..check::rounds(25, 10_000) {
        let seen = rounds.load(SeqCst);
        assert_eq!(
            check::in_child(|| wild::store(base, 0xff)),
            Ended::Exited(0)
        );
        until(|| rounds.load(SeqCst) > seen);
    }
    stop.set();
    peer.join();
    second.join();
}

fn fork_from_several_threads_at_once() {
    let body = || {
        for _ in 0..check::rounds(20, 1_000) {
            let child = check::start_child(|| process::exit(11));
            assert_eq!(process::wait_for(child), Ok((child, Ended::Exited(11))));
        }
    };
    let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
    assert_eq!(process::wait(), Err(weft::Errno::ECHILD));
}

/// The child can use the heap, though peers were in the middle of using it.
fn fork_with_a_busy_heap() {
    let stop = Flag::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            let work = || {
                while !stop.is_set() {
                    drop(alloc::vec![1u8; 300]);
                    drop(alloc::vec![1u8; 30_000]);
                }
            };
            scope.spawn(work).unwrap();
        }
        for _ in 0..check::rounds(12, 2_000) {
            let ended = check::in_child(|| {
                let blocks: alloc::vec::Vec<_> =
                    (1..60).map(|i| alloc::vec![0u8; i * 37]).collect();
                assert_eq!(blocks.len(), 59);
            });
            assert_eq!(ended, Ended::Exited(0));
        }
        stop.set();
    });
}

fn fork_copies_for_both_sides() {
    let base = wild::map(PAGES * PAGE);
    for page in 0..PAGES {
        wild::store(base + page * PAGE, 1);
    }
    let ((to_child, child_go), (to_parent, parent_go)) =
        (file::pipe().unwrap(), file::pipe().unwrap());
    let child = check::start_child(|| {
        wild::bytes(base, PAGES * PAGE).fill(2);
        file::write_all(parent_go, b"x").unwrap();
        assert_eq!(file::read(to_child, &mut [0]), Ok(1));
        assert!(
            wild::bytes(base, PAGES * PAGE)
                .iter()
                .all(|byte| *byte == 2)
        );
    });
    assert_eq!(file::read(to_parent, &mut [0]), Ok(1));
    for page in 0..PAGES {
        assert_eq!(wild::load(base + page * PAGE), 1);
        assert_eq!(wild::load(base + page * PAGE + 1), 0);
    }
    wild::bytes(base, PAGES * PAGE).fill(3);
    file::write_all(child_go, b"x").unwrap();
    assert_eq!(check::wait_for(child), Ended::Exited(0));
}
