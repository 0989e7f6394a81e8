//! [`Flush`]: changed pages and the frames that were mapped there, kept until
//! no CPU can reach them.

use super::extents::Extents;
use super::shootdown;
use crate::memory::frames::Frame;
use crate::memory::page_table::PageTable;
use arrayvec::ArrayVec;

/// Frames a batch holds before it has to be carried out.
const CAPACITY: usize = 128;

/// A batch of changed pages of one page table. When it is dropped, every CPU
/// has forgotten the old translations, and only then its frames are given back.
#[must_use = "CPUs forget old translations when the batch is dropped"]
pub struct Flush<'t> {
    table: &'t PageTable,
    extents: Extents,
    frames: ArrayVec<Frame, CAPACITY>,
}

impl<'t> Flush<'t> {
    #[inline]
    pub(in crate::memory) fn new(table: &'t PageTable) -> Self {
        Self {
            table,
            extents: Extents::NONE,
            frames: ArrayVec::new_const(),
        }
    }

    /// The page at `address` had `frame` mapped, and has not any more.
    #[inline]
    pub(in crate::memory) fn unmapped(&mut self, address: usize, frame: Frame) {
        self.extents.add(address);
        self.frames.push(frame);
        if self.frames.is_full() {
            self.carry_out();
        }
    }

    /// The page at `address` grants less than it did.
    #[inline]
    pub(in crate::memory) fn changed(&mut self, address: usize) {
        self.extents.add(address);
    }

    /// Returns when no CPU knows the old translations any more.
    fn carry_out(&mut self) {
        shootdown::run(self.table, &self.extents);
        self.extents = Extents::NONE;
        self.frames.clear();
    }
}

impl Drop for Flush<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.extents.is_empty() {
            self.carry_out();
        }
    }
}
