//! The superblock (kernel documentation, filesystems/ext4): which features a
//! volume has, and where things lie.

use abi::Errno;

use super::bytes::{u16_at, u32_at, u64_of};
use super::checksum::{self, crc32c};
use super::storage::{BLOCK, Block};

/// Where it begins in block 0.
pub const OFFSET: usize = 1024;
const SIZE: usize = 1024;
const MAGIC: u16 = 0xef53;

// Offsets of fields, counted from the beginning of block 0.
pub const FREE_BLOCKS: usize = OFFSET + 0x0c;
pub const FREE_INODES: usize = OFFSET + 0x10;
pub const WRITE_TIME: usize = OFFSET + 0x30;
pub const STATE: usize = OFFSET + 0x3a;
pub const INCOMPATIBLE: usize = OFFSET + 0x60;
/// The name of the last mount point ends before its last bytes, which nobody reads.
const NAME_END: usize = OFFSET + 0x88 + 59;
const SPARE: usize = NAME_END + 1;
pub const LAST_ORPHAN: usize = OFFSET + 0xe8;
pub const FREE_BLOCKS_HIGH: usize = OFFSET + 0x158;
const CHECKSUM: usize = OFFSET + 0x3fc;

/// The journal may have what is not home yet.
pub const NEEDS_RECOVERY: u32 = 0x4;

// Features without which a volume cannot be used, that are known here.
const FILETYPE: u32 = 0x2;
const EXTENTS: u32 = 0x40;
const BITS_64: u32 = 0x80;
const FLEX_GROUPS: u32 = 0x200;
const CHECKSUM_SEED: u32 = 0x2000;
const LARGE_DIRECTORIES: u32 = 0x4000;
const KNOWN_INCOMPATIBLE: u32 =
    FILETYPE | NEEDS_RECOVERY | EXTENTS | BITS_64 | FLEX_GROUPS | CHECKSUM_SEED | LARGE_DIRECTORIES;
const NEEDED: u32 = FILETYPE | EXTENTS;

// Features without which it cannot be written.
const SPARSE_SUPER: u32 = 0x1;
const LARGE_FILE: u32 = 0x2;
const HUGE_FILE: u32 = 0x8;
const MANY_LINKS: u32 = 0x20;
const EXTRA_SIZE: u32 = 0x40;
const CHECKSUMS: u32 = 0x400;
const KNOWN_READ_ONLY: u32 =
    SPARSE_SUPER | LARGE_FILE | HUGE_FILE | MANY_LINKS | EXTRA_SIZE | CHECKSUMS;

const HAS_JOURNAL: u32 = 0x4;
const SPARSE_SUPER_2: u32 = 0x200;

/// Where things lie. Groups, blocks and inodes are counted as on the disk.
#[derive(Clone, Debug)]
pub struct Geometry {
    pub blocks: u64,
    pub inodes: u32,
    pub groups: u32,
    pub blocks_per_group: u32,
    pub inodes_per_group: u32,
    /// Bytes.
    pub inode_size: usize,
    pub descriptor_size: usize,
    /// The first inode that is not the format's own.
    pub first_inode: u32,
    pub journal_inode: u32,
    /// Blocks kept for growing the descriptors, in each group with a copy.
    pub reserved_descriptors: u32,
    /// Copies of the superblock only in some groups.
    pub sparse: bool,
    /// What checksums begin with; `None` if the volume has none.
    pub seed: Option<u32>,
    /// How much of a 256-byte inode is in use by default.
    pub extra_size: u16,
    /// Directories may have more subdirectories than can be counted.
    pub many_links: bool,
    /// Has features that forbid writing.
    pub read_only: bool,
    /// The checksum is right: no write of the superblock was cut in the middle.
    pub is_intact: bool,
}

