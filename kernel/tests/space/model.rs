//! Random steps of several processes against a map from page to first byte
//! and rights.

use super::{alone, depart, enter, settle};
use abi::Errno;
use abi::memory::PAGE_SIZE;
use kernel::memory::{Move, Placement, Sort, Space};
use machine::copy;
use machine::frames;
use machine::page_table::Rights;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

const PAGES: usize = 96;
/// In the middle of two leaves.
const BASE: usize = 0x4000_0000 - 48 * PAGE_SIZE;

fn address(page: usize) -> usize {
    BASE + page * PAGE_SIZE
}

#[derive(Clone, Debug)]
enum Step {
    Map(usize, usize, u8),
    Unmap(usize, usize),
    Protect(usize, usize, u8),
    Discard(usize, usize),
    Write(usize, u8),
    Remap(usize, usize, usize, usize),
    Populate(usize, u8),
    Break(usize),
    Fork,
    Switch(usize),
    Exit(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..PAGES, 1..24usize);
    prop_oneof![
        4 => (place(), 0..8u8).prop_map(|((page, count), rights)| Step::Map(page, count, rights)),
        2 => place().prop_map(|(page, count)| Step::Unmap(page, count)),
        2 => (place(), 0..8u8).prop_map(|((page, count), rights)| Step::Protect(page, count, rights)),
        1 => place().prop_map(|(page, count)| Step::Discard(page, count)),
        9 => (0..PAGES, any::<u8>()).prop_map(|(page, byte)| Step::Write(page, byte)),
        3 => (place(), place()).prop_map(|((page, count), (to, length))| Step::Remap(page, count, to, length)),
        1 => (0..PAGES, any::<u8>()).prop_map(|(page, byte)| Step::Populate(page, byte)),
        2 => (0..PAGES / 2).prop_map(Step::Break),
        1 => Just(Step::Fork),
        2 => any::<usize>().prop_map(Step::Switch),
        1 => any::<usize>().prop_map(Step::Exit),
    ]
}

#[derive(Clone)]
struct Process {
    space: Arc<Space>,
    pages: BTreeMap<usize, (u8, Rights)>,
    break_: usize,
}

impl Process {
    fn new() -> Self {
        let space = Space::new().expect("memory");
        space.set_heap(address(0));
        Self {
            space,
            pages: BTreeMap::new(),
            break_: address(0),
        }
    }

    /// What the program reads is what the model says.
    fn check(&self) {
        enter(&self.space);
        for page in (0..PAGES).map(address) {
            let expected = match self.pages.get(&page) {
                Some(&(byte, rights)) if rights.contains(Rights::READ) => Ok(byte),
                _ => Err(copy::Fault),
            };
            let mut byte = [0];
            assert_eq!(copy::copy_in(&mut byte, page).map(|()| byte[0]), expected);
        }
    }

    fn step(&mut self, step: &Step) {
        let space = &self.space;
        let range = |page: usize, count: usize| address(page)..address((page + count).min(PAGES));
        let rights = |bits| {
            let rights = Rights::from_bits(bits);
            if rights == Rights::NONE {
                rights
            } else {
                rights | Rights::READ
            }
        };
        match *step {
            Step::Map(page, count, bits) => {
                let range = range(page, count);
                let fixed = Placement::Fixed(range.start);
                let mapped = space.map(fixed, range.len(), rights(bits), Sort::Private);
                assert_eq!(mapped, Ok(range.start));
                self.pages.extend(
                    range
                        .step_by(PAGE_SIZE)
                        .map(|page| (page, (0, rights(bits)))),
                );
            }
            Step::Unmap(page, count) => {
                let range = range(page, count);
                space.unmap(range.clone()).expect("memory");
                self.pages.retain(|page, _| !range.contains(page));
            }
            Step::Protect(page, count, bits) => {
                let range = range(page, count);
                let whole = self.pages.range(range.clone()).count() == range.len() / PAGE_SIZE;
                assert_eq!(space.protect(range.clone(), rights(bits)).is_ok(), whole);
                if whole {
                    self.pages
                        .range_mut(range)
                        .for_each(|(_, page)| page.1 = rights(bits));
                }
            }
            Step::Discard(page, count) => {
                let range = range(page, count);
                // Says so if not all is mapped, and does it all the same.
                let _ = space.discard(range.clone());
                self.pages.range_mut(range).for_each(|(_, page)| page.0 = 0);
            }
            Step::Write(page, byte) => {
                enter(space);
                let page = address(page);
                let written = copy::copy_out(page, &[byte]).is_ok();
                let expected = self
                    .pages
                    .get_mut(&page)
                    .filter(|page| page.1.contains(Rights::WRITE));
                assert_eq!(written, expected.is_some());
                if let Some(page) = expected {
                    page.0 = byte;
                }
            }
            Step::Populate(page, byte) => {
                let page = address(page);
                let written = space.populate(page, &[byte]).is_ok();
                assert_eq!(written, self.pages.contains_key(&page));
                if let Some(page) = self.pages.get_mut(&page) {
                    page.0 = byte;
                }
            }
            Step::Remap(page, count, to, length) => {
                self.remap(range(page, count), range(to, length));
            }
            Step::Break(page) => self.move_break(address(page)),
            Step::Fork | Step::Switch(_) | Step::Exit(_) => {}
        }
    }

