//! Regions against a map from page to rights.

use super::*;
use abi::memory::PAGE_SIZE;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use proptest::prelude::*;

const PAGES: usize = 400;

fn address(page: usize) -> usize {
    0x10_0000 + page * PAGE_SIZE
}

fn range(first: usize, count: usize) -> Range<usize> {
    address(first)..address((first + count).min(PAGES))
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, usize, u8),
    Remove(usize, usize),
    Protect(usize, usize, u8),
    Lock(usize, usize, bool),
    Duplicate,
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..PAGES, prop_oneof![4 => 1..4usize, 1 => 1..100usize]);
    prop_oneof![
        8 => (place(), 0..4u8).prop_map(|((first, count), rights)| Step::Insert(first, count, rights)),
        3 => place().prop_map(|(first, count)| Step::Remove(first, count)),
        3 => (place(), 0..4u8).prop_map(|((first, count), rights)| Step::Protect(first, count, rights)),
        2 => (place(), any::<bool>()).prop_map(|((first, count), lock)| Step::Lock(first, count, lock)),
        1 => Just(Step::Duplicate),
    ]
}

type Model = BTreeMap<usize, Rights>;

/// The regions as pages; panics unless they are sorted, disjoint and merged.
fn pages(regions: &Regions) -> Model {
    let mut model = Model::new();
    let mut last: Option<Region> = None;
    for region in regions.iter() {
        assert!(region.start < region.end);
        if let Some(last) = &last {
            assert!(last.end <= region.start, "sorted and disjoint");
            assert!(!last.continues_with(region), "merged");
        }
        for page in region.range().step_by(PAGE_SIZE) {
            model.insert(page, region.rights);
        }
        last = Some(region.clone());
    }
    model
}

fn gap(regions: &Regions, top: usize, length: usize, lowest: usize) -> Option<usize> {
    let gap = regions.gap_below(top, length, lowest)?;
    assert_eq!(gap, regions.gap_at(gap.start));
    Some(gap.start)
}

