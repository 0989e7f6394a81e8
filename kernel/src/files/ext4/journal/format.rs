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
pub const CHECKSUM_2: u32 = 8;
pub const CHECKSUM_3: u32 = 16;

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
const INCOMPATIBLE: usize = 0x28;
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
        if self.features() & !(REVOKE | WIDE | CHECKSUM_2 | CHECKSUM_3) != 0 {
            return Err("it has unknown features");
        }
        if self.has_checksums() && word(&self.0[..], CHECKSUM) != self.checksum() {
            return Err("its superblock is damaged");
        }
        if self.has_checksums() && self.0[CHECKSUM_KIND] != CRC32C {
            return Err("it has an unknown kind of checksums");
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
        put_word(&mut self.0[..], ERROR, 0);
    }

    pub fn uuid(&self) -> [u8; UUID] {
        let bytes = self.0[OWN_UUID..].first_chunk();
        bytes.copied().unwrap_or_default()
    }
}

/// The checksum of one of the journal's own blocks, which lies at `at` in it.
pub fn own_checksum(block: &Block, at: usize, seed: u32) -> u32 {
    let crc = crc32c(seed, &block[..at]);
    let crc = crc32c(crc, &[0; 4]);
    crc32c(crc, &block[at + 4..])
}

/// The checksum of a block of the file system in the log.
pub fn data_checksum(block: &Block, sequence: u32, seed: u32) -> u32 {
    crc32c(crc32c(seed, &sequence.to_be_bytes()), &block[..])
}

/// Where a commit block has its checksum, and its time.
pub const COMMIT_CHECKSUM: usize = 0x10;
pub const COMMIT_TIME: usize = 0x30;

/// Where a revoke block says how many bytes it uses.
pub const REVOKE_USED: usize = 12;
pub const REVOKE_FIRST: usize = 16;

/// Where a block of the file system belongs.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub number: u64,
    pub flags: u32,
    /// With checksums of version 2, the lower half only.
    pub checksum: u32,
}

/// Bytes of a tag, without a UUID.
pub fn tag_size(features: u32) -> usize {
    if features & CHECKSUM_3 != 0 {
        16
    } else if features & WIDE != 0 {
        12
    } else {
        8
    }
}

/// The tag at `at`, and where the next one is; `None` behind the end.
pub fn tag(block: &Block, at: usize, features: u32) -> Option<(Tag, usize)> {
    let size = tag_size(features);
    let bytes = block.get(at..at + size)?;
    let is_wide = features & WIDE != 0;
    let tag = if features & CHECKSUM_3 != 0 {
        Tag {
            number: wide(word(bytes, 0), if is_wide { word(bytes, 8) } else { 0 }),
            flags: word(bytes, 4),
            checksum: word(bytes, 12),
        }
    } else {
        let both = word(bytes, 4);
        Tag {
            number: wide(word(bytes, 0), if is_wide { word(bytes, 8) } else { 0 }),
            flags: both & 0xffff,
            checksum: both >> 16,
        }
    };
    let uuid = if tag.flags & SAME_UUID == 0 { UUID } else { 0 };
    Some((tag, at + size + uuid))
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
