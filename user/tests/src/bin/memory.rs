//! `memory`: mappings, the break, the stack, and copies of all that by fork.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use weft::abi::memory::*;
use weft::abi::signal::SIGSEGV;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, tests, wild};

weft::program!(main);

fn main() -> i32 {
    check::run(&[TESTS])
}

const PAGE: usize = PAGE_SIZE;

const TESTS: &[Test] = tests![
    map_is_zeroed_and_apart,
    map_many_and_unmap_in_any_order,
    map_part_of_it_goes,
    map_over_itself,
    map_refuses_bad_arguments,
    map_hints_are_free,
    unmap_refuses_bad_arguments,
    unmap_of_nothing_is_fine,
    protect_changes_what_may_be_done,
    protect_in_the_middle,
    protect_refuses_bad_arguments,
    execute_needs_the_right,
    frames_come_back,
    out_of_memory_is_an_error,
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
    advice_gives_pages_back,
];

/// Runs `body` in a child that is to end by a bad access.
fn faults(body: impl FnOnce()) -> bool {
    check::in_child(body) == Ended::Signaled(SIGSEGV as u8)
}

fn reads(address: usize) -> bool {
    !faults(|| {
        wild::load(address);
    })
}

fn writes(address: usize) -> bool {
    !faults(|| wild::store(address, 1))
}

fn map_at(address: usize, length: usize, protection: usize, flags: usize) -> Result<usize, Errno> {
    wild::call(
        call::MMAP,
        [address, length, protection, flags, usize::MAX, 0],
    )
}

const ANONYMOUS: usize = MAP_PRIVATE | MAP_ANONYMOUS;
const READ_WRITE: usize = PROT_READ | PROT_WRITE;

fn map_is_zeroed_and_apart() {
    let first = wild::map(3 * PAGE);
    let second = wild::map(3 * PAGE);
    assert!(first.is_multiple_of(PAGE) && second.is_multiple_of(PAGE));
    assert!(first.abs_diff(second) >= 3 * PAGE);
    wild::bytes(first, 3 * PAGE).fill(1);
    assert!(wild::bytes(second, 3 * PAGE).iter().all(|byte| *byte == 0));
    wild::unmap(first, 3 * PAGE).unwrap();
    // The same frames, zeroed again.
    let third = wild::map(3 * PAGE);
    assert!(wild::bytes(third, 3 * PAGE).iter().all(|byte| *byte == 0));
}

fn map_many_and_unmap_in_any_order() {
    let mut places = [0; 60];
    for round in 0..rounds(20, 1_000) {
        for (i, place) in places.iter_mut().enumerate() {
            let pages = (i * 7 + round) % 5 + 1;
            *place = wild::map(pages * PAGE);
            wild::store(*place, i as u8);
            wild::store(*place + pages * PAGE - 1, i as u8);
        }
        for step in 0..places.len() {
            let i = (step * 17 + round) % places.len();
            let pages = (i * 7 + round) % 5 + 1;
            assert_eq!(wild::load(places[i]), i as u8);
            assert_eq!(wild::load(places[i] + pages * PAGE - 1), i as u8);
            wild::unmap(places[i], pages * PAGE).unwrap();
        }
    }
}

fn map_part_of_it_goes() {
    let base = wild::map(5 * PAGE);
    wild::bytes(base, 5 * PAGE).fill(9);
    wild::unmap(base + 2 * PAGE, PAGE).unwrap();
    for (page, there) in [(0, true), (1, true), (2, false), (3, true), (4, true)] {
        assert_eq!(reads(base + page * PAGE), there, "page {page}");
    }
    assert_eq!(wild::load(base + 3 * PAGE), 9);
    // One call over the hole and both sides.
    wild::unmap(base, 5 * PAGE).unwrap();
    assert!(!reads(base) && !reads(base + 4 * PAGE));
}

fn map_over_itself() {
    let base = wild::map(4 * PAGE);
    wild::bytes(base, 4 * PAGE).fill(9);
    let fixed = map_at(base + PAGE, 2 * PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED);
    assert_eq!(fixed, Ok(base + PAGE));
    let firsts = [0, 1, 2, 3].map(|page| wild::load(base + page * PAGE));
    assert_eq!(firsts, [9, 0, 0, 9]);
}

fn map_refuses_bad_arguments() {
    let good = wild::map(PAGE);
    for (address, length, flags, error) in [
        (0, 0, ANONYMOUS, Errno::EINVAL),
        (0, usize::MAX, ANONYMOUS, Errno::ENOMEM),
        (0, usize::MAX - PAGE, ANONYMOUS, Errno::ENOMEM),
        (0, 1 << 47, ANONYMOUS, Errno::ENOMEM),
        (0, PAGE, MAP_ANONYMOUS, Errno::EINVAL),
        (good + 1, PAGE, ANONYMOUS | MAP_FIXED, Errno::EINVAL),
        (1 << 63, PAGE, ANONYMOUS | MAP_FIXED, Errno::ENOMEM),
        (USER_END, PAGE, ANONYMOUS | MAP_FIXED, Errno::ENOMEM),
        (
            USER_END - PAGE,
            2 * PAGE,
            ANONYMOUS | MAP_FIXED,
            Errno::ENOMEM,
        ),
        (
            usize::MAX & !0xfff,
            PAGE,
            ANONYMOUS | MAP_FIXED,
            Errno::ENOMEM,
        ),
    ] {
        let result = map_at(address, length, READ_WRITE, flags);
        assert_eq!(result, Err(error), "{address:#x} {length:#x} {flags:#x}");
    }
    // A file that is not there.
    let result = wild::call(call::MMAP, [0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0]);
    assert_eq!(result, Err(Errno::EBADF));
    wild::store(good, 1);
}

