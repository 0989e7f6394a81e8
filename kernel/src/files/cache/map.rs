//! Pages that address spaces map.
//!
//! A page is mapped while the pages are locked, so that nothing comes between
//! the look at it and its mapping: whoever cuts a file or writes a page back
//! first says so in the cache and then tells the mappings, and finds every
//! mapping that did not see it.

use abi::Errno;
use core::ops::Range;
use machine::frames::Frame;

use super::page_map::State;
use super::{Mappers, PageCache, pages_of};

impl PageCache {
    /// Who maps pages of this file.
    pub fn mappers(&self) -> &Mappers {
        &self.mappers
    }

    /// Calls `map` with the frame of page `index`, which is read if need be, and
    /// dirty if `writes`; `None` behind the end of the file. Neither a cut nor a
    /// write-back begins meanwhile. `map` does not sleep.
    ///
    /// # Errors
    /// Those of `page` and `page_for_write`.
    pub fn with_page<R>(
        &self,
        index: u64,
        writes: bool,
        map: impl FnOnce(&Frame) -> R,
    ) -> Result<Option<R>, Errno> {
        loop {
            let found = match writes {
                true => self.page_for_write(index)?,
                false => self.page(index)?,
            };
            let Some(frame) = found else {
                return Ok(None);
            };
            let mut pages = self.pages.lock();
            let is_dirty = pages.map.is_dirty(index);
            let page = pages.map.get_mut(index);
            let is_same = page.is_some_and(|page| page.frame.is_same(&frame));
            if is_same && index < pages_of(self.size()) && (is_dirty || !writes) {
                return Ok(Some(map(&frame)));
            }
        }
    }

    /// If page `index` is not in memory, reads all of `range` that is not, which
    /// holds it: what is near a page that is mapped is wanted soon. Errors are
    /// left to whoever needs the page.
    pub fn read_around(&self, index: u64, range: Range<u64>) {
        if self.pages.lock().map.contains(index) {
            return;
        }
        let mut at = range.start;
        while at < range.end.min(pages_of(self.size())) {
            let is_there = self.pages.lock().map.contains(at);
            if !is_there && self.read_missing(at, range.end - at).is_err() {
                return;
            }
            at += 1;
        }
    }

    /// Calls `map` with those of some pages that are in memory, as `with_page`
    /// does for one.
    pub fn with_resident(&self, range: Range<u64>, mut map: impl FnMut(u64, &Frame)) {
        let mut pages = self.pages.lock();
        for index in range.start..range.end.min(pages_of(self.size())) {
            if let Some(page) = pages.map.get_mut(index)
                && page.state != State::Reading
            {
                map(index, &page.frame);
            }
        }
    }

    /// Nothing is mapped any more of what lies from page `first` on.
    pub(super) fn unmap_from(&self, first: u64) {
        if self.mappers.are_any() {
            self.mappers
                .for_each(|mapping| mapping.unmap(first..u64::MAX));
        }
    }

    /// What is written to the pages from now on makes them dirty.
    pub(super) fn protect(&self, range: Range<u64>) {
        if self.mappers.write() {
            self.mappers
                .for_each(|mapping| mapping.protect(range.clone()));
        }
    }
}
