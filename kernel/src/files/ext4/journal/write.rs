//! Adding transactions to the log.
//!
//! A transaction is: descriptor blocks with the blocks that they tell of, and
//! revoke blocks; a flush, which makes durable also the data that the
//! transaction points to, written before, and where the log starts; the commit
//! block; another flush. Whatever of it a crash leaves, nothing counts without
//! the commit block, and no number is used again for another transaction after
//! a crash.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;

use super::Journal;
use super::format::{self, CHECKSUM_3, HEAD, Kind, REVOKE, TAIL, Tag, UUID, WIDE};
use crate::files::allocate::try_vec;
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
        let mut borrowed: Vec<(u64, &Block)> = try_vec(self.part.len())?;
        borrowed.extend(self.part.iter().map(|(place, block)| (*place, &**block)));
        self.journal.storage.write(&borrowed)?;
        drop(borrowed);
        self.part.clear();
        Ok(())
    }
}

impl Journal {
    /// Sets what later transactions are written with: EIO if there is something
    /// in the log.
    pub fn start(&mut self) -> Result<(), Errno> {
        if self.needs_recovery() {
            log::error!("ext4: the journal must be recovered before it is written");
            return Err(Errno::EIO);
        }
        self.superblock.set_features(REVOKE | WIDE | CHECKSUM_3);
        self.superblock.set_start(0, self.sequence);
        self.write_superblock()
    }

    /// Blocks of the log that a transaction takes.
    #[must_use]
    pub fn blocks_for(blocks: usize, revoked: usize) -> usize {
        blocks + blocks.div_ceil(TAGS) + revoked.div_ceil(REVOKES) + 1
    }

    /// Writes a transaction: blocks with where they belong, and blocks that no
    /// earlier transaction may be replayed over. It is durable afterwards. What
    /// it has itself is not revoked, only older content of the same block.
    ///
    /// # Errors
    /// ENOSPC if there is not enough free in the log, ENOMEM: nothing has
    /// changed. EIO: the journal is aborted, and the transaction may be found
    /// by the next mount or not. EROFS: it was aborted before.
    pub fn commit(&mut self, blocks: &[(u64, Arc<Block>)], revoked: &[u64]) -> Result<(), Errno> {
        self.check_writable()?;
        // One stays free: a full ring would look like an empty one.
        if Self::blocks_for(blocks.len(), revoked.len()) >= self.free_blocks() {
            return Err(Errno::ENOSPC);
        }
        let revoked = without(revoked, blocks)?;
        let body = self.write_body(blocks, &revoked);
        // Without a commit block, what was written is nothing.
        let (at, count) = match body {
            Err(Errno::ENOMEM) => return Err(Errno::ENOMEM),
            body => self.abort_on_error(body)?,
        };
        let commit = self.commit_block()?;
        let written = self.write_commit(at, &commit);
        self.abort_on_error(written)?;
        self.head = self.next(at);
        self.used += count + 1;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    /// Makes everything of a transaction durable but its commit block: where
    /// that goes, and how many blocks were written.
    fn write_body(
        &mut self,
        blocks: &[(u64, Arc<Block>)],
        revoked: &[u64],
    ) -> Result<(u32, u32), Errno> {
        if self.used == 0 {
            self.superblock.set_start(self.head, self.sequence);
            self.write_superblock()?;
        }
        let mut stream = Stream {
            journal: self,
            at: self.head,
            count: 0,
            part: try_vec(PART)?,
        };
        for some in revoked.chunks(REVOKES) {
            stream.put(self.revoke_block(some)?)?;
        }
        for some in blocks.chunks(TAGS) {
            self.put_tagged(&mut stream, some)?;
        }
        stream.send()?;
        self.storage.flush()?;
        Ok((stream.at, stream.count))
    }

    fn write_commit(&self, at: u32, commit: &Block) -> Result<(), Errno> {
        self.storage.write(&[(self.place(at)?, commit)])?;
        self.storage.flush()
    }

    /// Puts a descriptor block and what it tells of.
    fn put_tagged(
        &self,
        stream: &mut Stream<'_>,
        blocks: &[(u64, Arc<Block>)],
    ) -> Result<(), Errno> {
        let mut descriptor = Block::new()?;
        format::put_head(&mut descriptor, Kind::Descriptor, self.sequence);
        let mut escaped: Vec<Arc<Block>> = try_vec(blocks.len())?;
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
        format::seal(Kind::Descriptor, &mut descriptor, self.seed);
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
        format::seal(Kind::Revoke, &mut block, self.seed);
        block.share()
    }

    fn commit_block(&self) -> Result<Block, Errno> {
        let mut block = Block::new()?;
        format::put_head(&mut block, Kind::Commit, self.sequence);
        format::put_commit_time(&mut block, clock::now());
        format::seal(Kind::Commit, &mut block, self.seed);
        Ok(block)
    }

    /// All transactions are home, and durable there: the log is empty. ENOMEM:
    /// nothing has changed; EIO: the journal is aborted, and the next mount may
    /// bring them home again; EROFS: it was aborted before.
    pub fn checkpointed(&mut self) -> Result<(), Errno> {
        self.check_writable()?;
        self.superblock.set_start(0, self.sequence);
        match self.write_superblock() {
            // Nothing was written: it can be tried again.
            Err(Errno::ENOMEM) => return Err(Errno::ENOMEM),
            written => self.abort_on_error(written)?,
        }
        let flushed = self.storage.flush();
        self.abort_on_error(flushed)?;
        self.used = 0;
        Ok(())
    }

    fn check_writable(&self) -> Result<(), Errno> {
        match self.is_aborted {
            true => Err(Errno::EROFS),
            false => Ok(()),
        }
    }

    fn abort_on_error<T>(&mut self, result: Result<T, Errno>) -> Result<T, Errno> {
        self.is_aborted |= result.is_err();
        result
    }
}

/// The revoked blocks that are not among `blocks`.
fn without(revoked: &[u64], blocks: &[(u64, Arc<Block>)]) -> Result<Vec<u64>, Errno> {
    let mut left = try_vec(revoked.len())?;
    if revoked.is_empty() {
        return Ok(left);
    }
    let mut numbers: Vec<u64> = try_vec(blocks.len())?;
    numbers.extend(blocks.iter().map(|(number, _)| *number));
    numbers.sort_unstable();
    let others = revoked.iter().copied();
    left.extend(others.filter(|number| numbers.binary_search(number).is_err()));
    Ok(left)
}
