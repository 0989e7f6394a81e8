//! After a crash: bringing home what the log holds.
//!
//! Three passes over the log, as the format wants it: the first finds where
//! the last whole transaction ends, the second what was revoked, the third
//! writes blocks home.

use abi::Errno;
use hashbrown::HashMap;

use super::Journal;
use super::format::{self, CHECKSUM_2, CHECKSUM_3, HEAD, Kind, TAIL, Tag};
use crate::files::ext4::storage::{BLOCK, Block};

/// What a pass does with what it finds.
enum Pass<'r> {
    Scan,
    /// Notes the last transaction that revoked a block.
    Revoke(&'r mut HashMap<u64, u32>),
    Replay(&'r HashMap<u64, u32>),
}

impl Journal {
    /// Brings all whole transactions home and empties the log: EIO if it is
    /// damaged before its end; ENOMEM.
    pub fn recover(&mut self) -> Result<(), Errno> {
        let first = self.superblock.sequence();
        let mut revoked = HashMap::new();
        let end = self.pass(&mut Pass::Scan, None)?;
        self.pass(&mut Pass::Revoke(&mut revoked), Some(end))?;
        self.pass(&mut Pass::Replay(&revoked), Some(end))?;
        self.storage.flush()?;
        log::info!("ext4: {} transactions came home", end.wrapping_sub(first));
        // A number that was begun is not used again: what is left of it could
        // be taken for part of a new one.
        self.sequence = end.wrapping_add(1);
        self.head = self.area.start;
        self.checkpointed()
    }

    fn read(&self, at: u32) -> Result<Block, Errno> {
        let mut block = Block::new()?;
        self.storage.read(self.place(at)?, &mut block)?;
        Ok(block)
    }

    fn is_sealed(&self, block: &Block, at: usize) -> bool {
        !self.superblock.has_checksums()
            || format::word(&block[..], at) == format::own_checksum(block, at, self.seed)
    }

    /// Goes through the log up to transaction `end`, or to where there is no
    /// whole one; the number of that one.
    fn pass(&self, pass: &mut Pass<'_>, end: Option<u32>) -> Result<u32, Errno> {
        let mut sequence = self.superblock.sequence();
        let mut at = self.superblock.start();
        // More blocks than the log has would be a circle.
        let mut left = self.area.len();
        while end != Some(sequence) && left > 0 {
            let block = self.read(at)?;
            left -= 1;
            at = self.next(at);
            match format::kind(&block, sequence) {
                Some(Kind::Descriptor) => {
                    if !self.is_sealed(&block, BLOCK - TAIL) {
                        return self.cut_off(sequence, end);
                    }
                    at = self.tagged(pass, &block, sequence, at, &mut left)?;
                }
                Some(Kind::Commit) => {
                    if !self.is_sealed(&block, format::COMMIT_CHECKSUM) {
                        return self.cut_off(sequence, end);
                    }
                    sequence = sequence.wrapping_add(1);
                }
                Some(Kind::Revoke) => {
                    if !self.is_sealed(&block, BLOCK - TAIL) {
                        return self.cut_off(sequence, end);
                    }
                    if let Pass::Revoke(revoked) = pass {
                        self.note_revoked(revoked, &block, sequence)?;
                    }
                }
                None => break,
            }
        }
        Ok(sequence)
    }

    /// A checksum is wrong: the transaction was not whole when the crash came,
    /// unless it was found to be whole before.
    fn cut_off(&self, sequence: u32, end: Option<u32>) -> Result<u32, Errno> {
        match end {
            None => Ok(sequence),
            Some(_) => damaged(),
        }
    }

    /// Goes through what a descriptor block tells of, which lies from `at` on;
    /// what lies behind it.
    fn tagged(
        &self,
        pass: &Pass<'_>,
        descriptor: &Block,
        sequence: u32,
        at: u32,
        left: &mut usize,
    ) -> Result<u32, Errno> {
        let features = self.superblock.features();
        let room = match self.superblock.has_checksums() {
            true => BLOCK - TAIL,
            false => BLOCK,
        };
        let (mut at, mut tag_at) = (at, HEAD);
        while tag_at + format::tag_size(features) <= room && *left > 0 {
            let Some((tag, next)) = format::tag(descriptor, tag_at, features) else {
                break;
            };
            tag_at = next;
            match pass {
                Pass::Scan => {}
                // Before anything is written.
                Pass::Revoke(_) => self.check(&tag, &self.read(at)?, sequence)?,
                Pass::Replay(revoked) => {
                    self.bring_home(tag, self.read(at)?, sequence, revoked)?;
                }
            }
            at = self.next(at);
            *left -= 1;
            if tag.flags & format::LAST != 0 {
                break;
            }
        }
        Ok(at)
    }

    /// The transaction is whole, so what it holds must be right: EIO.
    fn check(&self, tag: &Tag, block: &Block, sequence: u32) -> Result<(), Errno> {
        let features = self.superblock.features();
        let checksum = format::data_checksum(block, sequence, self.seed);
        let is_right = if features & CHECKSUM_3 != 0 {
            tag.checksum == checksum
        } else {
            features & CHECKSUM_2 == 0 || tag.checksum == checksum & 0xffff
        };
        match is_right && tag.number < self.storage.blocks() {
            true => Ok(()),
            false => damaged(),
        }
    }

    fn bring_home(
        &self,
        tag: Tag,
        block: Block,
        sequence: u32,
        revoked: &HashMap<u64, u32>,
    ) -> Result<(), Errno> {
        let is_revoked = revoked
            .get(&tag.number)
            .is_some_and(|&by| is_at_or_after(by, sequence));
        if is_revoked {
            return Ok(());
        }
        let mut block = block;
        if tag.flags & format::ESCAPED != 0 {
            format::unescape(&mut block);
        }
        self.storage.write(&[(tag.number, &block)])
    }

    fn note_revoked(
        &self,
        revoked: &mut HashMap<u64, u32>,
        block: &Block,
        sequence: u32,
    ) -> Result<(), Errno> {
        let size = match self.superblock.features() & format::WIDE {
            0 => 4,
            _ => 8,
        };
        let used = format::word(&block[..], format::REVOKE_USED) as usize;
        let numbers = block.get(format::REVOKE_FIRST..used).ok_or(Errno::EIO)?;
        for number in numbers.chunks_exact(size) {
            let number = match size {
                4 => u64::from(format::word(number, 0)),
                _ => format::wide(format::word(number, 4), format::word(number, 0)),
            };
            revoked.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            // Later transactions come later.
            revoked.insert(number, sequence);
        }
        Ok(())
    }
}

fn damaged<T>() -> Result<T, Errno> {
    log::error!("ext4: the journal is damaged: run e2fsck on the disk");
    Err(Errno::EIO)
}

/// Whether transaction `a` is `b` or a later one; numbers wrap.
fn is_at_or_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 >= 0
}
