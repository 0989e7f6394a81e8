//! mmap, munmap, mprotect and madvise.

use crate::*;
use weft::check::{Test, rounds};
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
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
    advice_gives_pages_back,
    advice_makes_pages,
];

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

fn advice_makes_pages() {
    // So many that what others take and give back meanwhile does not matter.
    const LENGTH: usize = 4096 * PAGE;
    let advise = |base, advice| wild::call(call::MADVISE, [base, LENGTH, advice]);
    let base = wild::map(LENGTH);
    let free = weft::process::system().unwrap().freeram;
    assert_eq!(advise(base, MADV_POPULATE_WRITE), Ok(0));
    assert!(weft::process::system().unwrap().freeram + (LENGTH as u64 / 2) < free);
    assert_eq!(wild::load(base + 5 * PAGE), 0);
    wild::protect(base + PAGE, PAGE, PROT_READ).unwrap();
    assert_eq!(advise(base, MADV_POPULATE_READ), Ok(0));
    assert_eq!(advise(base, MADV_POPULATE_WRITE), Err(Errno::EINVAL));
    wild::unmap(base + PAGE, PAGE).unwrap();
    assert_eq!(advise(base, MADV_POPULATE_READ), Err(Errno::ENOMEM));
}
