//! The break, the stack, what a program cannot reach, and the end of memory.

use crate::*;
use weft::check::{Test, rounds};
use weft::{Errno, check, tests, wild};

pub const TESTS: &[Test] = tests![
    break_grows_and_shrinks,
    break_memory_is_zeroed_again,
    break_refuses_what_cannot_be,
    break_shrunk_is_gone,
    stack_grows,
    stack_ends_somewhere,
    null_is_not_mapped,
    program_text_is_read_only,
    kernel_memory_is_out_of_reach,
    fork_shares_nothing_that_is_written,
    out_of_memory_is_an_error,
    frames_come_back,
];

#[inline(never)]
fn descend(depth: usize) -> usize {
    let mut room = [depth as u8; 1000];
    core::hint::black_box(&mut room);
    if depth == 0 {
        0
    } else {
        descend(depth - 1) + room[7] as usize
    }
}

fn break_grows_and_shrinks() {
    let start = wild::brk(0);
    for pages in [1, 10, 3, 100, 0, 7] {
        let wanted = start + pages * PAGE + 5 * pages;
        assert_eq!(wild::brk(wanted), wanted);
        assert_eq!(wild::brk(0), wanted);
        if pages > 0 {
            wild::store(start, 1);
            wild::store(wanted - 1, 1);
        }
    }
    assert_eq!(wild::brk(start), start);
}

fn break_memory_is_zeroed_again() {
    let start = wild::brk(0).next_multiple_of(PAGE);
    for _ in 0..3 {
        assert_eq!(wild::brk(start + 4 * PAGE), start + 4 * PAGE);
        assert!(wild::bytes(start, 4 * PAGE).iter().all(|byte| *byte == 0));
        wild::bytes(start, 4 * PAGE).fill(1);
        wild::brk(start);
    }
}

fn break_refuses_what_cannot_be() {
    let start = wild::brk(0);
    for wanted in [1, 0x1000, usize::MAX, 1 << 63, 1 << 47, USER_END + 1] {
        assert_eq!(wild::brk(wanted), start, "{wanted:#x}");
    }
    // Not over a mapping either.
    let page = start.next_multiple_of(PAGE) + 16 * PAGE;
    map_at(page, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED).unwrap();
    wild::store(page, 5);
    assert_eq!(wild::brk(page + PAGE), start);
    assert_eq!(wild::load(page), 5);
}

fn break_shrunk_is_gone() {
    let start = wild::brk(0).next_multiple_of(PAGE);
    wild::brk(start + 2 * PAGE);
    wild::bytes(start, 2 * PAGE).fill(1);
    wild::brk(start + PAGE);
    assert!(reads(start) && !reads(start + PAGE));
}

fn stack_grows() {
    // A megabyte, a step at a time.
    assert!(descend(1000) > 0);
}

fn stack_ends_somewhere() {
    assert!(faults(|| {
        descend(1 << 20);
    }));
}

fn null_is_not_mapped() {
    assert!(!reads(0) && !writes(0) && !reads(PAGE - 1));
    let refused = map_at(0, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED);
    // Whoever may map there gets what it asked for; nobody gets it by accident.
    assert!(matches!(
        refused,
        Ok(0) | Err(Errno::EPERM | Errno::EINVAL | Errno::ENOMEM)
    ));
    assert_ne!(map_at(0, PAGE, READ_WRITE, ANONYMOUS), Ok(0));
}

fn program_text_is_read_only() {
    let code = program_text_is_read_only as fn() as usize;
    assert!(reads(code) && !writes(code));
    static CONSTANT: [u8; 64] = [7; 64];
    let constant = CONSTANT.as_ptr() as usize;
    assert!(reads(constant) && !writes(constant));
}

fn kernel_memory_is_out_of_reach() {
    for address in [
        0xffff_8000_0000_0000,
        0xffff_ffff_8000_0000,
        0xffff_ffff_8020_0000,
        0xffff_ffff_ffff_f000,
        0x8000_0000_0000,
        USER_END,
    ] {
        assert!(!reads(address) && !writes(address), "{address:#x}");
        assert!(faults(|| wild::jump(address)), "{address:#x}");
    }
}

fn fork_shares_nothing_that_is_written() {
    let base = wild::map(32 * PAGE);
    wild::bytes(base, 32 * PAGE).fill(1);
    for round in 0..rounds(10, 500) as u8 {
        let child = check::start_child(|| {
            for page in 0..32 {
                assert_eq!(wild::load(base + page * PAGE), 1 + round);
                wild::store(base + page * PAGE, 0xff);
                assert_eq!(wild::load(base + page * PAGE), 0xff);
            }
            // And a grandchild.
            let ended = check::in_child(|| assert_eq!(wild::load(base), 0xff));
            assert_eq!(ended, Ended::Exited(0));
        });
        assert_eq!(check::wait_for(child), Ended::Exited(0));
        for page in 0..32 {
            assert_eq!(wild::load(base + page * PAGE), 1 + round);
            wild::store(base + page * PAGE, 2 + round);
        }
    }
}

/// A process that takes all memory is refused, or ended, and nobody else is
/// harmed.
fn out_of_memory_is_an_error() {
    let free = weft::process::system().unwrap().freeram as usize;
    if free > 2 << 30 {
        // So much memory would take minutes to touch.
        return;
    }
    let child = check::start_child(|| {
        loop {
            match weft::memory::map(64 * PAGE, READ_WRITE) {
                Ok(base) => (0..64).for_each(|page| wild::store(base + page * PAGE, 1)),
                Err(error) => {
                    assert_eq!(error, Errno::ENOMEM);
                    return;
                }
            }
        }
    });
    let ended = check::wait_for(child);
    assert!(
        matches!(ended, Ended::Exited(0) | Ended::Signaled(9)),
        "{ended:?}"
    );
    check::until(|| weft::process::system().unwrap().freeram as usize + (4 << 20) >= free);
    let base = wild::map(64 * PAGE);
    wild::bytes(base, 64 * PAGE).fill(1);
}

fn frames_come_back() {
    let free = || weft::process::system().unwrap().freeram;
    let churn = || {
        for _ in 0..10 {
            let base = wild::map(256 * PAGE);
            wild::bytes(base, 256 * PAGE).fill(1);
            wild::unmap(base, 256 * PAGE).unwrap();
        }
    };
    churn();
    let before = free();
    (0..rounds(5, 100)).for_each(|_| churn());
    assert!(free() + (1 << 20) >= before, "{before} {}", free());
}
