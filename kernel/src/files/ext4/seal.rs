//! What blocks of metadata are, and the checksums inside them. Those of bitmaps
//! lie in the group descriptors instead; see [`super::groups`].

use super::bytes::{put_u16, put_u32, u16_at, u32_at};
use super::checksum::crc32c;
use super::storage::{BLOCK, Block};
use super::superblock;

/// What a block is. `seed` is its inode's ([`super::inode::Inode::seed`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Superblock,
    Descriptors {
        first: u32,
        size: usize,
        groups: u32,
    },
    BlockBitmap {
        group: u32,
    },
    InodeBitmap {
        group: u32,
    },
    InodeTable,
    Directory {
        seed: u32,
    },
    Extents {
        seed: u32,
    },
    Attributes,
    /// The target of a long symbolic link.
    Target,
    /// No metadata any more.
    Gone,
}

/// The last bytes of a directory's block: an entry of its own kind.
pub const DIRECTORY_TAIL: usize = 12;
const TAIL: usize = BLOCK - DIRECTORY_TAIL;
/// Entries of a block of extents end here.
const EXTENTS_TAIL: usize = BLOCK - 4;
const DESCRIPTOR_CHECKSUM: usize = 0x1e;
const ATTRIBUTES_CHECKSUM: usize = 16;

/// Sets the checksum.
pub fn seal(kind: Kind, number: u64, block: &mut Block, volume: u32) {
    match kind {
        Kind::Superblock => superblock::seal(block),
        Kind::Descriptors {
            first,
            size,
            groups,
        } => {
            for (index, group) in (first..groups).take(BLOCK / size).enumerate() {
                let at = index * size;
                let checksum = of_descriptor(&block[at..at + size], group, volume);
                put_u16(&mut block[..], at + DESCRIPTOR_CHECKSUM, checksum);
            }
        }
        Kind::Directory { seed } => match index_entries(block) {
            Some(end) => {
                let checksum = of_index(block, end, seed);
                put_u32(&mut block[..], BLOCK - 4, checksum);
            }
            None => {
                let checksum = crc32c(seed, &block[..TAIL]);
                put_u32(&mut block[..], BLOCK - 4, checksum);
            }
        },
        Kind::Extents { seed } => {
            let checksum = crc32c(seed, &block[..EXTENTS_TAIL]);
            put_u32(&mut block[..], EXTENTS_TAIL, checksum);
        }
        Kind::Attributes => {
            let checksum = of_attributes(block, number, volume);
            put_u32(&mut block[..], ATTRIBUTES_CHECKSUM, checksum);
        }
        Kind::BlockBitmap { .. }
        | Kind::InodeBitmap { .. }
        | Kind::InodeTable
        | Kind::Target
        | Kind::Gone => {}
    }
}

/// Whether the checksum is right.
pub fn is_intact(kind: Kind, number: u64, block: &Block, volume: u32) -> bool {
    match kind {
        Kind::Descriptors {
            first,
            size,
            groups,
        } => {
            let mut all = (first..groups).take(BLOCK / size).enumerate();
            all.all(|(index, group)| {
                let descriptor = &block[index * size..(index + 1) * size];
                let checksum = of_descriptor(descriptor, group, volume);
                u16_at(descriptor, DESCRIPTOR_CHECKSUM) == checksum
            })
        }
        Kind::Directory { seed } => {
            let checksum = match index_entries(block) {
                Some(end) => of_index(block, end, seed),
                None if !has_tail(block) => return false,
                None => crc32c(seed, &block[..TAIL]),
            };
            u32_at(&block[..], BLOCK - 4) == checksum
        }
        Kind::Extents { seed } => {
            u32_at(&block[..], EXTENTS_TAIL) == crc32c(seed, &block[..EXTENTS_TAIL])
        }
        Kind::Attributes => {
            u32_at(&block[..], ATTRIBUTES_CHECKSUM) == of_attributes(block, number, volume)
        }
        // Checked when the volume is mounted, or elsewhere.
        Kind::Superblock
        | Kind::BlockBitmap { .. }
        | Kind::InodeBitmap { .. }
        | Kind::InodeTable
        | Kind::Target
        | Kind::Gone => true,
    }
}

fn of_descriptor(descriptor: &[u8], group: u32, volume: u32) -> u16 {
    let crc = crc32c(volume, &group.to_le_bytes());
    let crc = crc32c(crc, &descriptor[..DESCRIPTOR_CHECKSUM]);
    let crc = crc32c(crc, &[0; 2]);
    crc32c(crc, &descriptor[DESCRIPTOR_CHECKSUM + 2..]) as u16
}

fn of_attributes(block: &Block, number: u64, volume: u32) -> u32 {
    let crc = crc32c(volume, &number.to_le_bytes());
    let crc = crc32c(crc, &block[..ATTRIBUTES_CHECKSUM]);
    let crc = crc32c(crc, &[0; 4]);
    crc32c(crc, &block[ATTRIBUTES_CHECKSUM + 4..])
}

/// Whether a directory's block ends with the entry that holds its checksum.
pub fn has_tail(block: &Block) -> bool {
    block[TAIL..TAIL + 8] == [0, 0, 0, 0, DIRECTORY_TAIL as u8, 0, 0, 0xde]
}

/// Makes that entry.
pub fn put_tail(block: &mut Block) {
    block[TAIL..].fill(0);
    block[TAIL + 4] = DIRECTORY_TAIL as u8;
    block[TAIL + 7] = 0xde;
}

/// If the block is one of a hashed directory's index: where its entries end.
pub fn index_entries(block: &Block) -> Option<usize> {
    // A root has `.` and `..`, which takes the rest, and a head of its own; an
    // inner node one unused entry that takes all.
    let at = match u16_at(&block[..], 4) {
        length if usize::from(length) == BLOCK && u32_at(&block[..], 0) == 0 => 8,
        12 if usize::from(u16_at(&block[..], 16)) == BLOCK - 12
            && u32_at(&block[..], 24) == 0
            && block[29] == 8 =>
        {
            32
        }
        _ => return None,
    };
    let (limit, count) = (u16_at(&block[..], at), u16_at(&block[..], at + 2));
    let end = at + usize::from(count) * 8;
    let most = at + usize::from(limit) * 8;
    let fills = most == BLOCK || most + 8 == BLOCK;
    (count > 0 && count <= limit && fills).then_some(end)
}

fn of_index(block: &Block, end: usize, seed: u32) -> u32 {
    let crc = crc32c(seed, &block[..end]);
    let crc = crc32c(crc, &block[BLOCK - 8..BLOCK - 4]);
    crc32c(crc, &[0; 4])
}
