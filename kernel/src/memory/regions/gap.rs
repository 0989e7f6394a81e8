//! Where there is room for a new region.

use super::chunks::Position;
use super::{Region, Regions};
use abi::memory::USER_END;

/// Kept free below a region that grows, so that what is mapped there next is
/// not overrun unnoticed.
pub(super) const STACK_GUARD: usize = 64 * abi::memory::PAGE_SIZE;

/// Room for a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    pub start: usize,
    /// Where the region goes among the others.
    pub(super) position: Position,
}

impl Regions {
    /// The gap at `start`, where nothing is mapped.
    pub fn gap_at(&self, start: usize) -> Gap {
        let position = self.chunks.after(start);
        Gap { start, position }
    }

    /// The highest start, not below `lowest`, of `length` free bytes that end
    /// at or below `top`. Room a stack may grow into is not free.
    pub fn gap_below(&self, top: usize, length: usize, lowest: usize) -> Option<Gap> {
        let top = top.min(USER_END);
        let mut end = top;
        let mut position = self.chunks.after(top);
        // A region that begins below `top` but ends above it, or a stack above
        // it, also takes room away.
        if let Some(region) = self.chunks.get(position) {
            end = end.min(guarded(region));
        }
        while let Some(before) = self.chunks.before(position) {
            let region = self.chunks.get(before)?;
            if end >= region.end && end - region.end >= length {
                break;
            }
            end = end.min(guarded(region));
            position = before;
        }
        let start = end.checked_sub(length).filter(|&start| start >= lowest)?;
        Some(Gap { start, position })
    }
}

/// The highest address below a region that others may use.
fn guarded(region: &Region) -> usize {
    let floor = region.floor();
    if floor < region.start {
        floor.saturating_sub(STACK_GUARD)
    } else {
        floor
    }
}
