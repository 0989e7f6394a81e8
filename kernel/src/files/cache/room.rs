//! Room in the store that a writer was promised for pages to come.
//!
//! Each page that becomes dirty takes a part of it over, and keeps that until it
//! is written or dropped; what is left when the writer ends goes back. So the
//! store's promises are the dirty pages and what writers have in hand.

use core::ops::Range;

use abi::Errno;

use super::{CLUSTER, PageCache, Store};

/// See the module.
pub(super) struct Promise<'c> {
    store: &'c dyn Store,
    /// In pages.
    left: usize,
}

impl Promise<'_> {
    /// A page has become dirty, and takes its room over.
    pub(super) fn use_one(&mut self) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            // It was dirty when room was asked for, and was written meanwhile.
            None => self.store.reserve_again(),
        }
    }

    fn add(&mut self, mut more: Promise<'_>) {
        self.left += core::mem::take(&mut more.left);
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.store.unreserve(self.left);
        }
    }
}

impl PageCache {
    /// No room yet.
    pub(super) fn promise(&self) -> Promise<'_> {
        Promise {
            store: &*self.store,
            left: 0,
        }
    }

    /// Reserves room for those of the first `pages` that are clean. Up to where
    /// all have it: at least one page.
    pub(super) fn reserve(
        &self,
        pages: Range<u64>,
        promise: &mut Promise<'_>,
    ) -> Result<u64, Errno> {
        let end = pages.end.min(pages.start + CLUSTER as u64);
        match self.reserve_clean(pages.start..end, promise) {
            // There may be room for less.
            Err(Errno::ENOSPC | Errno::ENOMEM) if end > pages.start + 1 => {
                self.reserve_clean(pages.start..pages.start + 1, promise)?;
                Ok(pages.start + 1)
            }
            result => result.map(|()| end),
        }
    }

    /// Reserves room for those of `pages` that are clean: all or nothing.
    pub(super) fn reserve_clean(
        &self,
        pages: Range<u64>,
        promise: &mut Promise<'_>,
    ) -> Result<(), Errno> {
        let mut more = self.promise();
        let mut at = pages.start;
        while at < pages.end {
            let dirty = self.pages.lock().map.next_dirty(at..pages.end);
            let clean_end = dirty.unwrap_or(pages.end);
            if clean_end > at {
                self.store.reserve(at..clean_end)?;
                more.left += (clean_end - at) as usize;
            }
            at = clean_end + 1;
        }
        promise.add(more);
        Ok(())
    }
}
