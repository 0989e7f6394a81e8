//! The journal's structures on the disk (kernel documentation,
//! ext4/journal.rst). All numbers are big-endian.

use super::super::checksum::crc32c;
use super::super::storage::{BLOCK, Block};

const MAGIC: u32 = 0xc03b_3998;

/// Bytes of the head that the journal's own blocks begin with.
pub const HEAD: usize = 12;
/// Bytes at the end of a block that hold its checksum.
pub const TAIL: usize = 4;
pub const UUID: usize = 16;

// Features that must be known.
pub const REVOKE: u32 = 1;
pub const WIDE: u32 = 2;
/// Commit blocks may be durable before the rest of their transaction.
const ASYNC_COMMIT: u32 = 4;
pub const CHECKSUM_2: u32 = 8;
pub const CHECKSUM_3: u32 = 16;
/// Behind the log may lie changes that are no blocks.
const FAST_COMMIT: u32 = 32;
/// A feature that need not be known: the oldest kind of checksums. What they
/// tell, the order of writes tells as well.
const CHECKSUM_1: u32 = 1;

// Flags of a tag.
pub const ESCAPED: u32 = 1;
pub const SAME_UUID: u32 = 2;
pub const LAST: u32 = 8;

/// The kind of checksum that is known: CRC32C.
const CRC32C: u8 = 4;

/// What one of the journal's own blocks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Descriptor,
    Commit,
    Revoke,
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes[at..].first_chunk();
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

pub fn put_word(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

/// What a block is, if it is one of the journal's own with this sequence number.
pub fn kind(block: &Block, sequence: u32) -> Option<Kind> {
    if word(&block[..], 0) != MAGIC || word(&block[..], 8) != sequence {
        return None;
    }
    match word(&block[..], 4) {
        1 => Some(Kind::Descriptor),
        2 => Some(Kind::Commit),
        5 => Some(Kind::Revoke),
        _ => None,
    }
}

/// Begins one of the journal's own blocks.
pub fn put_head(block: &mut Block, kind: Kind, sequence: u32) {
    block.fill(0);
    put_word(&mut block[..], 0, MAGIC);
    let number = match kind {
        Kind::Descriptor => 1,
        Kind::Commit => 2,
        Kind::Revoke => 5,
    };
    put_word(&mut block[..], 4, number);
    put_word(&mut block[..], 8, sequence);
}

/// Whether a block of a file system could be taken for the journal's own.
pub fn looks_like_own(block: &Block) -> bool {
    word(&block[..], 0) == MAGIC
}

/// Makes such a block look like none, or again like itself.
pub fn escape(block: &mut Block) {
    put_word(&mut block[..], 0, 0);
}

pub fn unescape(block: &mut Block) {
    put_word(&mut block[..], 0, MAGIC);
}

/// The journal's superblock, in its first block.
pub struct Superblock(pub Block);

// Offsets in it.
const MAX_LENGTH: usize = 0x10;
const FIRST: usize = 0x14;
const SEQUENCE: usize = 0x18;
const START: usize = 0x1c;
const ERROR: usize = 0x20;
const COMPATIBLE: usize = 0x24;
const INCOMPATIBLE: usize = 0x28;
const READ_COMPATIBLE: usize = 0x2c;
const OWN_UUID: usize = 0x30;
const CHECKSUM_KIND: usize = 0x50;
const CHECKSUM: usize = 0xfc;
const SIZE: usize = 1024;

impl Superblock {
    /// Whether it is one that is known, and the reason if it is not.
    pub fn check(&self) -> Result<(), &'static str> {
        if word(&self.0[..], 0) != MAGIC || word(&self.0[..], 4) != 4 {
            return Err("it has no superblock of version 2");
        }
        if word(&self.0[..], 0x0c) as usize != BLOCK {
            return Err("its blocks are not of 4096 bytes");
        }
        let unfinished = ASYNC_COMMIT | FAST_COMMIT;
        let known = REVOKE | WIDE | CHECKSUM_2 | CHECKSUM_3 | unfinished;
        if self.features() & !known != 0 || word(&self.0[..], READ_COMPATIBLE) != 0 {
            return Err("it has unknown features");
        }
        if self.features() & unfinished != 0 && self.start() != 0 {
            return Err("it holds asynchronous or fast commits, which are not supported");
        }
        if self.has_checksums() && self.0[CHECKSUM_KIND] != CRC32C {
            return Err("it has an unknown kind of checksums");
        }
        if self.has_checksums() && word(&self.0[..], CHECKSUM) != self.checksum() {
            return Err("its superblock is damaged");
        }
        let kinds = [
            self.features() & CHECKSUM_2 != 0,
            self.features() & CHECKSUM_3 != 0,
            word(&self.0[..], COMPATIBLE) & CHECKSUM_1 != 0,
        ];
        if kinds.iter().filter(|is_set| **is_set).count() > 1 {
            return Err("it has two kinds of checksums");
        }
        Ok(())
    }

    pub fn features(&self) -> u32 {
        word(&self.0[..], INCOMPATIBLE)
    }

    pub fn has_checksums(&self) -> bool {
        self.features() & (CHECKSUM_2 | CHECKSUM_3) != 0
    }

    pub fn set_features(&mut self, features: u32) {
        put_word(&mut self.0[..], INCOMPATIBLE, features);
        let others = word(&self.0[..], COMPATIBLE) & !CHECKSUM_1;
        put_word(&mut self.0[..], COMPATIBLE, others);
        self.0[CHECKSUM_KIND] = CRC32C;
    }

    fn checksum(&self) -> u32 {
        let crc = crc32c(!0, &self.0[..CHECKSUM]);
        let crc = crc32c(crc, &[0; 4]);
        crc32c(crc, &self.0[CHECKSUM + 4..SIZE])
    }

    pub fn seal(&mut self) {
        if self.has_checksums() {
            let checksum = self.checksum();
            put_word(&mut self.0[..], CHECKSUM, checksum);
        }
    }

    /// Blocks of the journal, this one included.
    pub fn length(&self) -> u32 {
        word(&self.0[..], MAX_LENGTH)
    }

    /// The first block that transactions may use.
    pub fn first(&self) -> u32 {
        word(&self.0[..], FIRST)
    }

    /// The number of the first transaction in the log.
    pub fn sequence(&self) -> u32 {
        word(&self.0[..], SEQUENCE)
    }

    /// Where it begins; 0 if the log is empty.
    pub fn start(&self) -> u32 {
        word(&self.0[..], START)
    }

    pub fn set_start(&mut self, start: u32, sequence: u32) {
        put_word(&mut self.0[..], START, start);
        put_word(&mut self.0[..], SEQUENCE, sequence);
    }

    /// What Linux has noted as an error of the file system; it stays for e2fsck.
    pub fn error(&self) -> u32 {
        word(&self.0[..], ERROR)
    }

    pub fn uuid(&self) -> [u8; UUID] {
        let bytes = self.0[OWN_UUID..].first_chunk();
        bytes.copied().unwrap_or_default()
    }
}

