//! The journal: a log of transactions, each a set of blocks with where they
//! belong. One that is complete is replayed after a crash; so its blocks can go
//! home later, many at a time (kernel documentation, ext4/journal.rst).
//!
//! [`Journal`] knows where the log lies; `write.rs` adds transactions to it,
//! `recover.rs` brings them home. No locks: its owner has one.

mod format;
mod recover;
#[cfg(test)]
mod tests;
mod write;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;

use super::checksum::crc32c;
use super::storage::{Block, Storage};
use format::Superblock;

/// See the module. Blocks of the journal count from 0, its superblock.
pub struct Journal {
    storage: Arc<dyn Storage>,
    /// Where it lies on the disk, in order.
    runs: Vec<Range<u64>>,
    superblock: Superblock,
    /// What checksums begin with.
    seed: u32,
    /// Transactions may use these blocks.
    area: Range<u32>,
    /// Where the next transaction goes, and its number.
    head: u32,
    sequence: u32,
    /// Blocks in use from the log's start up to `head`.
    used: u32,
    /// A write has failed: what the log holds is not known any more.
    is_aborted: bool,
}

impl Journal {
    /// Reads the superblock of the journal that lies at `runs`: EINVAL, with
    /// the reason in the log, if it cannot be used; EIO, ENOMEM.
    pub fn open(storage: Arc<dyn Storage>, runs: Vec<Range<u64>>) -> Result<Journal, Errno> {
        let mut first = Block::new()?;
        let place = runs.first().map_or(0, |run| run.start);
        storage.read(place, &mut first)?;
        let superblock = Superblock(first);
        if let Err(reason) = superblock.check() {
            return refuse(reason);
        }
        let there = runs
            .iter()
            .fold(0, |sum: u64, run| sum.saturating_add(length_of(run)));
        let area = superblock.first()..superblock.length();
        let start = superblock.start();
        let is_sane = area.start > 0
            && area.end.saturating_sub(area.start) >= 64
            && u64::from(area.end) <= there
            && runs.iter().all(|run| run.end <= storage.blocks())
            && (start == 0 || area.contains(&start));
        if !is_sane {
            return refuse("its superblock makes no sense");
        }
        if superblock.error() != 0 {
            log::warn!("ext4: the journal says that the disk has errors: run e2fsck on it");
        }
        Ok(Journal {
            seed: crc32c(!0, &superblock.uuid()),
            head: area.start,
            // As Linux does: the number of a transaction that was begun when the
            // power failed is not used again.
            sequence: superblock.sequence().wrapping_add(1),
            used: 0,
            is_aborted: false,
            storage,
            runs,
            superblock,
            area,
        })
    }

    /// Whether the log holds something.
    pub fn needs_recovery(&self) -> bool {
        self.superblock.start() != 0
    }

    /// Blocks that one transaction may have: a quarter of the log.
    pub fn most_blocks(&self) -> usize {
        self.area.len() / 4
    }

    /// Blocks that are free in the log.
    pub fn free_blocks(&self) -> usize {
        self.area.len() - self.used as usize
    }

    /// Whether a write has failed, after which every call is an EROFS.
    pub fn is_aborted(&self) -> bool {
        self.is_aborted
    }

    /// Where a block of the journal lies.
    fn place(&self, block: u32) -> Result<u64, Errno> {
        let mut rest = u64::from(block);
        for run in &self.runs {
            let length = length_of(run);
            if rest < length {
                return Ok(run.start + rest);
            }
            rest -= length;
        }
        Err(Errno::EIO)
    }

    /// The block after `block` in the log, which is a ring.
    fn next(&self, block: u32) -> u32 {
        match block + 1 {
            next if next == self.area.end => self.area.start,
            next => next,
        }
    }

    fn write_superblock(&mut self) -> Result<(), Errno> {
        self.superblock.seal();
        let place = self.place(0)?;
        self.storage.write(&[(place, &self.superblock.0)])
    }
}

fn length_of(run: &Range<u64>) -> u64 {
    run.end.saturating_sub(run.start)
}

fn refuse<T>(reason: &str) -> Result<T, Errno> {
    log::error!("ext4: the journal cannot be used: {reason}: run e2fsck on the disk");
    Err(Errno::EINVAL)
}
