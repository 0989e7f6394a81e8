//! The frames that no CPU keeps: the buddy system, and in front of it a stack
//! of loose frames. Single frames come and go far more often than blocks, and
//! merging each only to split it again would cost more than all the rest.

use super::buddy::Buddy;
use super::meta::{Meta, NONE};

/// Loose frames at most: 4 MiB. They are merged when a block is wanted.
const LOOSE: usize = 1024;

pub(super) struct Pool {
    buddy: Buddy,
    /// The top of the stack, linked through the records.
    loose: u32,
    loose_count: usize,
}

impl Pool {
    pub(super) const fn new() -> Self {
        Self {
            buddy: Buddy::new(),
            loose: NONE,
            loose_count: 0,
        }
    }

    /// Adds the frames `start..end`, as [`Buddy::add`] does.
    pub(super) fn add(&mut self, metas: &[Meta], start: u32, end: u32) {
        self.buddy.add(metas, start, end);
    }

    pub(super) fn free_count(&self) -> usize {
        self.buddy.free_count() + self.loose_count
    }

    /// Calls `give` with up to `wanted` frames.
    pub(super) fn take_frames(&mut self, metas: &[Meta], wanted: usize, mut give: impl FnMut(u32)) {
        let loose = wanted.min(self.loose_count);
        for _ in 0..loose {
            give(self.loose);
            self.loose = metas[self.loose as usize].next();
        }
        self.loose_count -= loose;
        let mut missing = wanted - loose;
        // One block of about that many is cheaper than as many frames.
        while missing > 0 {
            let order = missing.ilog2() as usize;
            let Some((block, order)) = self.take_any(metas, order) else {
                return;
            };
            (block..block + (1 << order)).rev().for_each(&mut give);
            missing -= 1 << order;
        }
    }

    /// A block of `order` or, if there is none, of a lower one.
    fn take_any(&mut self, metas: &[Meta], order: usize) -> Option<(u32, usize)> {
        (0..=order)
            .rev()
            .find_map(|order| Some((self.buddy.alloc(metas, order)?, order)))
    }

    pub(super) fn give_frame(&mut self, metas: &[Meta], number: u32) {
        if self.loose_count == LOOSE {
            return self.buddy.free(metas, number, 0);
        }
        metas[number as usize].set_word(u64::from(self.loose));
        self.loose = number;
        self.loose_count += 1;
    }

    pub(super) fn take_block(&mut self, metas: &[Meta], order: usize) -> Option<u32> {
        let block = self.buddy.alloc(metas, order);
        if block.is_some() || self.loose_count == 0 {
            return block;
        }
        while self.loose_count > 0 {
            let number = self.loose;
            self.loose = metas[number as usize].next();
            self.loose_count -= 1;
            self.buddy.free(metas, number, 0);
        }
        self.buddy.alloc(metas, order)
    }

    pub(super) fn give_block(&mut self, metas: &[Meta], number: u32, order: usize) {
        if order == 0 {
            self.give_frame(metas, number);
        } else {
            self.buddy.free(metas, number, order);
        }
    }
}