impl Geometry {
    /// Reads the superblock, which lies in block 0. EINVAL, with the reason in
    /// the log, if it is none or asks for what is not known.
    pub fn read(first: &Block, blocks_there: u64) -> Result<Geometry, Errno> {
        let bytes = &first[OFFSET..OFFSET + SIZE];
        let half = |at| u16_at(bytes, at);
        let word = |at| u32_at(bytes, at);
        if half(0x38) != MAGIC {
            return refuse(format_args!("it holds no ext4 file system"));
        }
        let (compatible, incompatible, read_only) = (word(0x5c), word(0x60), word(0x64));
        if word(0x18) != 2 {
            return refuse(format_args!(
                "its blocks are not of 4096 bytes (make it with mkfs.ext4 -b 4096)"
            ));
        }
        let unknown = incompatible & !KNOWN_INCOMPATIBLE;
        if unknown != 0 {
            return refuse(format_args!(
                "it has unknown features: incompat {unknown:#x}"
            ));
        }
        if incompatible & NEEDED != NEEDED || compatible & HAS_JOURNAL == 0 {
            return refuse(format_args!(
                "it lacks a feature of ext4: extent, filetype or has_journal"
            ));
        }
        if compatible & SPARSE_SUPER_2 != 0 {
            return refuse(format_args!("it has the unknown feature sparse_super2"));
        }
        let wide = incompatible & BITS_64 != 0;
        let high = |at| if wide { word(at) } else { 0 };
        let seed = match read_only & CHECKSUMS {
            0 => None,
            _ if incompatible & CHECKSUM_SEED != 0 => Some(word(0x270)),
            _ => Some(crc32c(!0, &bytes[0x68..0x78])),
        };
        let blocks = u64_of(word(4), high(0x150));
        let blocks_per_group = word(0x20);
        let inodes_per_group = word(0x28);
        let inode_size = usize::from(half(0x58));
        let descriptor_size = if wide { usize::from(half(0xfe)) } else { 32 };
        let groups = blocks.div_ceil(u64::from(blocks_per_group.max(1)));
        let geometry = Geometry {
            blocks,
            inodes: word(0),
            groups: u32::try_from(groups).map_err(|_| Errno::EINVAL)?,
            blocks_per_group,
            inodes_per_group,
            inode_size,
            descriptor_size,
            first_inode: word(0x54),
            journal_inode: word(0xe0),
            reserved_descriptors: u32::from(half(0xce)),
            sparse: read_only & SPARSE_SUPER != 0,
            seed,
            extra_size: half(0x15e).clamp(28, 128),
            many_links: read_only & MANY_LINKS != 0,
            read_only: read_only & !KNOWN_READ_ONLY != 0,
            is_intact: seed.is_none() || u32_at(&first[..], CHECKSUM) == checksum(first),
        };
        let sane = word(0x14) == 0
            && blocks <= blocks_there
            && blocks >= 16
            && (8..=8 * BLOCK as u32).contains(&blocks_per_group)
            && blocks_per_group.is_multiple_of(8)
            && (8..=8 * BLOCK as u32).contains(&inodes_per_group)
            && inodes_per_group.is_multiple_of(8)
            && matches!(inode_size, 128 | 256)
            && matches!(descriptor_size, 32 | 64)
            && u64::from(geometry.inodes) == groups * u64::from(inodes_per_group)
            && geometry.first_inode >= 11
            && geometry.descriptor_blocks() < u64::from(blocks_per_group);
        match sane {
            true => Ok(geometry),
            false => refuse(format_args!(
                "its superblock makes no sense, or the disk is shorter than the file system"
            )),
        }
    }

    /// Blocks of group descriptors, which follow the superblock.
    pub fn descriptor_blocks(&self) -> u64 {
        (u64::from(self.groups) * self.descriptor_size as u64).div_ceil(BLOCK as u64)
    }

    /// Whether a group begins with a copy of superblock and descriptors.
    pub fn has_copy(&self, group: u32) -> bool {
        let is_power = |base: u32| {
            let mut power = base;
            while power < group {
                power = power.saturating_mul(base);
            }
            power == group
        };
        !self.sparse || group <= 1 || is_power(3) || is_power(5) || is_power(7)
    }

    /// Blocks of a group; the last one may be shorter.
    pub fn blocks_in(&self, group: u32) -> u32 {
        let start = self.first_block(group);
        (self.blocks - start).min(u64::from(self.blocks_per_group)) as u32
    }

    pub fn first_block(&self, group: u32) -> u64 {
        u64::from(group) * u64::from(self.blocks_per_group)
    }
}

/// The checksum of the superblock in block 0.
fn checksum(first: &Block) -> u32 {
    crc32c(!0, &first[OFFSET..CHECKSUM])
}

/// Makes the checksum right again after changes in the first sector.
///
/// It lies in the second sector, and a power failure may leave one of them as
/// it was. So it stays as it is, and four spare bytes of the first sector make
/// up for the changes: whatever is there then is whole.
pub fn seal(first: &mut Block) {
    if first[NAME_END] != 0 {
        // No room: a cut in the middle is found when it is mounted.
        let checksum = checksum(first);
        super::bytes::put_u32(&mut first[..], CHECKSUM, checksum);
        return;
    }
    let from = crc32c(!0, &first[OFFSET..SPARE]);
    let kept = u32_at(&first[..], CHECKSUM);
    let to = checksum::before(kept, &first[SPARE + 4..CHECKSUM]);
    first[SPARE..SPARE + 4].copy_from_slice(&checksum::between(from, to));
}

fn refuse<T>(why: core::fmt::Arguments<'_>) -> Result<T, Errno> {
    log::error!("the disk cannot be mounted: {why}");
    Err(Errno::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::ext4::bytes::put_u32;

    #[test]
    fn changes_stay_in_the_first_sector() {
        let mut first = Block::new().unwrap();
        for (index, byte) in first[OFFSET + 0x100..OFFSET + SIZE].iter_mut().enumerate() {
            *byte = (index * 13) as u8;
        }
        let before = first.copy().unwrap();
        for orphan in [0, 7, 12, 0] {
            put_u32(&mut first[..], LAST_ORPHAN, orphan);
            seal(&mut first);
            assert_eq!(checksum(&first), u32_at(&first[..], CHECKSUM));
            assert_eq!(first[OFFSET + 512..], before[OFFSET + 512..]);
        }
        // A long name leaves no room.
        first[NAME_END] = b'x';
        seal(&mut first);
        assert_eq!(checksum(&first), u32_at(&first[..], CHECKSUM));
    }
}
