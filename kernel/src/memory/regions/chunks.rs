//! A sorted list of regions, in chunks of limited size.

use super::Region;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use machine::memory::OutOfMemory;

/// Regions in one chunk at most.
const CAPACITY: usize = 64;

/// A place in the list: in front of a region, or after the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    chunk: usize,
    index: usize,
}

/// No chunk is empty.
pub(super) struct Chunks {
    chunks: Vec<Vec<Region>>,
    length: usize,
    /// Where the last search ended, as chunk and index in 32 bits each. The
    /// next is often for the same region; wrong values cost a search.
    hint: AtomicUsize,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            length: 0,
            hint: AtomicUsize::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The position of the first region that ends after `address`.
    #[inline]
    pub(super) fn after(&self, address: usize) -> Position {
        let hint = self.hint.load(Relaxed);
        let hinted = Position {
            chunk: hint >> 32,
            index: hint & 0xffff_ffff,
        };
        match self.get(hinted) {
            Some(region) if address < region.end && self.reaches(hinted, region, address) => hinted,
            _ => self.search(address),
        }
    }

    /// The region at `position`, or the gap below it, holds `address`, which
    /// lies below the region's end.
    #[inline]
    fn reaches(&self, position: Position, region: &Region, address: usize) -> bool {
        region.start <= address
            || self
                .before(position)
                .is_none_or(|before| self.get(before).is_some_and(|below| below.end <= address))
    }

    fn search(&self, address: usize) -> Position {
        let chunk = self
            .chunks
            .partition_point(|chunk| chunk.last().is_some_and(|last| last.end <= address));
        let index = self.chunks.get(chunk).map_or(0, |regions| {
            regions.partition_point(|region| region.end <= address)
        });
        self.hint.store(chunk << 32 | index, Relaxed);
        Position { chunk, index }
    }

    #[inline]
    pub(super) fn get(&self, position: Position) -> Option<&Region> {
        self.chunks.get(position.chunk)?.get(position.index)
    }

    pub(super) fn get_mut(&mut self, position: Position) -> Option<&mut Region> {
        self.chunks.get_mut(position.chunk)?.get_mut(position.index)
    }

    /// The position after `position`.
    pub(super) fn next(&self, position: Position) -> Position {
        let Position { chunk, index } = position;
        match self.chunks.get(chunk) {
            Some(regions) if index + 1 < regions.len() => Position {
                chunk,
                index: index + 1,
            },
            Some(_) => Position {
                chunk: chunk + 1,
                index: 0,
            },
            None => position,
        }
    }

    /// The position before `position`, unless that is the first.
    pub(super) fn before(&self, position: Position) -> Option<Position> {
        let Position { chunk, index } = position;
        if index > 0 {
            return Some(Position {
                chunk,
                index: index - 1,
            });
        }
        let chunk = chunk.checked_sub(1)?;
        let index = self.chunks.get(chunk)?.len().checked_sub(1)?;
        Some(Position { chunk, index })
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Region> {
        self.chunks.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Region> {
        self.chunks.iter_mut().flatten()
    }

    /// Inserts in front of `position`; where. A full chunk is split in two.
    pub(super) fn insert(
        &mut self,
        position: Position,
        region: Region,
    ) -> Result<Position, OutOfMemory> {
        let Position {
            mut chunk,
            mut index,
        } = position;
        if let Some(regions) = self.chunks.get_mut(chunk)
            && regions.len() < CAPACITY
        {
            regions.insert(index, region);
            self.length += 1;
            return Ok(position);
        }
        // In front of a chunk is also after the one before, which may have room.
        if index == 0 && chunk > 0 {
            chunk -= 1;
            index = self.chunks[chunk].len();
        }
        if self.chunks.is_empty() {
            self.chunks.try_reserve(1).map_err(|_| OutOfMemory)?;
            self.chunks.push(new_chunk()?);
        } else if self.chunks[chunk].len() == CAPACITY {
            self.chunks.try_reserve(1).map_err(|_| OutOfMemory)?;
            let mut upper = new_chunk()?;
            upper.extend(self.chunks[chunk].drain(CAPACITY / 2..));
            self.chunks.insert(chunk + 1, upper);
            if index > CAPACITY / 2 {
                chunk += 1;
                index -= CAPACITY / 2;
            }
        }
        self.chunks[chunk].insert(index, region);
        self.length += 1;
        Ok(Position { chunk, index })
    }

    /// Removes the region at `position`; the position of the one after it.
    pub(super) fn remove(&mut self, position: Position) -> Position {
        let Position { chunk, index } = position;
        self.chunks[chunk].remove(index);
        self.length -= 1;
        if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
        } else if index == self.chunks[chunk].len() {
            return Position {
                chunk: chunk + 1,
                index: 0,
            };
        }
        position
    }

    pub(super) fn duplicate(&self) -> Result<Self, OutOfMemory> {
        let mut chunks = Vec::new();
        chunks
            .try_reserve_exact(self.chunks.len())
            .map_err(|_| OutOfMemory)?;
        for regions in &self.chunks {
            let mut copy = new_chunk()?;
            copy.extend_from_slice(regions);
            chunks.push(copy);
        }
        Ok(Self {
            chunks,
            length: self.length,
            hint: AtomicUsize::new(0),
        })
    }
}

fn new_chunk() -> Result<Vec<Region>, OutOfMemory> {
    let mut chunk = Vec::new();
    chunk.try_reserve_exact(CAPACITY).map_err(|_| OutOfMemory)?;
    Ok(chunk)
}
