//! The buddy system against a naive model: a map of which frame is free.

use super::buddy::{Buddy, ORDERS};
use super::meta::Meta;
use proptest::prelude::*;
use std::vec::Vec;

/// Frames of the arena; odd, with a hole.
const TOP: u32 = 40_000;
const RANGES: [(u32, u32); 3] = [(1, 5_000), (5_003, 20_001), (24_576, TOP)];

fn filled(metas: &[Meta]) -> Buddy {
    let mut buddy = Buddy::new();
    for (start, end) in RANGES {
        Buddy::mark(metas, start, end);
    }
    for (start, end) in RANGES {
        buddy.add(metas, start, end);
    }
    buddy
}

/// Records as they are at boot: garbage.
fn garbage() -> Vec<Meta> {
    let metas: Vec<Meta> = (0..TOP).map(|_| Meta::default()).collect();
    for (index, meta) in metas.iter().enumerate() {
        meta.set(super::meta::Kind::Free, index % ORDERS);
        meta.set_word(0x1234_5678_9abc_def0);
    }
    metas
}

#[test]
fn all_frames_can_be_had_and_merge_again() {
    let metas = garbage();
    let mut buddy = filled(&metas);
    let total: u32 = RANGES.iter().map(|(start, end)| end - start).sum();
    assert_eq!(buddy.free_count(), total as usize);
    let mut taken = Vec::new();
    while let Some(number) = buddy.alloc(&metas, 0) {
        assert!(
            RANGES
                .iter()
                .any(|&(start, end)| (start..end).contains(&number))
        );
        taken.push(number);
    }
    assert_eq!(buddy.free_count(), 0);
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), total as usize);
    for number in taken.into_iter().rev() {
        buddy.free(&metas, number, 0);
    }
    // The range of 15,424 frames from 24,576 holds three blocks of 4,096; the
    // range to 20,001 two.
    for _ in 0..5 {
        assert!(buddy.alloc(&metas, ORDERS - 1).is_some());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize),
    Free(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..ORDERS + 1).prop_map(Step::Alloc),
        2 => any::<usize>().prop_map(Step::Free),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn agrees_with_a_map_of_frames(steps in steps()) {
        let metas = garbage();
        let mut buddy = filled(&metas);
        let mut is_free = vec![false; TOP as usize];
        for (start, end) in RANGES {
            is_free[start as usize..end as usize].fill(true);
        }
        let mut taken: Vec<(u32, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Alloc(order) => {
                    let size = 1usize << order;
                    if let Some(number) = buddy.alloc(&metas, order) {
                        prop_assert_eq!(number as usize % size, 0);
                        let block = &mut is_free[number as usize..number as usize + size];
                        prop_assert!(block.iter().all(|&free| free));
                        block.fill(false);
                        taken.push((number, order));
                    } else if order < ORDERS {
                        let any = is_free.chunks_exact(size).any(|block| block.iter().all(|&free| free));
                        prop_assert!(!any, "a free block of order {} was not found", order);
                    }
                }
                Step::Free(choice) if !taken.is_empty() => {
                    let (number, order) = taken.swap_remove(choice % taken.len());
                    is_free[number as usize..number as usize + (1 << order)].fill(true);
                    buddy.free(&metas, number, order);
                }
                Step::Free(_) => {}
            }
            prop_assert_eq!(buddy.free_count(), is_free.iter().filter(|&&free| free).count());
        }
    }
}
