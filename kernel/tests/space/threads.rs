//! Address spaces under threads: forks, breaks and faults at once.

use super::{READ_WRITE, alone, call, depart, enter, map, run_on, settle};
use abi::memory::PAGE_SIZE;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use kernel::memory::{Pages, Space};
use machine::copy;
use machine::frames;
use machine::page_table::Rights;

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Threads on other CPUs write round after round into all pages, in order,
/// while another forks. In each child the pages look as at one moment.
#[test]
fn a_fork_is_not_torn() {
    let _alone = alone();
    let free = frames::free_count();
    const PAGES: usize = 12;
    const FORKS: usize = 15;
    let rounds: [AtomicUsize; 2] = Default::default();
    // Returns when every thread has written all its pages once more.
    let wait = || {
        let before = rounds.each_ref().map(|round| round.load(SeqCst));
        for (round, before) in rounds.iter().zip(before) {
            while round.load(SeqCst) < before + 2 {
                std::thread::yield_now();
            }
        }
    };
    let space = Space::new().expect("memory");
    enter(&space);
    let starts: Vec<usize> = (0..2).map(|_| map(&space, PAGES * PAGE_SIZE)).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (index, &start) in starts.iter().enumerate() {
            let (space, done, rounds) = (&space, &done, &rounds);
            scope.spawn(move || {
                run_on(index + 1, space, || {
                    while !done.load(SeqCst) {
                        let round = rounds[index].fetch_add(1, SeqCst) as u32;
                        for page in 0..PAGES {
                            copy::store_u32(start + page * PAGE_SIZE, round).expect("writable");
                        }
                    }
                });
            });
        }
        // Also if an assertion below fails, or the others would never end.
        let _ended = SetOnDrop(&done);
        for _ in 0..FORKS {
            wait();
            let child = call(&space, || {
                let child = space.fork();
                wait();
                child
            });
            let child = child.expect("memory");
            enter(&child);
            let read = |start: usize| -> Vec<u32> {
                let pages = (0..PAGES).map(|page| copy::fetch_u32(start + page * PAGE_SIZE));
                pages.map(|word| word.expect("readable")).collect()
            };
            let before: Vec<_> = starts.iter().map(|&start| read(start)).collect();
            for words in &before {
                let spread = words[0].wrapping_sub(words[PAGES - 1]);
                assert!(
                    words.is_sorted_by(|a, b| a >= b) && spread <= 1,
                    "torn: {words:?}"
                );
            }
            wait();
            let after: Vec<_> = starts.iter().map(|&start| read(start)).collect();
            assert_eq!(before, after, "a peer of the parent wrote to the child");
            // The child's own writes stay its own.
            copy::store_u32(starts[0], u32::MAX).expect("writable");
            enter(&space);
            assert_ne!(copy::fetch_u32(starts[0]), Ok(u32::MAX));
        }
    });
    depart();
    drop(space);
    settle();
    assert_eq!(frames::free_count(), free);
}

/// Threads grow and shrink the break at once; in the end it is where it was.
#[test]
fn the_break_is_exact_under_threads() {
    let _alone = alone();
    let free = frames::free_count();
    let space = Space::new().expect("memory");
    space.set_heap(0x40_0000);
    std::thread::scope(|scope| {
        for cpu in 0..4 {
            let space = &space;
            scope.spawn(move || {
                run_on(cpu, space, || {
                    for round in 1..300 {
                        let size = round * 37 % 9000;
                        let old = call(space, || space.sbrk(size, Pages::Checked)).expect("memory");
                        let own = old + size as usize - 4;
                        if size > 4 {
                            // Peers may have shrunk it again, but never panic.
                            let _ = copy::store_u32(own, round as u32);
                        }
                        call(space, || space.sbrk(-size, Pages::Checked)).expect("it was there");
                    }
                    call(space, || space.sbrk(1000, Pages::Checked)).expect("memory");
                });
            });
        }
    });
    assert_eq!(space.brk(0), 0x40_0000 + 4 * 1000);
    drop(space);
    settle();
    assert_eq!(frames::free_count(), free);
}

/// Threads fault in the same pages while another unmaps and maps them: each
/// sees zeroes or what was written since, and no frame is lost.
#[test]
fn threads_fault_in_parallel() {
    let _alone = alone();
    let free = frames::free_count();
    const PAGES: usize = 64;
    let space = Space::new().expect("memory");
    let start = map(&space, PAGES * PAGE_SIZE);
    let range = start..start + PAGES * PAGE_SIZE;
    let finished = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for cpu in 1..4 {
            let (space, finished) = (&space, &finished);
            scope.spawn(move || {
                run_on(cpu, space, || {
                    for round in 0..4_000 {
                        let page = start + round * 7 % PAGES * PAGE_SIZE + cpu * 4;
                        if copy::store_u32(page, cpu as u32).is_ok()
                            && let Ok(word) = copy::fetch_u32(page)
                        {
                            assert!(word == cpu as u32 || word == 0);
                        }
                    }
                    finished.fetch_add(1, SeqCst);
                });
            });
        }
        let mut round = 0;
        while finished.load(SeqCst) < 3 {
            round += 1;
            match round % 3 {
                0 => space.discard(range.clone()).expect("mapped"),
                1 => space.protect(range.clone(), Rights::NONE).expect("mapped"),
                _ => space.protect(range.clone(), READ_WRITE).expect("mapped"),
            }
            std::thread::yield_now();
        }
    });
    drop(space);
    settle();
    assert_eq!(frames::free_count(), free);
}
