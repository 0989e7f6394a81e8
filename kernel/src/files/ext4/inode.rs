//! One inode's record (kernel documentation, ext4/inodes.rst).

use super::bytes::{put_u16, put_u32, u16_at, u32_at, u64_of};
use super::checksum::crc32c;
use crate::files::disk::volume::{Attributes, Number};
use crate::files::inode::{Kind, Owner, device_number};

/// Flags.
pub const INDEXED: u32 = 0x1000;
const HUGE: u32 = 0x4_0000;
pub const EXTENTS: u32 = 0x8_0000;

const SECOND: u64 = 1_000_000_000;

// Offsets.
const MODE: usize = 0;
const ACCESSED: usize = 0x08;
const CHANGED: usize = 0x0c;
const MODIFIED: usize = 0x10;
const DELETED: usize = 0x14;
const LINKS: usize = 0x1a;
const BLOCKS: usize = 0x1c;
const FLAGS: usize = 0x20;
const BODY: usize = 0x28;
const GENERATION: usize = 0x64;
const ATTRIBUTES: usize = 0x68;
const CHECKSUM: usize = 0x7c;
const EXTRA_SIZE: usize = 0x80;
const CHECKSUM_HIGH: usize = 0x82;
const MADE: usize = 0x90;
const MADE_EXTRA: usize = 0x94;

/// Bytes of the part that points to blocks, or holds a short link's target.
pub const BODY_SIZE: usize = 60;

/// The largest record that is supported.
pub const MOST_SIZE: usize = 256;

/// See the module. What lies behind the volume's size of a record stays zero.
#[derive(Clone)]
pub struct Inode {
    pub number: Number,
    bytes: [u8; MOST_SIZE],
}

impl Inode {
    pub fn from_bytes(number: Number, record: &[u8]) -> Inode {
        let mut bytes = [0; MOST_SIZE];
        let length = record.len().min(MOST_SIZE);
        bytes[..length].copy_from_slice(&record[..length]);
        Inode { number, bytes }
    }

    /// A new one. `extra_size` is 0 in volumes with records of 128 bytes.
    pub fn new(number: Number, kind: Kind, extra_size: u16, generation: u32) -> Inode {
        let mut inode = Inode {
            number,
            bytes: [0; MOST_SIZE],
        };
        put_u16(&mut inode.bytes, MODE, kind.mode() as u16);
        put_u16(&mut inode.bytes, EXTRA_SIZE, extra_size);
        put_u32(&mut inode.bytes, GENERATION, generation);
        inode
    }

    pub fn bytes(&self, size: usize) -> &[u8] {
        &self.bytes[..size.min(MOST_SIZE)]
    }

    /// What the checksums of this inode and its blocks begin with.
    pub fn seed(&self, volume: u32) -> u32 {
        let seed = crc32c(volume, &self.number.to_le_bytes());
        crc32c(seed, &self.bytes[GENERATION..GENERATION + 4])
    }

    fn checksum(&self, volume: u32, size: usize) -> u32 {
        let mut copy = self.clone();
        put_u16(&mut copy.bytes, CHECKSUM, 0);
        if self.has_high_checksum(size) {
            put_u16(&mut copy.bytes, CHECKSUM_HIGH, 0);
        }
        crc32c(self.seed(volume), copy.bytes(size))
    }

    fn has_high_checksum(&self, size: usize) -> bool {
        size > 128 && self.extra_size() >= 4
    }

    /// Whether the checksum is right.
    pub fn is_intact(&self, volume: u32, size: usize) -> bool {
        let checksum = self.checksum(volume, size);
        let high_is_right = !self.has_high_checksum(size)
            || u16_at(&self.bytes, CHECKSUM_HIGH) == (checksum >> 16) as u16;
        u16_at(&self.bytes, CHECKSUM) == checksum as u16 && high_is_right
    }

