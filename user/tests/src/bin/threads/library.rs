//! The thread library: threads, their stacks, their own variables.

use crate::shared::*;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use weft::abi::signal::SIGKILL;
use weft::check::{Test, until, until_asleep};
use weft::thread::Local;
use weft::{Errno, check, process, tests, thread};

pub const TESTS: &[Test] = tests![
    library_results_come_back,
    library_scopes_lend,
    library_threads_have_ids,
    library_overflow_hits_the_guard,
    library_frees_stacks_after_the_join,
    library_detached_threads_clean_up,
    library_detach_races_with_the_end,
    library_exit_from_deep_inside,
    library_killed_threads_have_no_result,
    library_locals_are_apart,
    library_locals_are_dropped,
    library_nested_merge_sort,
    library_heap_of_eight_threads,
    library_blocks_cross_threads,
];

fn library_results_come_back() {
    let threads: Vec<_> = (0..20u64)
        .map(|i| thread::spawn(move || i * i).unwrap())
        .collect();
    for (i, handle) in threads.into_iter().enumerate() {
        assert_eq!(handle.join(), Ok(Some((i * i) as u64)));
    }
}

fn library_scopes_lend() {
    let mut parts = [[0u32; 10]; 8];
    thread::scope(|scope| {
        for (i, part) in parts.iter_mut().enumerate() {
            scope.spawn(move || part.fill(i as u32)).unwrap();
        }
    });
    for (i, part) in parts.iter().enumerate() {
        assert_eq!(*part, [i as u32; 10]);
    }
}

fn library_threads_have_ids() {
    let handle = thread::spawn(|| (thread::id(), process::id())).unwrap();
    let id = handle.id();
    assert_eq!(handle.join(), Ok(Some((id, process::id()))));
    assert_ne!(id, thread::id());
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    let mut room = [depth; 16];
    core::hint::black_box(&mut room);
    // No stack is that deep; the compiler need not know.
    if depth == u64::MAX {
        0
    } else {
        descend(depth + 1) + room[3]
    }
}

fn library_overflow_hits_the_guard() {
    let watched = Arc::new(AtomicU32::new(5));
    for _ in 0..3 {
        let handle = thread::spawn(|| descend(0)).unwrap();
        // It ends by a fault, alone.
        assert_eq!(handle.join(), Ok(None));
        assert_eq!(watched.load(SeqCst), 5);
    }
    let larger = thread::spawn_with_stack(4 << 20, || {
        let mut room = [1u8; 3 << 20];
        core::hint::black_box(&mut room)
            .iter()
            .map(|byte| *byte as usize)
            .sum::<usize>()
    });
    assert_eq!(larger.unwrap().join(), Ok(Some(3 << 20)));
}

fn library_frees_stacks_after_the_join() {
    let free = || process::system().unwrap().freeram;
    let churn = || {
        for _ in 0..check::rounds(20, 500) {
            let size = thread::DEFAULT_STACK * 4;
            let threads: Vec<_> = (0..10)
                .map(|_| thread::spawn_with_stack(size, || descend_some(100)).unwrap())
                .collect();
            threads
                .into_iter()
                .for_each(|handle| assert!(handle.join().unwrap().is_some()));
        }
    };
    churn();
    let before = free();
    churn();
    churn();
    assert!(free() + (1 << 20) >= before, "{before} {}", free());
}

fn descend_some(depth: u64) -> u64 {
    let mut room = [depth; 16];
    core::hint::black_box(&mut room);
    if depth == 0 {
        0
    } else {
        descend_some(depth - 1) + room[5]
    }
}

fn library_detached_threads_clean_up() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    let count = check::rounds(200, 20_000);
    for _ in 0..count {
        // Dropping the handle detaches.
        loop {
            match thread::spawn(|| ENDED.fetch_add(1, SeqCst)) {
                Ok(_) => break,
                // Many may still be on their way out.
                Err(error) => assert!(matches!(error, Errno::EAGAIN | Errno::ENOMEM)),
            }
            weft::time::give_way();
        }
    }
    until(|| ENDED.load(SeqCst) == count);
    let mine = || {
        check::list()
            .iter()
            .filter(|i| i.tgid == process::id() as u32)
            .count()
    };
    until(|| mine() == 1);
}

fn library_detach_races_with_the_end() {
    for i in 0..check::rounds(300, 20_000) {
        let handle = thread::spawn(|| ()).unwrap();
        (0..i % 4).for_each(|_| weft::time::give_way());
        drop(handle);
    }
    let mine = || {
        check::list()
            .iter()
            .filter(|i| i.tgid == process::id() as u32)
            .count()
    };
    until(|| mine() == 1);
}

