//! Which pages of a file are in memory: a sparse map from page number to page.
//!
//! Plain data; the cache's lock guards it. Pages lie in blocks of 64, sorted by
//! number, each with a bit per page that says what is dirty, so that neither
//! write-back nor a cut looks at pages it has no business with, and one for what
//! is promised room besides. Growth is fallible and leaves the map as it was when
//! memory runs out.

use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;
use machine::frames::Frame;

/// Pages of a block: one bit each in a word.
const BLOCK: u64 = 64;

/// What a page is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its bytes are good.
    Ready,
    /// Being read; nobody may look at it yet.
    Reading,
    /// Being written; may be read and written meanwhile.
    Writing,
}

/// One page in memory.
pub struct Page {
    pub frame: Frame,
    pub state: State,
    /// Looked up since reclaim last came by.
    pub used: bool,
}

/// The pages `64 * number ..` of the file.
struct Block {
    number: u64,
    dirty: u64,
    /// Of those that are dirty.
    promised: u64,
    count: usize,
    /// As many as needed up to the last page that is there.
    pages: Vec<Option<Page>>,
}

/// See the module.
pub struct PageMap {
    /// Sorted by number; none is empty.
    blocks: Vec<Block>,
    count: usize,
    dirty: usize,
    promised: usize,
}

fn bit(index: u64) -> u64 {
    1 << (index % BLOCK)
}

fn slot(index: u64) -> usize {
    (index % BLOCK) as usize
}

impl PageMap {
    pub const fn new() -> PageMap {
        PageMap {
            blocks: Vec::new(),
            count: 0,
            dirty: 0,
            promised: 0,
        }
    }

    /// Pages in memory.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Pages that are dirty.
    pub fn dirty_count(&self) -> usize {
        self.dirty
    }

    /// Those of them that are promised room.
    pub fn promised_count(&self) -> usize {
        self.promised
    }

    /// Where block `number` is, or would be.
    fn search(&self, number: u64) -> Result<usize, usize> {
        // A file is mostly read and written towards its end, or is one block.
        match self.blocks.last() {
            Some(last) if last.number == number => Ok(self.blocks.len() - 1),
            Some(last) if last.number > number => self
                .blocks
                .binary_search_by_key(&number, |block| block.number),
            _ => Err(self.blocks.len()),
        }
    }

    pub fn get_mut(&mut self, index: u64) -> Option<&mut Page> {
        let at = self.search(index / BLOCK).ok()?;
        self.blocks[at].pages.get_mut(slot(index))?.as_mut()
    }

    pub fn contains(&self, index: u64) -> bool {
        let Ok(at) = self.search(index / BLOCK) else {
            return false;
        };
        self.blocks[at]
            .pages
            .get(slot(index))
            .is_some_and(Option::is_some)
    }

    pub fn is_dirty(&self, index: u64) -> bool {
        self.search(index / BLOCK)
            .is_ok_and(|at| self.blocks[at].dirty & bit(index) != 0)
    }

