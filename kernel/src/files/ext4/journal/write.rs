//! Adding transactions to the log.
//!
//! A transaction is: revoke blocks, and descriptor blocks with the blocks that
//! they tell of; a flush; the commit block; another flush. So one whose commit
//! block is on the disk is whole, and the data that it points to are there.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;

use super::Journal;
use super::format::{self, CHECKSUM_3, HEAD, Kind, REVOKE, TAIL, Tag, UUID, WIDE};
use crate::files::clock;
use crate::files::ext4::storage::{BLOCK, Block};

const TAG: usize = 16;
/// Tags that fit into a descriptor block; the first has the UUID with it.
const TAGS: usize = (BLOCK - HEAD - TAIL - UUID) / TAG;
/// Numbers that fit into a revoke block.
const REVOKES: usize = (BLOCK - format::REVOKE_FIRST - TAIL) / 8;
/// Blocks that are handed to the disk at a time.
const PART: usize = 128;

/// Blocks on their way into the log.
struct Stream<'j> {
    journal: &'j Journal,
    /// Where the next block goes.
    at: u32,
    count: u32,
    part: Vec<(u64, Arc<Block>)>,
}

impl Stream<'_> {
    fn put(&mut self, block: Arc<Block>) -> Result<(), Errno> {
        if self.part.len() == PART {
            self.send()?;
        }
        // Room for this was made.
        self.part.push((self.journal.place(self.at)?, block));
        self.at = self.journal.next(self.at);
        self.count += 1;
        Ok(())
    }

    fn send(&mut self) -> Result<(), Errno> {
        let mut borrowed: Vec<(u64, &Block)> = Vec::new();
        borrowed
            .try_reserve_exact(self.part.len())
            .map_err(|_| Errno::ENOMEM)?;
        borrowed.extend(self.part.iter().map(|(place, block)| (*place, &**block)));
        self.journal.storage.write(&borrowed)?;
        drop(borrowed);
        self.part.clear();
        Ok(())
    }
}

impl Journal {
    /// Sets what later transactions are written with. Nothing is in the log.
    pub fn start(&mut self) -> Result<(), Errno> {
        self.superblock.set_features(REVOKE | WIDE | CHECKSUM_3);
        self.superblock.set_start(0, self.sequence);
        self.write_superblock()
    }

    /// Writes a transaction: blocks with where they belong, and blocks that no
    /// earlier transaction may be replayed over. It is durable afterwards.
    ///
    /// # Errors
    /// EIO; ENOSPC if there is not enough free in the log; ENOMEM. The log is
    /// as it was then, as far as the next mount can see.
    pub fn commit(&mut self, blocks: &[(u64, Arc<Block>)], revoked: &[u64]) -> Result<(), Errno> {
        let descriptors = blocks.len().div_ceil(TAGS);
        let needed = blocks.len() + descriptors + revoked.len().div_ceil(REVOKES) + 1;
        // One stays free: a full ring would look like an empty one.
        if needed >= self.free_blocks() {
            return Err(Errno::ENOSPC);
        }
        if self.used == 0 {
            self.superblock.set_start(self.head, self.sequence);
            self.write_superblock()?;
        }
        let mut part = Vec::new();
        part.try_reserve_exact(PART).map_err(|_| Errno::ENOMEM)?;
        let mut stream = Stream {
            journal: self,
            at: self.head,
            count: 0,
            part,
        };
        for some in revoked.chunks(REVOKES) {
            stream.put(self.revoke_block(some)?)?;
        }
        for some in blocks.chunks(TAGS) {
            self.put_tagged(&mut stream, some)?;
        }
        stream.send()?;
        // Also the data that it points to, and where the log starts.
        self.storage.flush()?;
        stream.put(self.commit_block()?)?;
        stream.send()?;
        self.storage.flush()?;
        let (at, count) = (stream.at, stream.count);
        self.head = at;
        self.used += count;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    /// Puts a descriptor block and what it tells of.
    fn put_tagged(
        &self,
        stream: &mut Stream<'_>,
        blocks: &[(u64, Arc<Block>)],
    ) -> Result<(), Errno> {
        let mut descriptor = Block::new()?;
        format::put_head(&mut descriptor, Kind::Descriptor, self.sequence);
        let mut escaped: Vec<Arc<Block>> = Vec::new();
        escaped
            .try_reserve_exact(blocks.len())
            .map_err(|_| Errno::ENOMEM)?;
        let uuid = self.superblock.uuid();
        let mut at = HEAD;
        for (index, (number, block)) in blocks.iter().enumerate() {
            let mut flags = 0;
            if index > 0 {
                flags |= format::SAME_UUID;
            }
            if index + 1 == blocks.len() {
                flags |= format::LAST;
            }
            let written = match format::looks_like_own(block) {
                true => {
                    flags |= format::ESCAPED;
                    let mut copy = block.copy()?;
                    format::escape(&mut copy);
                    copy.share()?
                }
                false => block.clone(),
            };
            let tag = Tag {
                number: *number,
                flags,
                checksum: format::data_checksum(&written, self.sequence, self.seed),
            };
            at = format::put_tag(&mut descriptor, at, tag, &uuid);
            escaped.push(written);
        }
        self.seal_own(&mut descriptor, BLOCK - TAIL);
        stream.put(descriptor.share()?)?;
        for block in escaped {
            stream.put(block)?;
        }
        Ok(())
    }

    fn revoke_block(&self, numbers: &[u64]) -> Result<Arc<Block>, Errno> {
        let mut block = Block::new()?;
        format::put_head(&mut block, Kind::Revoke, self.sequence);
        let mut at = format::REVOKE_FIRST;
        for number in numbers {
            block[at..at + 8].copy_from_slice(&number.to_be_bytes());
            at += 8;
        }
        format::put_word(&mut block[..], format::REVOKE_USED, at as u32);
        self.seal_own(&mut block, BLOCK - TAIL);
        block.share()
    }

    fn commit_block(&self) -> Result<Arc<Block>, Errno> {
        let mut block = Block::new()?;
        format::put_head(&mut block, Kind::Commit, self.sequence);
        let now = clock::now();
        let (seconds, nanoseconds) = (now / 1_000_000_000, now % 1_000_000_000);
        let at = format::COMMIT_TIME;
        block[at..at + 8].copy_from_slice(&seconds.to_be_bytes());
        format::put_word(&mut block[..], at + 8, nanoseconds as u32);
        self.seal_own(&mut block, format::COMMIT_CHECKSUM);
        block.share()
    }

    fn seal_own(&self, block: &mut Block, at: usize) {
        let checksum = format::own_checksum(block, at, self.seed);
        format::put_word(&mut block[..], at, checksum);
    }

    /// All transactions are home, and durable there: the log is empty.
    pub fn checkpointed(&mut self) -> Result<(), Errno> {
        self.superblock.set_start(0, self.sequence);
        self.write_superblock()?;
        self.storage.flush()?;
        self.used = 0;
        Ok(())
    }
}