fn library_exit_from_deep_inside() {
    let handle = thread::spawn(|| -> u32 { thread::exit() }).unwrap();
    assert_eq!(handle.join(), Ok(None));
}

fn library_killed_threads_have_no_result() {
    let handle = thread::spawn(sleep_for_ever_as::<u32>).unwrap();
    until_asleep(handle.id());
    thread::kill(process::id(), handle.id(), SIGKILL).unwrap();
    assert_eq!(handle.join(), Ok(None));
}

fn sleep_for_ever_as<T>() -> T {
    sleep_for_ever()
}

static NUMBER: Local<Cell<u32>> = Local::new(|| Cell::new(1));
static OTHER: Local<Cell<u64>> = Local::new(|| Cell::new(100));

fn library_locals_are_apart() {
    NUMBER.with(|number| number.set(7));
    thread::scope(|scope| {
        for i in 0..8 {
            let work = move || {
                NUMBER.with(|number| assert_eq!(number.get(), 1));
                for round in 0..100 {
                    NUMBER.with(|number| number.set(i * 1000 + round));
                    OTHER.with(|other| other.set(other.get() + 1));
                    weft::time::give_way();
                    NUMBER.with(|number| assert_eq!(number.get(), i * 1000 + round));
                }
                OTHER.with(|other| assert_eq!(other.get(), 200));
            };
            scope.spawn(work).unwrap();
        }
    });
    NUMBER.with(|number| assert_eq!(number.get(), 7));
    OTHER.with(|other| assert_eq!(other.get(), 100));
}

struct Counted;

static DROPPED: AtomicU32 = AtomicU32::new(0);

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, SeqCst);
    }
}

static COUNTED: Local<Counted> = Local::new(|| Counted);

fn library_locals_are_dropped() {
    let joined: Vec<_> = (0..10)
        .map(|_| thread::spawn(|| COUNTED.with(|_| ())).unwrap())
        .collect();
    joined
        .into_iter()
        .for_each(|handle| assert!(handle.join().unwrap().is_some()));
    assert_eq!(DROPPED.load(SeqCst), 10);
}

/// Sorts by splitting in two threads at each level, down to short runs.
fn sort(numbers: &mut [u32]) {
    if numbers.len() <= 64 {
        return numbers.sort_unstable();
    }
    let (left, right) = numbers.split_at_mut(numbers.len() / 2);
    thread::scope(|scope| {
        scope.spawn(|| sort(left)).unwrap();
        sort(right);
    });
    let merged = merge(left, right);
    numbers.copy_from_slice(&merged);
}

fn merge(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let Some(next) = match (left.peek(), right.peek()) {
        (Some(a), Some(b)) if a <= b => left.next(),
        (Some(_), None) => left.next(),
        _ => right.next(),
    } {
        merged.push(*next);
    }
    merged
}

fn library_nested_merge_sort() {
    let mut random = Random(7);
    let mut numbers: Vec<u32> = (0..check::rounds(4_000, 100_000))
        .map(|_| random.next() as u32)
        .collect();
    let mut expected = numbers.clone();
    sort(&mut numbers);
    expected.sort_unstable();
    assert!(numbers == expected);
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize
    }
}

fn library_heap_of_eight_threads() {
    thread::scope(|scope| {
        for seed in 0..8u64 {
            let work = move || {
                let mut random = Random(seed);
                let mut blocks: Vec<Vec<u8>> = Vec::new();
                for _ in 0..check::rounds(1_000, 50_000) {
                    if random.next().is_multiple_of(2) && !blocks.is_empty() {
                        let block = blocks.swap_remove(random.next() % blocks.len());
                        assert!(block.iter().all(|byte| *byte == seed as u8));
                    } else {
                        let most = [40, 300, 3_000, 50_000][random.next() % 16 / 5];
                        blocks.push(alloc::vec![seed as u8; random.next() % most + 1]);
                    }
                }
            };
            scope.spawn(work).unwrap();
        }
    });
}

/// What one thread allocates, another frees.
fn library_blocks_cross_threads() {
    let queue = weft::sync::Mutex::new(Vec::new());
    let rounds = check::rounds(1_000, 50_000);
    thread::scope(|scope| {
        for i in 0..4u8 {
            let queue = &queue;
            let work = move || {
                for n in 0..rounds {
                    let block = alloc::vec![i; n % 700 + 1];
                    let mut queue = queue.lock();
                    queue.push(block);
                    if queue.len() > 40 {
                        let at = n % queue.len();
                        let taken: Vec<u8> = queue.swap_remove(at);
                        drop(queue);
                        assert!(taken.iter().all(|byte| *byte == taken[0]));
                    }
                }
            };
            scope.spawn(work).unwrap();
        }
    });
}