    /// Puts a clean page where none is. ENOMEM changes nothing.
    pub fn insert(&mut self, index: u64, page: Page) -> Result<(), Errno> {
        let no_memory = |_| Errno::ENOMEM;
        let number = index / BLOCK;
        let slot = slot(index);
        match self.search(number) {
            Ok(at) => {
                let block = &mut self.blocks[at];
                let more = (slot + 1).saturating_sub(block.pages.len());
                block.pages.try_reserve(more).map_err(no_memory)?;
                if more > 0 {
                    block.pages.resize_with(slot + 1, || None);
                }
                debug_assert!(block.pages[slot].is_none());
                block.pages[slot] = Some(page);
                block.count += 1;
            }
            Err(at) => {
                let mut pages = Vec::new();
                pages.try_reserve(slot + 1).map_err(no_memory)?;
                self.blocks.try_reserve(1).map_err(no_memory)?;
                pages.resize_with(slot, || None);
                pages.push(Some(page));
                let block = Block {
                    number,
                    dirty: 0,
                    promised: 0,
                    count: 1,
                    pages,
                };
                self.blocks.insert(at, block);
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Takes a page out.
    pub fn remove(&mut self, index: u64) -> Option<Page> {
        let at = self.search(index / BLOCK).ok()?;
        self.take_dirty(index);
        let block = &mut self.blocks[at];
        let page = block.pages.get_mut(slot(index))?.take()?;
        block.count -= 1;
        self.count -= 1;
        if block.count == 0 {
            self.blocks.remove(at);
        }
        Some(page)
    }

    /// Makes a page that is there dirty, if it is not; whether it was made so. Only
    /// then `promise` is asked whether it is promised room.
    pub fn set_dirty(&mut self, index: u64, promise: impl FnOnce() -> bool) -> bool {
        let Ok(at) = self.search(index / BLOCK) else {
            return false;
        };
        let block = &mut self.blocks[at];
        if block.dirty & bit(index) != 0 {
            return false;
        }
        block.dirty |= bit(index);
        self.dirty += 1;
        if promise() {
            block.promised |= bit(index);
            self.promised += 1;
        }
        true
    }

    /// Makes a dirty page clean: whether it was promised room. `None` if it is not
    /// dirty.
    pub fn take_dirty(&mut self, index: u64) -> Option<bool> {
        let at = self.search(index / BLOCK).ok()?;
        let block = &mut self.blocks[at];
        if block.dirty & bit(index) == 0 {
            return None;
        }
        block.dirty &= !bit(index);
        self.dirty -= 1;
        let promised = block.promised & bit(index) != 0;
        block.promised &= !bit(index);
        self.promised -= usize::from(promised);
        Some(promised)
    }

    /// The first dirty page of `range`.
    pub fn next_dirty(&self, range: Range<u64>) -> Option<u64> {
        let first = range.start / BLOCK;
        let from = self.search(first).unwrap_or_else(|at| at);
        for block in &self.blocks[from..] {
            let mut dirty = block.dirty;
            if block.number == first {
                dirty &= u64::MAX << (range.start % BLOCK);
            }
            if dirty != 0 {
                let index = block.number * BLOCK + u64::from(dirty.trailing_zeros());
                return (index < range.end).then_some(index);
            }
        }
        None
    }

    /// The first page from `from` on that is in memory.
    pub fn next(&self, from: u64) -> Option<u64> {
        let first = from / BLOCK;
        let at = self.search(first).unwrap_or_else(|at| at);
        for block in &self.blocks[at..] {
            let skip = if block.number == first { slot(from) } else { 0 };
            let found = block.pages.iter().skip(skip).position(Option::is_some);
            if let Some(found) = found {
                return Some(block.number * BLOCK + (skip + found) as u64);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::frames::arena;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(u64),
        /// With a promise or without.
        Dirty(u64, bool),
        Clean(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let index = || prop_oneof![0u64..8, 60u64..70, 0u64..400, Just(1u64 << 40)];
        prop_oneof![
            index().prop_map(Step::Insert),
            index().prop_map(Step::Remove),
            (index(), any::<bool>()).prop_map(|(index, promise)| Step::Dirty(index, promise)),
            index().prop_map(Step::Clean),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in proptest::collection::vec(step(), 0..80), from in 0u64..420) {
            arena::init();
            let mut map = PageMap::new();
            let mut model = BTreeMap::<u64, Option<bool>>::new();
            for step in steps {
                match step {
                    Step::Insert(index) if !model.contains_key(&index) => {
                        let frame = Frame::alloc().expect("memory");
                        let page = Page { frame, state: State::Ready, used: false };
                        map.insert(index, page).expect("memory");
                        model.insert(index, None);
                    }
                    Step::Insert(_) => {}
                    Step::Remove(index) => {
                        prop_assert_eq!(map.remove(index).is_some(), model.remove(&index).is_some());
                    }
                    Step::Dirty(index, promise) => {
                        if let Some(was) = model.get_mut(&index) {
                            prop_assert_eq!(map.set_dirty(index, || promise), was.is_none());
                            *was = was.or(Some(promise));
                        }
                    }
                    Step::Clean(index) => {
                        let was = model.get_mut(&index).and_then(Option::take);
                        prop_assert_eq!(map.take_dirty(index), was);
                    }
                }
                let dirty = |range: Range<u64>| model.range(range).find(|(_, dirty)| dirty.is_some()).map(|(index, _)| *index);
                prop_assert_eq!(map.count(), model.len());
                prop_assert_eq!(map.dirty_count(), model.values().flatten().count());
                prop_assert_eq!(map.promised_count(), model.values().filter(|dirty| **dirty == Some(true)).count());
                prop_assert_eq!(map.next_dirty(from..u64::MAX), dirty(from..u64::MAX));
                prop_assert_eq!(map.next_dirty(from..from + 9), dirty(from..from + 9));
                prop_assert_eq!(map.next(from), model.range(from..).next().map(|(index, _)| *index));
                prop_assert_eq!(map.contains(from), model.contains_key(&from));
                prop_assert_eq!(map.is_dirty(from), model.get(&from).is_some_and(Option::is_some));
            }
        }
    }
}
