//! The heap on the host: against a model, and from many threads.

use super::*;
use std::vec::Vec;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

/// A block filled with its own mark, so that an overlap shows.
struct Filled(*mut u8, usize, u8);

// SAFETY: the block belongs to it.
unsafe impl Send for Filled {}

impl Filled {
    fn new(size: usize, align: usize, mark: u8) -> Filled {
        let block = allocate(size, align);
        assert!(!block.is_null() && (block as usize).is_multiple_of(align));
        // SAFETY: fresh.
        unsafe {
            assert!(capacity(block) >= size);
            block.write_bytes(mark, size);
        }
        Filled(block, size, mark)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        // SAFETY: as it was made.
        unsafe {
            let bytes = std::slice::from_raw_parts(self.0, self.1);
            assert!(
                bytes.iter().all(|&b| b == self.2),
                "another block wrote here"
            );
            free(self.0);
        }
    }
}

fn churn(seed: u64, rounds: usize) -> Vec<Filled> {
    let mut random = Random(seed);
    let mut live: Vec<Filled> = Vec::new();
    for _ in 0..rounds {
        if random.below(100) < 45 && !live.is_empty() {
            live.swap_remove(random.below(live.len()));
        } else {
            let most = [64, 600, 5000, 40_000, 200_000][random.below(40).saturating_sub(35)];
            let most_align = if random.below(10) == 0 { 13 } else { 5 };
            let align = 1 << random.below(most_align);
            live.push(Filled::new(
                random.below(most),
                align,
                random.below(256) as u8,
            ));
        }
    }
    live
}

#[test]
fn blocks_do_not_overlap() {
    drop(churn(1, 40_000));
}

#[test]
fn threads_free_what_others_made() {
    for round in 0..4 {
        let made: Vec<Vec<Filled>> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..4)
                .map(|i| s.spawn(move || churn(round * 4 + i, 4_000)))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        std::thread::scope(|s| {
            for blocks in made {
                s.spawn(move || drop(blocks));
            }
        });
    }
}

#[test]
fn memory_is_used_again() {
    let mut highest = 0;
    for round in 0..50 {
        let blocks: Vec<_> = (0..500).map(|_| Filled::new(1000, 8, 1)).collect();
        let top = blocks.iter().map(|b| b.0 as usize).max().unwrap();
        if round == 5 {
            highest = top;
        }
        assert!(round <= 5 || top <= highest + (4 << 20));
    }
}

#[test]
fn what_cannot_be_is_null() {
    assert!(allocate(usize::MAX / 2 + 1, 8).is_null());
    assert!(allocate(isize::MAX as usize, 8).is_null());
    assert!(allocate(8, 8192).is_null());
}

#[test]
fn realloc_keeps_what_was_there() {
    let heap = Heap;
    let mut size = 1;
    // SAFETY: layouts as allocated.
    unsafe {
        let mut block = heap.alloc(Layout::from_size_align(size, 1).unwrap());
        block.write(77);
        for new in [20, 300, 299, 5000, 100_000, 100_001, 40, 1] {
            block = heap.realloc(block, Layout::from_size_align(size, 1).unwrap(), new);
            assert_eq!(block.read(), 77);
            block.add(new - 1).write(77);
            size = new;
        }
        free(block);
    }
}
