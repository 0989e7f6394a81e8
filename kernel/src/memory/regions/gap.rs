//! Where there is room for a new region.

use super::Regions;

/// Kept free below a region that grows, so that what is mapped there next is
/// not overrun unnoticed.
pub(super) const STACK_GUARD: usize = 64 * abi::memory::PAGE_SIZE;

impl Regions {
    /// The highest start, not below `lowest`, of `length` free bytes that end
    /// at or below `top`. Room a stack may grow into is not free.
    pub fn gap_below(&self, top: usize, length: usize, lowest: usize) -> Option<usize> {
        let mut end = top;
        let first = self.chunks.after(top);
        // A region that begins below `top` but ends above it, or a stack above
        // it, also takes room away.
        if let Some(region) = self.chunks.get(first) {
            end = end.min(guarded(region.floor(), region));
        }
        for region in self.chunks.iter_back(first) {
            if end
                .checked_sub(region.end)
                .is_some_and(|room| room >= length)
            {
                break;
            }
            end = end.min(guarded(region.floor(), region));
        }
        end.checked_sub(length).filter(|&start| start >= lowest)
    }
}

/// The highest address below a region that others may use.
fn guarded(floor: usize, region: &super::Region) -> usize {
    if floor < region.start {
        floor.saturating_sub(STACK_GUARD)
    } else {
        floor
    }
}