fn map_hints_are_free() {
    let taken = wild::map(2 * PAGE);
    wild::store(taken, 5);
    // A hint that is taken goes elsewhere; what is there stays.
    let other = map_at(taken, PAGE, READ_WRITE, ANONYMOUS).unwrap();
    assert_ne!(other, taken);
    assert_eq!(wild::load(taken), 5);
    let refused = map_at(taken, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE);
    assert_eq!(refused, Err(Errno::EEXIST));
    assert_eq!(wild::load(taken), 5);
}

fn unmap_refuses_bad_arguments() {
    let page = wild::map(PAGE);
    for (address, length) in [
        (page + 1, PAGE),
        (page, 0),
        (1 << 63, PAGE),
        (usize::MAX & !0xfff, PAGE),
        (page, usize::MAX),
        (page, usize::MAX - page),
        (USER_END, PAGE),
    ] {
        assert_eq!(
            wild::unmap(address, length),
            Err(Errno::EINVAL),
            "{address:#x} {length:#x}"
        );
    }
    wild::store(page, 1);
}

fn unmap_of_nothing_is_fine() {
    let base = wild::map(3 * PAGE);
    wild::unmap(base, 3 * PAGE).unwrap();
    assert_eq!(wild::unmap(base, 3 * PAGE), Ok(()));
}

fn protect_changes_what_may_be_done() {
    let page = wild::map(PAGE);
    wild::store(page, 7);
    wild::protect(page, PAGE, PROT_READ).unwrap();
    assert!(reads(page) && !writes(page));
    wild::protect(page, PAGE, PROT_NONE).unwrap();
    assert!(!reads(page) && !writes(page));
    wild::protect(page, PAGE, READ_WRITE).unwrap();
    assert!(writes(page));
    assert_eq!(wild::load(page), 7);
    // The kernel's own accesses keep to it.
    wild::protect(page, PAGE, PROT_READ).unwrap();
    let zero = file::open(c"/dev/zero", weft::abi::file::O_RDONLY).unwrap();
    assert_eq!(
        wild::call(call::READ, [zero as usize, page, 8]),
        Err(Errno::EFAULT)
    );
    wild::protect(page, PAGE, PROT_NONE).unwrap();
    let (_read, write) = file::pipe().unwrap();
    assert_eq!(
        wild::call(call::WRITE, [write as usize, page, 8]),
        Err(Errno::EFAULT)
    );
}

fn protect_in_the_middle() {
    let base = wild::map(5 * PAGE);
    wild::protect(base + PAGE, 3 * PAGE, PROT_READ).unwrap();
    wild::protect(base + 2 * PAGE, PAGE, PROT_NONE).unwrap();
    let rights = |page| (reads(base + page * PAGE), writes(base + page * PAGE));
    let expected = [
        (true, true),
        (true, false),
        (false, false),
        (true, false),
        (true, true),
    ];
    assert_eq!([0, 1, 2, 3, 4].map(rights), expected);
    wild::protect(base, 5 * PAGE, READ_WRITE).unwrap();
    assert!((0..5).all(|page| writes(base + page * PAGE)));
}

fn protect_refuses_bad_arguments() {
    let base = wild::map(3 * PAGE);
    wild::unmap(base + PAGE, PAGE).unwrap();
    assert_eq!(wild::protect(base + 1, PAGE, PROT_READ), Err(Errno::EINVAL));
    assert_eq!(wild::protect(base, PAGE, 0x1000), Err(Errno::EINVAL));
    assert_eq!(
        wild::protect(base, 3 * PAGE, READ_WRITE),
        Err(Errno::ENOMEM),
        "a hole"
    );
    assert_eq!(wild::protect(1 << 63, PAGE, PROT_READ), Err(Errno::ENOMEM));
    assert_eq!(
        wild::protect(base, usize::MAX, PROT_READ),
        Err(Errno::ENOMEM)
    );
    assert_eq!(wild::protect(base, 0, PROT_READ), Ok(()));
    wild::store(base, 1);
}

fn execute_needs_the_right() {
    let page = wild::map(PAGE);
    // ret
    wild::store(page, 0xc3);
    assert!(faults(|| wild::jump(page)));
    wild::protect(page, PAGE, PROT_READ | PROT_EXEC).unwrap();
    assert!(!faults(|| wild::jump(page)));
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

fn advice_gives_pages_back() {
    let base = wild::map(4 * PAGE);
    wild::bytes(base, 4 * PAGE).fill(3);
    assert_eq!(
        wild::call(call::MADVISE, [base + PAGE, 2 * PAGE, MADV_DONTNEED]),
        Ok(0)
    );
    let firsts = [0, 1, 2, 3].map(|page| wild::load(base + page * PAGE));
    assert_eq!(firsts, [3, 0, 0, 3]);
    assert_eq!(
        wild::call(call::MADVISE, [base + 1, PAGE, MADV_DONTNEED]),
        Err(Errno::EINVAL)
    );
}
