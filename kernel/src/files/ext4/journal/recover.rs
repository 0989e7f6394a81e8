//! After a crash: bringing home what the log holds.
//!
//! Three passes over the log: the first finds where the last whole transaction
//! ends, and verifies everything up to there before anything is written; the
//! second notes what was revoked; the third writes blocks home.
//!
//! A transaction without its commit block was cut off by the crash and is left
//! out, whatever its other blocks hold. As commit blocks are written only after
//! all else is durable, damage before one is damage of the disk: an error. The
//! exception are leavings of a file system that was here before: their commit
//! is older than the one before it (Linux tells them the same way).

use alloc::vec::Vec;

use abi::Errno;
use hashbrown::HashMap;

use super::Journal;
use super::format::{self, CHECKSUM_3, Kind, Tag};
use crate::files::allocate::try_vec;
use crate::files::ext4::storage::{Block, Storage};

/// Blocks that are written home at a time.
const PART: usize = 64;

/// The last transaction that revoked a block, by the block's number.
type Revoked = HashMap<u64, u32>;

/// A place in the log.
struct Cursor {
    at: u32,
    /// Blocks of the log that were not passed: more would be a circle.
    left: usize,
    /// The transaction that the blocks from here on should be part of.
    sequence: u32,
}

impl Journal {
    /// Brings all whole transactions home, for good, and empties the log: EIO,
    /// before anything was written, if a whole one is damaged; ENOMEM.
    pub fn recover(&mut self) -> Result<(), Errno> {
        if !self.needs_recovery() {
            return Ok(());
        }
        let first = self.superblock.sequence();
        let end = self.scan()?;
        let revoked = self.revoked_until(end)?;
        self.replay_until(end, &revoked)?;
        self.storage.flush()?;
        log::info!(
            "ext4: {} transactions came home from the journal",
            end.wrapping_sub(first)
        );
        // A number that was begun is not used again: what is left of it could
        // be taken for part of a new one.
        self.sequence = end.wrapping_add(1);
        self.head = self.area.start;
        self.checkpointed()
    }

    /// The number after that of the last whole transaction.
    fn scan(&self) -> Result<u32, Errno> {
        let mut cursor = self.first();
        let mut is_right = true;
        let mut last_time = 0;
        while let Some((kind, block)) = self.next_own(&mut cursor)? {
            is_right &= self.is_sealed(kind, &block);
            match kind {
                Kind::Descriptor => is_right &= self.are_right(&block, &mut cursor)?,
                Kind::Revoke => is_right &= self.revokes(&block).is_some(),
                Kind::Commit => {
                    let time = format::commit_time(&block);
                    if !is_right && time < last_time {
                        break;
                    }
                    if !is_right {
                        return damaged(cursor.sequence);
                    }
                    last_time = time;
                    cursor.sequence = cursor.sequence.wrapping_add(1);
                }
            }
        }
        Ok(cursor.sequence)
    }

    fn revoked_until(&self, end: u32) -> Result<Revoked, Errno> {
        let mut revoked = Revoked::new();
        let mut cursor = self.first();
        while cursor.sequence != end {
            match self.next_verified(&mut cursor)? {
                (Kind::Descriptor, block) => {
                    for _ in self.tags(&block) {
                        self.pass_one(&mut cursor);
                    }
                }
                (Kind::Revoke, block) => {
                    for number in self.revokes(&block).into_iter().flatten() {
                        revoked.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                        // Later transactions come later.
                        revoked.insert(number, cursor.sequence);
                    }
                }
                (Kind::Commit, _) => cursor.sequence = cursor.sequence.wrapping_add(1),
            }
        }
        Ok(revoked)
    }

    fn replay_until(&self, end: u32, revoked: &Revoked) -> Result<(), Errno> {
        let mut home = Home {
            storage: &*self.storage,
            part: try_vec(PART)?,
        };
        let mut cursor = self.first();
        while cursor.sequence != end {
            match self.next_verified(&mut cursor)? {
                (Kind::Descriptor, descriptor) => {
                    for tag in self.tags(&descriptor) {
                        let at = self.pass_one(&mut cursor).ok_or(Errno::EIO)?;
                        let by = revoked.get(&tag.number);
                        if !by.is_some_and(|by| is_at_or_after(*by, cursor.sequence)) {
                            let mut block = self.read(at)?;
                            if tag.flags & format::ESCAPED != 0 {
                                format::unescape(&mut block);
                            }
                            home.put(tag.number, block)?;
                        }
                    }
                }
                (Kind::Revoke, _) => {}
                (Kind::Commit, _) => cursor.sequence = cursor.sequence.wrapping_add(1),
            }
        }
        home.send()
    }

