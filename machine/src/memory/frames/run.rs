//! [`Run`]: frames that lie together.

use super::{pointer, store};
use crate::address::PAGE_SIZE;

/// A power of two of frames that lie together in physical memory and in the
/// direct map, with whatever they held before. Free again when dropped.
#[derive(Debug)]
pub struct Run {
    first: u32,
    order: u8,
}

impl Run {
    /// A run of at least `pages` frames. None if there is no such block.
    #[must_use]
    pub fn alloc(pages: usize) -> Option<Self> {
        let order = pages.max(1).checked_next_power_of_two()?.ilog2();
        Some(Self {
            first: store::take_block(order as usize, false)?,
            order: order as u8,
        })
    }

    /// Frames in the run.
    #[must_use]
    pub fn pages(&self) -> usize {
        1 << self.order
    }

    /// The physical address of the first byte.
    #[must_use]
    pub fn physical(&self) -> usize {
        self.first as usize * PAGE_SIZE
    }

    /// The first byte, in the direct map.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        pointer(self.first)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        store::give_block(self.first, usize::from(self.order));
    }
}