fn check(regions: &Regions, model: &Model, probe: usize) {
    assert_eq!(&pages(regions), model);
    let found = regions.find(address(probe) + 5).map(|region| region.rights);
    assert_eq!(found, model.get(&address(probe)).copied());
    for count in [1, 3, 50] {
        let range = range(probe, count);
        let mut pages = range.clone().step_by(PAGE_SIZE);
        let writable = |page| {
            model
                .get(&page)
                .is_some_and(|rights| rights.contains(Rights::WRITE))
        };
        assert_eq!(
            regions.cover(range.clone(), Rights::WRITE),
            pages.all(writable)
        );
        let is_free = model.range(range.clone()).next().is_none();
        assert_eq!(regions.is_free(&range), is_free);
        let length = count * PAGE_SIZE;
        let top = address(probe);
        let naive = (0..=probe.saturating_sub(count))
            .rev()
            .map(address)
            .find(|&start| {
                start + length <= top && model.range(start..start + length).next().is_none()
            });
        assert_eq!(gap(regions, top, length, address(0)), naive);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn agree_with_a_map_of_pages(steps in prop::collection::vec((step(), 0..PAGES), 1..300)) {
        let mut regions = Regions::new();
        let mut model = Model::new();
        let mut locked = BTreeSet::new();
        for (step, probe) in steps {
            match step {
                Step::Insert(first, count, rights) => {
                    let range = range(first, count);
                    if regions.is_free(&range) {
                        let rights = Rights::from_bits(rights);
                        let region = Region { start: range.start, end: range.end, rights, backing: Backing::Private, lock: Lock::Off };
                        regions.insert(region).expect("memory");
                        model.extend(range.step_by(PAGE_SIZE).map(|page| (page, rights)));
                    }
                }
                Step::Remove(first, count) => {
                    let range = range(first, count);
                    regions.remove(range.clone()).expect("memory");
                    model.retain(|page, _| !range.contains(page));
                    locked.retain(|page| !range.contains(page));
                }
                Step::Lock(first, count, lock) => {
                    let range = range(first, count);
                    let to = if lock { Lock::Full } else { Lock::Off };
                    regions.lock(range.clone(), to).expect("memory");
                    locked.retain(|page| !range.contains(page));
                    if lock {
                        locked.extend(model.range(range).map(|(page, _)| *page));
                    }
                }
                Step::Protect(first, count, rights) => {
                    let rights = Rights::from_bits(rights);
                    let range = range(first, count);
                    regions.protect(range.clone(), rights).expect("memory");
                    model.range_mut(range).for_each(|(_, of)| *of = rights);
                }
                Step::Duplicate => regions = regions.duplicate().expect("memory"),
            }
            check(&regions, &model, probe);
            let is_locked = |region: &&Region| region.lock == Lock::Full;
            let pages = regions.iter().filter(is_locked);
            let pages = pages.flat_map(|region| region.range().step_by(PAGE_SIZE));
            assert!(pages.eq(locked.iter().copied()));
        }
    }
}

fn region(start: usize, end: usize, rights: Rights) -> Region {
    Region {
        start,
        end,
        rights,
        backing: Backing::Private,
        lock: Lock::Off,
    }
}

/// As thread stacks come: each below the last, with a guard.
#[test]
fn thousands_of_regions_stay_fast_and_sorted() {
    let mut regions = Regions::new();
    let mut top = 1 << 40;
    for _ in 0..10_000 {
        let start = gap(&regions, top, 3 * PAGE_SIZE, 0).expect("room");
        let guard = start + PAGE_SIZE;
        regions
            .insert(region(start, guard, Rights::NONE))
            .expect("memory");
        regions
            .insert(region(guard, guard + 2 * PAGE_SIZE, Rights::WRITE))
            .expect("memory");
        top = start;
    }
    assert_eq!(regions.iter().count(), 20_000);
    pages(&regions);
    regions.remove(0..1 << 41).expect("memory");
    assert_eq!(regions.iter().count(), 0);
}

#[test]
fn there_is_a_limit() {
    let mut regions = Regions::new();
    let mut inserted = 0;
    while regions
        .insert(region(
            inserted * 0x2000,
            inserted * 0x2000 + 0x1000,
            Rights::READ,
        ))
        .is_ok()
    {
        inserted += 1;
    }
    assert_eq!(inserted, MOST);
    assert!(regions.remove(0x2000..0x3000).is_ok());
    assert!(regions.insert(region(0x2000, 0x3000, Rights::READ)).is_ok());
}

#[test]
fn a_stack_keeps_its_room() {
    let mut regions = Regions::new();
    let stack = Region {
        start: 0x80_0000,
        end: 0x81_0000,
        rights: Rights::WRITE,
        backing: Backing::Stack { floor: 0x70_0000 },
        lock: Lock::Off,
    };
    regions.insert(stack).expect("memory");
    let below = gap(&regions, 0x81_0000, 0x1000, 0).expect("room");
    assert_eq!(below, 0x70_0000 - super::gap::STACK_GUARD - 0x1000);
    assert_eq!(gap(&regions, 0x78_0000, 0x1000, 0), Some(below));
    assert_eq!(
        gap(&regions, 0x90_0000, 0x1000, 0),
        Some(0x90_0000 - 0x1000)
    );
    regions.grow_down(0x80_0000, 0x7f_0000);
    assert_eq!(
        regions.find(0x7f_0000).map(|region| region.end),
        Some(0x81_0000)
    );
    // A border inside: only what is below it grows.
    regions
        .protect(0x80_0000..0x80_1000, Rights::READ)
        .expect("memory");
    let grows: Vec<bool> = regions
        .iter()
        .map(|region| region.floor() < region.start)
        .collect();
    assert_eq!(grows, [true, false, false]);
}