    pub fn seal(&mut self, volume: u32, size: usize) {
        let checksum = self.checksum(volume, size);
        put_u16(&mut self.bytes, CHECKSUM, checksum as u16);
        if self.has_high_checksum(size) {
            put_u16(&mut self.bytes, CHECKSUM_HIGH, (checksum >> 16) as u16);
        }
    }

    fn extra_size(&self) -> usize {
        usize::from(u16_at(&self.bytes, EXTRA_SIZE))
    }

    /// `None` if the record is not in use or of no known kind.
    pub fn kind(&self) -> Option<Kind> {
        let mode = u32::from(u16_at(&self.bytes, MODE)) & 0o170_000;
        [
            Kind::Regular,
            Kind::Directory,
            Kind::SymbolicLink,
            Kind::Character,
            Kind::Block,
            Kind::Fifo,
            Kind::Socket,
        ]
        .into_iter()
        .find(|kind| kind.mode() == mode)
    }

    pub fn set_permissions(&mut self, permissions: u32) {
        let kind = u16_at(&self.bytes, MODE) & 0o170_000;
        put_u16(&mut self.bytes, MODE, kind | permissions as u16 & 0o7777);
    }

    pub fn owner(&self) -> Owner {
        let id = |low, high| {
            u32::from(u16_at(&self.bytes, low)) | u32::from(u16_at(&self.bytes, high)) << 16
        };
        Owner {
            user: id(0x02, 0x78),
            group: id(0x18, 0x7a),
        }
    }

    pub fn set_owner(&mut self, owner: Owner) {
        for (id, low, high) in [(owner.user, 0x02, 0x78), (owner.group, 0x18, 0x7a)] {
            put_u16(&mut self.bytes, low, id as u16);
            put_u16(&mut self.bytes, high, (id >> 16) as u16);
        }
    }

    pub fn links(&self) -> u16 {
        u16_at(&self.bytes, LINKS)
    }

    pub fn set_links(&mut self, links: u16) {
        put_u16(&mut self.bytes, LINKS, links);
    }

    pub fn size(&self) -> u64 {
        u64_of(u32_at(&self.bytes, 0x04), u32_at(&self.bytes, 0x6c))
    }

    pub fn set_size(&mut self, size: u64) {
        put_u32(&mut self.bytes, 0x04, size as u32);
        put_u32(&mut self.bytes, 0x6c, (size >> 32) as u32);
    }

    pub fn flags(&self) -> u32 {
        u32_at(&self.bytes, FLAGS)
    }

    pub fn set_flags(&mut self, flags: u32) {
        put_u32(&mut self.bytes, FLAGS, flags);
    }

    pub fn has_extents(&self) -> bool {
        self.flags() & EXTENTS != 0
    }

    /// Blocks of the volume that belong to it.
    pub fn blocks(&self) -> u64 {
        let high = u32::from(u16_at(&self.bytes, 0x74));
        let count = u64_of(u32_at(&self.bytes, BLOCKS), high);
        // Counted in sectors, but for huge files in blocks.
        if self.flags() & HUGE != 0 {
            count
        } else {
            count / 8
        }
    }

    pub fn set_blocks(&mut self, blocks: u64) {
        let count = blocks * 8;
        self.set_flags(self.flags() & !HUGE);
        put_u32(&mut self.bytes, BLOCKS, count as u32);
        put_u16(&mut self.bytes, 0x74, (count >> 32) as u16);
    }

    pub fn add_blocks(&mut self, more: u64) {
        self.set_blocks(self.blocks() + more);
    }

    pub fn drop_blocks(&mut self, fewer: u64) {
        self.set_blocks(self.blocks().saturating_sub(fewer));
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[BODY..BODY + BODY_SIZE]
    }

