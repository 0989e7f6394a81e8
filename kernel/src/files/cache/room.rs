//! Room in the store that a writer was promised for pages to come.
//!
//! Each page that becomes dirty takes a part of it over, and keeps that until it
//! is written or dropped; what is left when the writer goes on or ends goes back.
//! So the store's promises are dirty pages and what writers have in hand. Pages
//! that need no room in the store, for they have theirs, are dirty without one.

use core::ops::Range;

use abi::Errno;

use super::{CLUSTER, PageCache, Store};

/// See the module.
pub(super) struct Promise<'c> {
    store: &'c dyn Store,
    /// In pages.
    left: usize,
    /// Whether the store promised room, and did not find that it is there.
    is_promised: bool,
}

impl Promise<'_> {
    /// A page becomes dirty, and takes its room over: whether that is promised.
    pub(super) fn use_one(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.is_promised
            }
            // It was dirty when room was asked for, and was written meanwhile.
            None => {
                self.store.reserve_again();
                true
            }
        }
    }

    /// Gives back what is left.
    fn give_back(&mut self) {
        let left = core::mem::take(&mut self.left);
        if self.is_promised && left > 0 {
            self.store.unreserve(left);
        }
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl PageCache {
    /// No room yet.
    pub(super) fn promise(&self) -> Promise<'_> {
        Promise {
            store: &*self.store,
            left: 0,
            is_promised: false,
        }
    }

    /// Reserves room for those of the first `pages` that are clean. Up to where
    /// all have it: at least one page. What is left of the promise goes back.
    pub(super) fn reserve(
        &self,
        pages: Range<u64>,
        promise: &mut Promise<'_>,
    ) -> Result<u64, Errno> {
        promise.give_back();
        let end = pages.end.min(pages.start + CLUSTER as u64);
        let clean = {
            let map = &self.pages.lock().map;
            let mut all = pages.start..end;
            let Some(start) = all.find(|&index| !map.is_dirty(index)) else {
                return Ok(end);
            };
            start..map.next_dirty(start..end).unwrap_or(end)
        };
        let mut ask = |pages: Range<u64>| {
            promise.is_promised = self.store.reserve(pages.clone())?;
            promise.left = (pages.end - pages.start) as usize;
            Ok(pages.end)
        };
        match ask(clean.clone()) {
            // There may be room for less.
            Err(Errno::ENOSPC | Errno::ENOMEM) if clean.end > clean.start + 1 => {
                ask(clean.start..clean.start + 1)
            }
            result => result,
        }
    }
}
