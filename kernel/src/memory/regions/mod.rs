//! Which addresses of a space are mapped: regions that do not overlap, sorted
//! by address. Neighbours that differ in nothing are one region.
//!
//! The regions are in chunks of limited size, so that a space of many thousand
//! regions (two for each thread's stack) neither moves them all on each change
//! nor allocates for each region. What allocates can fail, and then nothing
//! that a caller could see has changed.

mod chunks;
mod gap;
mod region;
#[cfg(test)]
mod tests;

pub use gap::Gap;
pub use region::{Backing, Lock, Region};

use chunks::{Chunks, Position};
use core::ops::Range;
use machine::memory::OutOfMemory;
use machine::page_table::Rights;

/// Regions that one space can have.
const MOST: usize = 65_536;

/// The regions of one space.
pub struct Regions {
    chunks: Chunks,
}

impl Regions {
    pub const fn new() -> Self {
        Self {
            chunks: Chunks::new(),
        }
    }

    /// The region that holds `address`.
    #[inline]
    pub fn find(&self, address: usize) -> Option<&Region> {
        self.after(address).filter(|region| region.start <= address)
    }

    /// The first region that ends after `address`.
    #[inline]
    pub fn after(&self, address: usize) -> Option<&Region> {
        self.chunks.get(self.chunks.after(address))
    }

