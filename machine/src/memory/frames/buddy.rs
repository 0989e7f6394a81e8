//! The buddy system: free frames in blocks of powers of two. A block of order
//! `o` starts at a multiple of `2^o`; its buddy differs in that bit, and two
//! free buddies merge.
//!
//! Only heads of blocks have a valid record, so that starting up does not
//! touch the record of every frame: when a block can ask for its buddy, both
//! came from one split, or [`Buddy::mark`] has readied the neighbourhood.

use super::meta::{Kind, List, Meta};

/// Blocks have orders below this: at most 2^12 frames, 16 MiB.
pub(in crate::memory) const ORDERS: usize = 13;

pub(in crate::memory) struct Buddy {
    lists: [List; ORDERS],
    /// Bit `o` is set if the list of order `o` has a block.
    filled: u32,
    /// Frames in all blocks.
    free: usize,
}

impl Buddy {
    pub(in crate::memory) const fn new() -> Self {
        Self {
            lists: [List::new(); ORDERS],
            filled: 0,
            free: 0,
        }
    }

    /// Free frames.
    pub(in crate::memory) fn free_count(&self) -> usize {
        self.free
    }

    /// Readies the records that blocks of the range `start..end` may ask for.
    /// To be done for all ranges before the first is added.
    pub(in crate::memory) fn mark(metas: &[Meta], start: u32, end: u32) {
        let span = 1u32 << (ORDERS - 1);
        for edge in [start, end] {
            let first = edge & !(span - 1);
            for meta in metas.iter().skip(first as usize).take(span as usize) {
                meta.set(Kind::Taken, 0);
            }
        }
    }

    /// Adds the frames `start..end`, which are new to the buddy system.
    pub(in crate::memory) fn add(&mut self, metas: &[Meta], start: u32, end: u32) {
        let mut number = start;
        while number < end {
            let aligned = number.trailing_zeros() as usize;
            let fits = (end - number).ilog2() as usize;
            let order = aligned.min(fits).min(ORDERS - 1);
            self.free(metas, number, order);
            number += 1 << order;
        }
    }

    /// Takes a block of `2^order` frames; the lowest order that has one is split.
    pub(in crate::memory) fn alloc(&mut self, metas: &[Meta], order: usize) -> Option<u32> {
        if order >= ORDERS {
            return None;
        }
        let candidates = self.filled >> order;
        if candidates == 0 {
            return None;
        }
        let mut found = order + candidates.trailing_zeros() as usize;
        let number = self.unlist_first(metas, found)?;
        while found > order {
            found -= 1;
            self.list(metas, number + (1 << found), found);
        }
        metas[number as usize].set(Kind::Taken, 0);
        self.free -= 1 << order;
        Some(number)
    }

    /// Gives back a block, merging it with its buddy as long as that is free.
    pub(in crate::memory) fn free(&mut self, metas: &[Meta], number: u32, order: usize) {
        self.free += 1 << order;
        let (mut number, mut order) = (number, order);
        while order < ORDERS - 1 {
            let buddy = number ^ (1 << order);
            let Some(meta) = metas.get(buddy as usize) else {
                break;
            };
            if !meta.is(Kind::Free) || meta.class() != order {
                break;
            }
            self.unlist(metas, buddy, order);
            // The upper half becomes the inside of a block; were it a head
            // still, nothing would be wrong, but the record should say so.
            metas[number.max(buddy) as usize].set(Kind::Taken, 0);
            number = number.min(buddy);
            order += 1;
        }
        self.list(metas, number, order);
    }

    fn list(&mut self, metas: &[Meta], number: u32, order: usize) {
        metas[number as usize].set(Kind::Free, order);
        self.lists[order].push(metas, number);
        self.filled |= 1 << order;
    }

    fn unlist(&mut self, metas: &[Meta], number: u32, order: usize) {
        self.lists[order].remove(metas, number);
        if self.lists[order].is_empty() {
            self.filled &= !(1 << order);
        }
    }

    fn unlist_first(&mut self, metas: &[Meta], order: usize) -> Option<u32> {
        let number = self.lists[order].first()?;
        self.unlist(metas, number, order);
        Some(number)
    }
}