/// Sets the checksum of one of the journal's own blocks.
pub fn seal(kind: Kind, block: &mut Block, seed: u32) {
    let at = checksum_place(kind);
    let checksum = own_checksum(block, at, seed);
    put_word(&mut block[..], at, checksum);
}

/// Whether it is right. Of a commit block, only the first sector may have been
/// written before a crash: all that it says is there.
pub fn is_sealed(kind: Kind, block: &Block, seed: u32) -> bool {
    let at = checksum_place(kind);
    let checksum = word(&block[..], at);
    if checksum == own_checksum(block, at, seed) {
        return true;
    }
    let crc = crc32c(seed, &block[..at]);
    let crc = crc32c(crc, &[0; 4]);
    let crc = crc32c(crc, &block[at + 4..COMMIT_END.max(at + 4)]);
    kind == Kind::Commit && checksum == crc32c(crc, &[0; BLOCK - COMMIT_END])
}

fn checksum_place(kind: Kind) -> usize {
    match kind {
        Kind::Commit => COMMIT_CHECKSUM,
        Kind::Descriptor | Kind::Revoke => BLOCK - TAIL,
    }
}

fn own_checksum(block: &Block, at: usize, seed: u32) -> u32 {
    let crc = crc32c(seed, &block[..at]);
    let crc = crc32c(crc, &[0; 4]);
    crc32c(crc, &block[at + 4..])
}

/// The checksum of a block of the file system in the log.
pub fn data_checksum(block: &Block, sequence: u32, seed: u32) -> u32 {
    crc32c(crc32c(seed, &sequence.to_be_bytes()), &block[..])
}

