//! Giving back memory: clean pages, those first that were not looked up since
//! reclaim last came by. One that programs map is taken from them first; who
//! still wants it faults, and so shows that it is in use.

use core::ops::Range;

use super::page_map::State;
use super::{CLUSTER, PageCache, Pages};

impl PageCache {
    /// Drops up to `most` clean pages that nobody uses; how many. Does not sleep.
    pub fn shrink(&self, most: usize) -> usize {
        let mut pages = self.pages.lock();
        let start = pages.hand;
        let mut dropped = pages.drop_unused(start..u64::MAX, most);
        dropped += pages.drop_unused(0..start, most - dropped);
        self.note_count(&pages);
        dropped
    }

    /// The same for pages that nobody uses but those who map them. The caller
    /// holds no lock of a space.
    pub fn shrink_mapped(&self, most: usize) -> usize {
        let (mut next, mut dropped) = (0, 0);
        while dropped < most && self.mappers.are_any() {
            let Some(run) = self.pages.lock().next_mapped(next) else {
                break;
            };
            next = run.end;
            self.mappers.for_each(|mapping| mapping.forget(run.clone()));
            let mut pages = self.pages.lock();
            dropped += pages.drop_unused(run, most - dropped);
            self.note_count(&pages);
        }
        dropped
    }
}

impl Pages {
    /// Drops up to `most` of the pages in `range`: clean, in nobody's hands, and
    /// not marked as used, which they are not from here on. How many.
    fn drop_unused(&mut self, range: Range<u64>, most: usize) -> usize {
        let mut dropped = 0;
        let mut next = range.start;
        while dropped < most
            && let Some(index) = self.map.next(next).filter(|index| range.contains(index))
        {
            next = index + 1;
            if self.is_unused(index, true) {
                self.map.remove(index);
                dropped += 1;
            } else {
                self.unmark(index);
            }
        }
        self.hand = next;
        dropped
    }

    /// The first pages from `from` on, neighbours, that would be dropped but for
    /// being in somebody's hands.
    fn next_mapped(&mut self, from: u64) -> Option<Range<u64>> {
        let mut first = self.map.next(from)?;
        while !self.is_unused(first, false) {
            self.unmark(first);
            first = self.map.next(first + 1)?;
        }
        let mut end = first + 1;
        while end < first + CLUSTER as u64 && self.is_unused(end, false) {
            end += 1;
        }
        Some(first..end)
    }

    /// Whether a page can go.
    fn is_unused(&mut self, index: u64, unique: bool) -> bool {
        !self.map.is_dirty(index)
            && self.map.get_mut(index).is_some_and(|page| {
                !page.used && page.state == State::Ready && page.frame.is_unique() == unique
            })
    }

    /// The page stays this time.
    fn unmark(&mut self, index: u64) {
        if let Some(page) = self.map.get_mut(index) {
            page.used = false;
        }
    }
}