    /// Moves `old` to `new`, which may be of another length: what the model has
    /// there goes, and what it has at `old` moves.
    fn remap(&mut self, old: Range<usize>, new: Range<usize>) {
        if old.start < new.end && new.start < old.end {
            return;
        }
        let used = old.start..old.end.min(old.start + new.len());
        let source = self.pages.get(&used.start).copied();
        // One region: it has the same rights throughout.
        let is_one = used.clone().step_by(PAGE_SIZE).all(|page| {
            let rights = self.pages.get(&page).map(|page| page.1);
            rights.is_some() && rights == source.map(|page| page.1)
        });
        let moved = self
            .space
            .remap(old.clone(), new.len(), Move::To(new.start), false);
        let Some((_, rights)) = source.filter(|_| is_one) else {
            return assert_eq!(moved, Err(Errno::EFAULT));
        };
        assert_eq!(moved, Ok(new.start));
        self.pages.retain(|page, _| !new.contains(page));
        for page in new.clone().step_by(PAGE_SIZE) {
            let before = page - new.start + old.start;
            let byte = self.pages.get(&before).filter(|_| used.contains(&before));
            self.pages
                .insert(page, (byte.map_or(0, |page| page.0), rights));
        }
        self.pages.retain(|page, _| !old.contains(page));
    }

    fn move_break(&mut self, new: usize) {
        let (old, free) = (
            self.break_,
            self.pages
                .range(self.break_..new.max(self.break_))
                .next()
                .is_none(),
        );
        let moves = new <= old || free;
        assert_eq!(self.space.brk(new), if moves { new } else { old });
        if new < old {
            self.pages.retain(|page, _| !(new..old).contains(page));
        } else if moves {
            let rights = Rights::READ | Rights::WRITE;
            self.pages.extend(
                (old..new)
                    .step_by(PAGE_SIZE)
                    .map(|page| (page, (0, rights))),
            );
        }
        if moves {
            self.break_ = new;
        }
    }
}

fn run(steps: &[Step]) {
    let mut processes = vec![Process::new()];
    let mut running = 0;
    for step in steps {
        match *step {
            Step::Fork => {
                let mut child = processes[running].clone();
                child.space = processes[running].space.fork().expect("memory");
                processes.push(child);
            }
            Step::Switch(choice) => running = choice % processes.len(),
            Step::Exit(choice) => {
                processes.swap_remove(choice % processes.len());
                if processes.is_empty() {
                    processes.push(Process::new());
                }
                running = 0;
            }
            _ => processes[running].step(step),
        }
    }
    for process in &processes {
        process.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn processes_agree_with_maps_of_pages(steps in prop::collection::vec(step(), 1..120)) {
        let _alone = alone();
        let free = frames::free_count();
        run(&steps);
        depart();
        settle();
        prop_assert_eq!(frames::free_count(), free, "frames are missing");
    }
}