/// Where a commit block has its checksum, its time, and its end.
const COMMIT_CHECKSUM: usize = 0x10;
const COMMIT_TIME: usize = 0x30;
const COMMIT_END: usize = 0x3c;

/// Says in a commit block when that was: nanoseconds since 1970.
pub fn put_commit_time(block: &mut Block, time: u64) {
    let (seconds, nanoseconds) = (time / 1_000_000_000, time % 1_000_000_000);
    put_word(&mut block[..], COMMIT_TIME, (seconds >> 32) as u32);
    put_word(&mut block[..], COMMIT_TIME + 4, seconds as u32);
    put_word(&mut block[..], COMMIT_TIME + 8, nanoseconds as u32);
}

/// When a commit was, in seconds since 1970.
pub fn commit_time(block: &Block) -> u64 {
    let high = word(&block[..], COMMIT_TIME);
    wide(word(&block[..], COMMIT_TIME + 4), high)
}

/// Where a revoke block says how many bytes it uses.
pub const REVOKE_USED: usize = 12;
pub const REVOKE_FIRST: usize = 16;

/// The numbers in a revoke block; `None` if it cannot hold as many as it says.
pub fn revokes(block: &Block, features: u32) -> Option<impl Iterator<Item = u64> + use<'_>> {
    let size = if features & WIDE != 0 { 8 } else { 4 };
    let used = word(&block[..], REVOKE_USED) as usize;
    let numbers = block[..room(features)].get(REVOKE_FIRST..used)?;
    Some(numbers.chunks_exact(size).map(move |number| match size {
        8 => wide(word(number, 4), word(number, 0)),
        _ => u64::from(word(number, 0)),
    }))
}

/// Bytes of the journal's own blocks in front of their checksum.
fn room(features: u32) -> usize {
    match features & (CHECKSUM_2 | CHECKSUM_3) {
        0 => BLOCK,
        _ => BLOCK - TAIL,
    }
}

/// Where a block of the file system belongs.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub number: u64,
    pub flags: u32,
    /// With checksums of version 2, the lower half only.
    pub checksum: u32,
}

/// The tags of a descriptor block, of any version.
pub struct Tags<'b> {
    block: &'b Block,
    features: u32,
    /// Where the next one is; `None` behind the last.
    at: Option<usize>,
}

pub fn tags(block: &Block, features: u32) -> Tags<'_> {
    Tags {
        block,
        features,
        at: Some(HEAD),
    }
}

impl Tags<'_> {
    /// Bytes of a tag, without a UUID. Those of version 2 have two unused ones.
    fn size(&self) -> usize {
        if self.features & CHECKSUM_3 != 0 {
            return 16;
        }
        let high = if self.features & WIDE != 0 { 4 } else { 0 };
        let unused = if self.features & CHECKSUM_2 != 0 {
            2
        } else {
            0
        };
        8 + high + unused
    }
}

impl Iterator for Tags<'_> {
    type Item = Tag;

    fn next(&mut self) -> Option<Tag> {
        let at = self.at.take()?;
        let size = self.size();
        let bytes = self.block[..room(self.features)].get(at..at + size)?;
        let high = if self.features & WIDE != 0 {
            word(bytes, 8)
        } else {
            0
        };
        let second = word(bytes, 4);
        let (flags, checksum) = match self.features & CHECKSUM_3 {
            0 => (second & 0xffff, second >> 16),
            _ => (second, word(bytes, 12)),
        };
        let uuid = if flags & SAME_UUID == 0 { UUID } else { 0 };
        if flags & LAST == 0 {
            self.at = Some(at + size + uuid);
        }
        Some(Tag {
            number: wide(word(bytes, 0), high),
            flags,
            checksum,
        })
    }
}

/// Puts a tag of version 3 at `at`; where the next one goes.
pub fn put_tag(block: &mut Block, at: usize, tag: Tag, uuid: &[u8; UUID]) -> usize {
    put_word(&mut block[..], at, tag.number as u32);
    put_word(&mut block[..], at + 4, tag.flags);
    put_word(&mut block[..], at + 8, (tag.number >> 32) as u32);
    put_word(&mut block[..], at + 12, tag.checksum);
    if tag.flags & SAME_UUID != 0 {
        return at + 16;
    }
    block[at + 16..at + 16 + UUID].copy_from_slice(uuid);
    at + 16 + UUID
}

pub fn wide(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}