    /// All regions, by address.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Region> {
        self.chunks.iter()
    }

    /// All regions, by address; what is mapped where stays as it is.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Region> {
        self.chunks.iter_mut()
    }

    /// The regions that overlap `range`, by address.
    pub fn overlapping(&self, range: Range<usize>) -> impl Iterator<Item = &Region> {
        let mut position = self.chunks.after(range.start);
        core::iter::from_fn(move || {
            let region = self.chunks.get(position)?;
            position = self.chunks.next(position);
            Some(region)
        })
        .take_while(move |region| region.start < range.end)
    }

    /// No region overlaps `range`.
    pub fn is_free(&self, range: &Range<usize>) -> bool {
        self.after(range.start)
            .is_none_or(|region| region.start >= range.end)
    }

    /// Regions that grant `rights` cover all of `range`.
    pub fn cover(&self, range: Range<usize>, rights: Rights) -> bool {
        let mut reached = range.start;
        let mut position = self.chunks.after(reached);
        while reached < range.end {
            match self.chunks.get(position) {
                Some(region) if region.start <= reached && region.rights.contains(rights) => {
                    reached = region.end;
                }
                _ => return false,
            }
            position = self.chunks.next(position);
        }
        true
    }

    /// Adds a region where none is.
    pub fn insert(&mut self, region: Region) -> Result<(), OutOfMemory> {
        self.insert_in(self.gap_at(region.start), region)
    }

    /// Adds a region that starts where the gap does, which nothing has changed.
    pub fn insert_in(&mut self, gap: Gap, region: Region) -> Result<(), OutOfMemory> {
        debug_assert!(region.start < region.end && self.is_free(&region.range()));
        let position = gap.position;
        if let Some(before) = self.chunks.before(position)
            && let Some(region_before) = self.chunks.get_mut(before)
            && region_before.continues_with(&region)
        {
            region_before.end = region.end;
            self.merge(position);
            return Ok(());
        }
        if let Some(region_after) = self.chunks.get_mut(position)
            && region.continues_with(region_after)
        {
            region_after.start = region.start;
            return Ok(());
        }
        if self.chunks.len() >= MOST {
            return Err(OutOfMemory);
        }
        self.chunks.insert(position, region)?;
        Ok(())
    }

    /// Sees to it that `remove` of this range does not fail, with nothing changed
    /// as to what is mapped; false if no region overlaps it.
    pub fn prepare_removal(&mut self, range: &Range<usize>) -> Result<bool, OutOfMemory> {
        let position = self.chunks.after(range.start);
        let Some(first) = self.region_before(position, range.end) else {
            return Ok(false);
        };
        // A hole: the one case that needs room.
        if first.start < range.start && first.end > range.end {
            self.split(position, range.start)?;
        }
        Ok(true)
    }

    /// Undoes what was done to prepare a removal from `start` on that is not to be.
    pub fn join(&mut self, start: usize) {
        self.merge(self.chunks.after(start));
    }

    /// Takes `range` out of all regions; false if none overlaps it.
    pub fn remove(&mut self, range: Range<usize>) -> Result<bool, OutOfMemory> {
        if !self.prepare_removal(&range)? {
            return Ok(false);
        }
        let mut position = self.chunks.after(range.start);
        if let Some(first) = self.region_before(position, range.end)
            && first.start < range.start
        {
            first.end = range.start;
            position = self.chunks.next(position);
        }
        while let Some(region) = self.region_before(position, range.end) {
            if region.end > range.end {
                *region = region.split(range.end).1;
                break;
            }
            position = self.chunks.remove(position);
        }
        Ok(true)
    }

    /// Gives all regions in `range` other rights.
    pub fn protect(&mut self, range: Range<usize>, rights: Rights) -> Result<(), OutOfMemory> {
        let mut position = self.chunks.after(range.start);
        if let Some(region) = self.chunks.get(position)
            && region.start <= range.start
            && range.end <= region.end
        {
            let (start, end) = (region.start, region.end);
            if region.rights == rights || self.move_border(position, &range, rights) {
                return Ok(());
            }
            if range.end < end {
                let upper = self.split(position, range.end)?;
                position = self.chunks.before(upper).unwrap_or(position);
            }
            if start < range.start {
                position = self.split(position, range.start)?;
            }
        } else {
            self.border(range.end)?;
            position = self.border(range.start)?;
        }
        self.change(position, range.end, |region| region.rights = rights);
        Ok(())
    }

    /// Locks or unlocks all regions in `range`.
    pub fn lock(&mut self, range: Range<usize>, lock: Lock) -> Result<(), OutOfMemory> {
        self.border(range.end)?;
        let position = self.border(range.start)?;
        self.change(position, range.end, |region| region.lock = lock);
        Ok(())
    }

    /// Changes the regions from `position` on that begin before `end`, and merges
    /// what is alike then.
    fn change(&mut self, mut position: Position, end: usize, act: impl Fn(&mut Region)) {
        while let Some(region) = self.region_before(position, end) {
            act(region);
            position = self.merge(position);
        }
        self.merge(position);
    }

    /// Does what `protect` does, if that is to move the border between the
    /// region at `position`, which holds `range`, and one next to it.
    fn move_border(&mut self, position: Position, range: &Range<usize>, rights: Rights) -> bool {
        let Some(region) = self.chunks.get(position) else {
            return false;
        };
        let (start, end, lock) = (region.start, region.end, region.lock);
        let gives_lower = start == range.start && range.end < end;
        let gives_upper = end == range.end && start < range.start;
        let neighbour = match (gives_lower, gives_upper) {
            (true, _) => self.chunks.before(position),
            (_, true) => Some(self.chunks.next(position)),
            _ => None,
        };
        let is_private = region.backing == Backing::Private;
        let Some(other) = neighbour
            .filter(|_| is_private)
            .and_then(|neighbour| self.chunks.get_mut(neighbour))
            .filter(|other| other.lock == lock)
            .filter(|other| other.rights == rights && other.backing == Backing::Private)
            .filter(|other| other.end == start || other.start == end)
        else {
            return false;
        };
        let rest = if gives_lower {
            other.end = range.end;
            range.end..end
        } else {
            other.start = range.start;
            start..range.start
        };
        if let Some(region) = self.chunks.get_mut(position) {
            (region.start, region.end) = (rest.start, rest.end);
        }
        true
    }

    /// The region at `position`, if it begins before `end`.
    fn region_before(&mut self, position: Position, end: usize) -> Option<&mut Region> {
        self.chunks
            .get_mut(position)
            .filter(|region| region.start < end)
    }

    /// The region that starts at `start` starts at `lower` from now on, where
    /// nothing is mapped: a stack grows.
    pub fn grow_down(&mut self, start: usize, lower: usize) {
        debug_assert!(self.is_free(&(lower..start)));
        let position = self.chunks.after(start);
        if let Some(region) = self.chunks.get_mut(position) {
            debug_assert_eq!(region.start, start);
            region.start = lower;
            self.merge(position);
        }
    }

    /// The region that starts at `start` ends at `end` from now on, up to where
    /// nothing is mapped, and is backed so.
    pub fn grow_up(&mut self, start: usize, end: usize, backing: Backing) {
        let position = self.chunks.after(start);
        if let Some(region) = self.chunks.get_mut(position) {
            debug_assert!(region.start == start && region.end < end);
            region.end = end;
            region.backing = backing;
            self.merge(self.chunks.next(position));
        }
    }

    /// A copy, for a fork.
    pub fn duplicate(&self) -> Result<Self, OutOfMemory> {
        Ok(Self {
            chunks: self.chunks.duplicate()?,
        })
    }

    /// Makes `address` a border between regions, if it lies inside one. Until
    /// they are merged the two mean what the one did. The position of what
    /// lies above.
    fn border(&mut self, address: usize) -> Result<Position, OutOfMemory> {
        let position = self.chunks.after(address);
        match self.chunks.get(position) {
            Some(region) if region.start < address => self.split(position, address),
            _ => Ok(position),
        }
    }

    /// Splits the region at `position` at `address`, which lies inside it. The
    /// position of the upper part.
    fn split(&mut self, position: Position, address: usize) -> Result<Position, OutOfMemory> {
        // Room for what a change of existing regions needs, past the limit.
        if self.chunks.len() >= MOST + 2 {
            return Err(OutOfMemory);
        }
        let Some(region) = self.chunks.get(position) else {
            return Ok(position);
        };
        let (lower, upper) = region.split(address);
        let inserted = self.chunks.insert(position, lower)?;
        let rest = self.chunks.next(inserted);
        if let Some(region) = self.chunks.get_mut(rest) {
            *region = upper;
        }
        Ok(rest)
    }

    /// Merges the region at `position` with the one before, if they are one.
    /// Returns the position after the result.
    fn merge(&mut self, position: Position) -> Position {
        if let Some(region) = self.chunks.get(position)
            && let Some(before) = self.chunks.before(position)
            && self
                .chunks
                .get(before)
                .is_some_and(|previous| previous.continues_with(region))
        {
            let end = region.end;
            let after = self.chunks.remove(position);
            if let Some(previous) = self.chunks.get_mut(before) {
                previous.end = end;
            }
            return after;
        }
        self.chunks.next(position)
    }
}
