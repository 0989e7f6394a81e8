//! Finding free blocks and inodes.

use core::ops::Range;

use abi::Errno;

use super::state::State;
use super::storage::Block;
use crate::files::disk::volume::Number;

/// A run this long is taken without looking for a better one.
const LONG: u32 = 64;

/// Groups whose bitmaps are looked at for a longer run, if there is a short one.
const ENOUGH_GROUPS: u32 = 8;

/// What is free in a group, now and in the last durable state.
struct Free<'b> {
    now: &'b Block,
    base: Option<&'b Block>,
}

impl Free<'_> {
    /// 64 bits, set where a block must not be taken.
    fn word(&self, index: usize) -> u64 {
        let word = |block: &Block| {
            let bytes = block[index * 8..].first_chunk();
            bytes.map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes))
        };
        word(self.now) | self.base.map_or(0, word)
    }

    /// The first bit from `from` on that is free (or not, if `used`); `end` if
    /// there is none before it.
    fn next(&self, from: u32, end: u32, used: bool) -> u32 {
        let mut at = from;
        while at < end {
            let word = self.word(at as usize / 64);
            let wanted = if used { word } else { !word };
            let rest = wanted >> (at % 64);
            if rest != 0 {
                return end.min(at + rest.trailing_zeros());
            }
            at = (at / 64 + 1) * 64;
        }
        end
    }
}

impl State {
    /// Up to `most` free blocks that lie together, near `goal`: ENOSPC. They
    /// are still free afterwards.
    pub fn find_blocks(&mut self, goal: u64, most: u32) -> Result<Range<u64>, Errno> {
        let per_group = u64::from(self.geometry.blocks_per_group);
        let goal = if goal < self.geometry.blocks { goal } else { 0 };
        let first = (goal / per_group) as u32;
        let groups = self.geometry.groups;
        let mut best = 0..0;
        let mut seen = 0;
        // The goal's group comes again at the end, for what lies before it.
        for step in 0..=groups {
            let group = (first + step) % groups;
            let from = if step == 0 {
                (goal % per_group) as u32
            } else {
                0
            };
            if self.descriptor(group)?.free_blocks == 0 {
                continue;
            }
            let found = self.find_in_group(group, from, most)?;
            if found.end - found.start > best.end - best.start {
                best = found;
            }
            seen += 1;
            // Else a disk in small pieces would be read as a whole for each.
            let is_enough = seen >= ENOUGH_GROUPS && !best.is_empty();
            if is_enough || best.end - best.start >= u64::from(most.min(LONG)) {
                break;
            }
        }
        match best.is_empty() {
            true => Err(Errno::ENOSPC),
            false => Ok(best),
        }
    }

    fn find_in_group(&mut self, group: u32, from: u32, most: u32) -> Result<Range<u64>, Errno> {
        let now = self.block_bitmap(group)?;
        let free = Free {
            now: &now,
            base: self.bases.get(&group).map(|base| &**base),
        };
        let start = self.geometry.first_block(group);
        let end = self.geometry.blocks_in(group);
        let mut best = 0..0;
        let mut at = from;
        loop {
            let run = free.next(at, end, false);
            if run == end {
                return Ok(best);
            }
            let run_end = free.next(run, end.min(run.saturating_add(most)), true);
            at = run_end;
            let blocks = start + u64::from(run)..start + u64::from(run_end);
            let taken =
                |reserved: &&Range<u64>| reserved.start < blocks.end && blocks.start < reserved.end;
            let first = self
                .reserved
                .iter()
                .filter(taken)
                .min_by_key(|range| range.start);
            let found = match first {
                Some(reserved) if reserved.start > blocks.start => blocks.start..reserved.start,
                Some(reserved) => {
                    at = (reserved.end - start).min(u64::from(end)) as u32;
                    continue;
                }
                None => blocks,
            };
            if found.end - found.start > best.end - best.start {
                best = found;
            }
            if best.end - best.start >= u64::from(most.min(LONG)) {
                return Ok(best);
            }
        }
    }

    /// One block for metadata, in use from now on: ENOSPC.
    pub fn take_block(&mut self, goal: u64) -> Result<u64, Errno> {
        let found = self.find_blocks(goal, 1)?;
        self.mark_blocks(found.start, 1, true)?;
        Ok(found.start)
    }

    /// Frees blocks of data.
    pub fn free_blocks(&mut self, blocks: Range<u64>) -> Result<(), Errno> {
        if blocks.end > self.geometry.blocks || blocks.start == 0 {
            log::error!("ext4: a file has blocks that are not there: run e2fsck on the disk");
            return Err(Errno::EIO);
        }
        let per_group = u64::from(self.geometry.blocks_per_group);
        let mut at = blocks.start;
        while at < blocks.end {
            let end = blocks.end.min((at / per_group + 1) * per_group);
            self.mark_blocks(at, (end - at) as u32, false)?;
            at = end;
        }
        Ok(())
    }

    /// Frees a block of metadata.
    pub fn free_metadata(&mut self, block: u64) -> Result<(), Errno> {
        self.free_blocks(block..block + 1)?;
        self.buffers.forget(block)
    }

    /// A free inode near `parent`, in use from now on: ENOSPC.
    pub fn take_inode(&mut self, parent: Number, directory: bool) -> Result<Number, Errno> {
        let per_group = self.geometry.inodes_per_group;
        let first = (parent - 1) / per_group;
        for step in 0..self.geometry.groups {
            let group = (first + step) % self.geometry.groups;
            if self.descriptor(group)?.free_inodes == 0 {
                continue;
            }
            let bitmap = self.inode_bitmap(group)?;
            let reserved = match group {
                0 => self.geometry.first_inode - 1,
                _ => 0,
            };
            let free = Free {
                now: &bitmap,
                base: None,
            };
            let bit = free.next(reserved, per_group, false);
            if bit < per_group {
                let number = group * per_group + bit + 1;
                self.mark_inode(number, directory, true)?;
                return Ok(number);
            }
        }
        Err(Errno::ENOSPC)
    }
}