    pub fn body_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[BODY..BODY + BODY_SIZE]
    }

    /// The block of extended attributes; 0 for none.
    pub fn attribute_block(&self) -> u64 {
        let high = u32::from(u16_at(&self.bytes, 0x76));
        u64_of(u32_at(&self.bytes, ATTRIBUTES), high)
    }

    pub fn clear_attribute_block(&mut self) {
        put_u32(&mut self.bytes, ATTRIBUTES, 0);
        put_u16(&mut self.bytes, 0x76, 0);
    }

    /// The time of deletion, in seconds; of an orphan, the next orphan.
    pub fn deleted(&self) -> u32 {
        u32_at(&self.bytes, DELETED)
    }

    pub fn set_deleted(&mut self, value: u32) {
        put_u32(&mut self.bytes, DELETED, value);
    }

    fn time(&self, at: usize) -> u64 {
        let low = u32_at(&self.bytes, at);
        let extra_at = Self::extra_of(at);
        let extra = match self.extra_size() + 128 >= extra_at + 4 {
            true => u32_at(&self.bytes, extra_at),
            false => 0,
        };
        // Two bits count on from where 32 bits with a sign end.
        let seconds = i64::from(low as i32) + (i64::from(extra & 3) << 32);
        let nanoseconds = u64::from(extra >> 2) % SECOND;
        seconds.max(0) as u64 * SECOND + nanoseconds
    }

    fn extra_of(at: usize) -> usize {
        match at {
            CHANGED => 0x84,
            MODIFIED => 0x88,
            ACCESSED => 0x8c,
            _ => MADE_EXTRA,
        }
    }

    fn set_time(&mut self, at: usize, time: u64) {
        let (seconds, nanoseconds) = ((time / SECOND) as i64, (time % SECOND) as u32);
        put_u32(&mut self.bytes, at, seconds as u32);
        let epoch = (seconds - i64::from(seconds as i32)) >> 32 & 3;
        let extra_at = Self::extra_of(at);
        if self.extra_size() + 128 >= extra_at + 4 {
            put_u32(&mut self.bytes, extra_at, nanoseconds << 2 | epoch as u32);
        }
    }

    pub fn set_accessed(&mut self, time: u64) {
        self.set_time(ACCESSED, time);
    }

    pub fn set_modified(&mut self, time: u64) {
        self.set_time(MODIFIED, time);
    }

    /// Never back: a write that gets to the disk may be older than a change of
    /// the attributes.
    pub fn set_changed(&mut self, time: u64) {
        self.set_time(CHANGED, time.max(self.time(CHANGED)));
    }

    /// All times of a new inode.
    pub fn set_made(&mut self, time: u64) {
        self.set_accessed(time);
        self.set_modified(time);
        self.set_changed(time);
        if self.extra_size() + 128 >= MADE_EXTRA + 4 {
            self.set_time(MADE, time);
        }
    }

    /// A device's number, old or new in form; 0 for what is none.
    pub fn special(&self) -> u64 {
        let (old, new) = (u32_at(self.body(), 0), u32_at(self.body(), 4));
        match self.kind() {
            Some(Kind::Character | Kind::Block) if old != 0 => {
                device_number(old >> 8 & 0xff, old & 0xff)
            }
            Some(Kind::Character | Kind::Block) => {
                device_number(new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xf_ff00)
            }
            _ => 0,
        }
    }

    pub fn set_special(&mut self, number: u64) {
        let major = (number >> 8 & 0xfff | number >> 32 & !0xfff) as u32;
        let minor = (number & 0xff | number >> 12 & !0xff) as u32;
        let is_old = major < 0x100 && minor < 0x100;
        let old = if is_old { major << 8 | minor } else { 0 };
        let new = minor & 0xff | major << 8 | (minor & !0xff) << 12;
        put_u32(self.body_mut(), 0, old);
        put_u32(self.body_mut(), 4, if is_old { 0 } else { new });
    }

    /// `None` if it is not in use.
    pub fn attributes(&self) -> Option<Attributes> {
        Some(Attributes {
            kind: self.kind()?,
            permissions: u32::from(u16_at(&self.bytes, MODE)) & 0o7777,
            owner: self.owner(),
            links: self.links().into(),
            special: self.special(),
            size: self.size(),
            allocated: self.blocks() * 4096,
            accessed: self.time(ACCESSED),
            modified: self.time(MODIFIED),
            changed: self.time(CHANGED),
        })
    }
}