    fn first(&self) -> Cursor {
        Cursor {
            at: self.superblock.start(),
            left: self.area.len(),
            sequence: self.superblock.sequence(),
        }
    }

    fn read(&self, at: u32) -> Result<Block, Errno> {
        let mut block = Block::new()?;
        self.storage.read(self.place(at)?, &mut block)?;
        Ok(block)
    }

    /// Steps over a block: where it lies in the journal.
    fn pass_one(&self, cursor: &mut Cursor) -> Option<u32> {
        cursor.left = cursor.left.checked_sub(1)?;
        let at = cursor.at;
        cursor.at = self.next(at);
        Some(at)
    }

    /// Reads one of the journal's own blocks; `None` where the log ends.
    fn next_own(&self, cursor: &mut Cursor) -> Result<Option<(Kind, Block)>, Errno> {
        let Some(at) = self.pass_one(cursor) else {
            return Ok(None);
        };
        let block = self.read(at)?;
        Ok(format::kind(&block, cursor.sequence).map(|kind| (kind, block)))
    }

    /// The same where the scan has found one: EIO if it is there no more.
    fn next_verified(&self, cursor: &mut Cursor) -> Result<(Kind, Block), Errno> {
        match self.next_own(cursor)? {
            Some(own) => Ok(own),
            None => damaged(cursor.sequence),
        }
    }

    fn is_sealed(&self, kind: Kind, block: &Block) -> bool {
        !self.superblock.has_checksums() || format::is_sealed(kind, block, self.seed)
    }

    fn tags<'b>(&self, descriptor: &'b Block) -> format::Tags<'b> {
        format::tags(descriptor, self.superblock.features())
    }

    fn revokes<'b>(&self, block: &'b Block) -> Option<impl Iterator<Item = u64> + use<'b>> {
        format::revokes(block, self.superblock.features())
    }

    /// Steps over what a descriptor block tells of: whether that is right.
    fn are_right(&self, descriptor: &Block, cursor: &mut Cursor) -> Result<bool, Errno> {
        let mut are_right = true;
        for tag in self.tags(descriptor) {
            let Some(at) = self.pass_one(cursor) else {
                return Ok(false);
            };
            are_right = are_right
                && tag.number < self.storage.blocks()
                && !self.runs.iter().any(|run| run.contains(&tag.number))
                && self.is_right(&tag, at, cursor.sequence)?;
        }
        Ok(are_right)
    }

    fn is_right(&self, tag: &Tag, at: u32, sequence: u32) -> Result<bool, Errno> {
        if !self.superblock.has_checksums() {
            return Ok(true);
        }
        let checksum = format::data_checksum(&self.read(at)?, sequence, self.seed);
        Ok(match self.superblock.features() & CHECKSUM_3 {
            0 => tag.checksum == checksum & 0xffff,
            _ => tag.checksum == checksum,
        })
    }
}

/// Blocks on their way home.
struct Home<'s> {
    storage: &'s dyn Storage,
    part: Vec<(u64, Block)>,
}

impl Home<'_> {
    /// Takes a block, which is newer than all that came before.
    fn put(&mut self, number: u64, block: Block) -> Result<(), Errno> {
        // Blocks that are written together arrive in any order.
        if let Some(older) = self.part.iter_mut().find(|(other, _)| *other == number) {
            older.1 = block;
            return Ok(());
        }
        if self.part.len() == PART {
            self.send()?;
        }
        // There is room for this.
        self.part.push((number, block));
        Ok(())
    }

    fn send(&mut self) -> Result<(), Errno> {
        let mut borrowed = try_vec(self.part.len())?;
        borrowed.extend(self.part.iter().map(|(number, block)| (*number, block)));
        self.storage.write(&borrowed)?;
        self.part.clear();
        Ok(())
    }
}

/// Whether transaction `a` is `b` or a later one; numbers wrap.
fn is_at_or_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 >= 0
}

fn damaged<T>(sequence: u32) -> Result<T, Errno> {
    log::error!(
        "ext4: transaction {sequence} in the journal is damaged, and nothing of the journal was \
         brought home: run e2fsck on the disk"
    );
    Err(Errno::EIO)
}
