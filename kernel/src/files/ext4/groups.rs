//! Group descriptors and bitmaps (kernel documentation, ext4/group_descr.rst,
//! bitmaps.rst).

use alloc::sync::Arc;

use abi::Errno;

use super::bytes::{put_u16, u16_at, u32_at, u64_of};
use super::seal::Kind;
use super::state::State;
use super::storage::{BLOCK, Block};

const INODES_UNUSED: u16 = 1;
const BLOCKS_UNUSED: u16 = 2;

/// What a group descriptor says.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    pub block_bitmap: u64,
    pub inode_bitmap: u64,
    pub inode_table: u64,
    pub free_blocks: u32,
    pub free_inodes: u32,
    directories: u32,
    flags: u16,
    /// Inodes at the end of the table that were never in use.
    unused_inodes: u32,
}

impl State {
    fn descriptor_place(&self, group: u32) -> (u64, usize, Kind) {
        let size = self.geometry.descriptor_size;
        let per_block = (BLOCK / size) as u32;
        let kind = Kind::Descriptors {
            first: group / per_block * per_block,
            size,
            groups: self.geometry.groups,
        };
        let at = (group % per_block) as usize * size;
        (1 + u64::from(group / per_block), at, kind)
    }

    pub fn descriptor(&mut self, group: u32) -> Result<Descriptor, Errno> {
        let (number, at, kind) = self.descriptor_place(group);
        let size = self.geometry.descriptor_size;
        let block = self.buffers.get(number, kind)?;
        let bytes = &block[at..at + size];
        let is_wide = size == 64;
        let high = |at| if is_wide { u32_at(bytes, at) } else { 0 };
        let count = |low, high_at| {
            let high = if is_wide { u16_at(bytes, high_at) } else { 0 };
            u32::from(u16_at(bytes, low)) | u32::from(high) << 16
        };
        Ok(Descriptor {
            block_bitmap: u64_of(u32_at(bytes, 0), high(0x20)),
            inode_bitmap: u64_of(u32_at(bytes, 4), high(0x24)),
            inode_table: u64_of(u32_at(bytes, 8), high(0x28)),
            free_blocks: count(0x0c, 0x2c),
            free_inodes: count(0x0e, 0x2e),
            directories: count(0x10, 0x30),
            flags: u16_at(bytes, 0x12),
            unused_inodes: count(0x1c, 0x32),
        })
    }

    /// Writes the counts and flags of a descriptor.
    fn set_counts(&mut self, group: u32, new: &Descriptor) -> Result<(), Errno> {
        let (number, at, kind) = self.descriptor_place(group);
        let size = self.geometry.descriptor_size;
        let block = self.buffers.change(number, kind)?;
        let bytes = &mut block[at..at + size];
        put_u16(bytes, 0x12, new.flags);
        for (value, low, high) in [
            (new.free_blocks, 0x0c, 0x2c),
            (new.free_inodes, 0x0e, 0x2e),
            (new.directories, 0x10, 0x30),
            (new.unused_inodes, 0x1c, 0x32),
        ] {
            put_u16(bytes, low, value as u16);
            if size == 64 {
                put_u16(bytes, high, (value >> 16) as u16);
            }
        }
        Ok(())
    }

    /// Sets the checksums of the bitmaps that the transaction has changed, in
    /// their descriptors.
    pub fn seal_bitmaps(&mut self) -> Result<(), Errno> {
        if self.geometry.seed.is_none() {
            return Ok(());
        }
        let mut changed = alloc::vec::Vec::new();
        for (number, kind) in self.buffers.dirty() {
            if let Kind::BlockBitmap { group } | Kind::InodeBitmap { group } = kind {
                changed.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                changed.push((number, kind, group));
            }
        }
        for (number, kind, group) in changed {
            let content = self.buffers.get(number, kind)?;
            let checksum = self.bitmap_checksum(kind, &content);
            let (number, at, descriptors) = self.descriptor_place(group);
            let size = self.geometry.descriptor_size;
            let block = self.buffers.change(number, descriptors)?;
            let (low, high) = checksum_fields(kind);
            put_u16(&mut block[..], at + low, checksum as u16);
            if size == 64 {
                put_u16(&mut block[..], at + high, (checksum >> 16) as u16);
            }
        }
        Ok(())
    }

    fn bitmap_checksum(&self, kind: Kind, content: &Block) -> u32 {
        let bits = match kind {
            Kind::InodeBitmap { .. } => self.geometry.inodes_per_group,
            _ => self.geometry.blocks_per_group,
        };
        self.buffers
            .checksum(&content[..bits as usize / 8])
            .unwrap_or(0)
    }

    /// The bitmap, read and checked if it was not in memory.
    fn bitmap(&mut self, number: u64, kind: Kind, group: u32) -> Result<Arc<Block>, Errno> {
        let was_there = self.buffers.has(number);
        let content = self.buffers.get(number, kind)?;
        if was_there || self.geometry.seed.is_none() {
            return Ok(content);
        }
        let (descriptors, at, descriptors_kind) = self.descriptor_place(group);
        let size = self.geometry.descriptor_size;
        let block = self.buffers.get(descriptors, descriptors_kind)?;
        let (low, high) = checksum_fields(kind);
        let checksum = self.bitmap_checksum(kind, &content);
        let low_is_right = u16_at(&block[..], at + low) == checksum as u16;
        let high_is_right = size < 64 || u16_at(&block[..], at + high) == (checksum >> 16) as u16;
        if low_is_right && high_is_right {
            return Ok(content);
        }
        log::error!("ext4: {kind:?} is damaged: run e2fsck on the disk");
        Err(Errno::EIO)
    }

    /// A group's bitmap of blocks: set bits are in use.
    pub fn block_bitmap(&mut self, group: u32) -> Result<Arc<Block>, Errno> {
        let descriptor = self.descriptor(group)?;
        let kind = Kind::BlockBitmap { group };
        let number = descriptor.block_bitmap;
        if descriptor.flags & BLOCKS_UNUSED != 0 && !self.buffers.has(number) {
            let block = self.first_block_bitmap(group, &descriptor)?.share()?;
            self.buffers.put_clean(number, block, kind)?;
        }
        if descriptor.flags & BLOCKS_UNUSED != 0 {
            return self.buffers.get(number, kind);
        }
        self.bitmap(number, kind, group)
    }

    /// The bitmap of a group that was never used: only its own metadata is.
    fn first_block_bitmap(&self, group: u32, own: &Descriptor) -> Result<Block, Errno> {
        let geometry = &self.geometry;
        let mut block = Block::new()?;
        let start = geometry.first_block(group);
        let end = start + u64::from(geometry.blocks_in(group));
        let mut set = |from: u64, count: u64| {
            for number in from.max(start)..(from + count).min(end) {
                set_bit(&mut block, (number - start) as u32, true);
            }
        };
        if geometry.has_copy(group) {
            let descriptors = geometry.descriptor_blocks();
            set(
                start,
                1 + descriptors + u64::from(geometry.reserved_descriptors),
            );
        }
        let table = u64::from(geometry.inodes_per_group) * geometry.inode_size as u64;
        set(own.block_bitmap, 1);
        set(own.inode_bitmap, 1);
        set(own.inode_table, table.div_ceil(BLOCK as u64));
        for bit in geometry.blocks_in(group)..8 * BLOCK as u32 {
            set_bit(&mut block, bit, true);
        }
        Ok(block)
    }

    /// A group's bitmap of inodes.
    pub fn inode_bitmap(&mut self, group: u32) -> Result<Arc<Block>, Errno> {
        let descriptor = self.descriptor(group)?;
        let kind = Kind::InodeBitmap { group };
        let number = descriptor.inode_bitmap;
        if descriptor.flags & INODES_UNUSED == 0 {
            return self.bitmap(number, kind, group);
        }
        if !self.buffers.has(number) {
            let mut block = Block::new()?;
            for bit in self.geometry.inodes_per_group..8 * BLOCK as u32 {
                set_bit(&mut block, bit, true);
            }
            self.buffers.put_clean(number, block.share()?, kind)?;
        }
        self.buffers.get(number, kind)
    }

    /// Marks blocks of one group as in use, or free. EIO if they are already.
    pub fn mark_blocks(&mut self, first: u64, count: u32, used: bool) -> Result<(), Errno> {
        if used && self.free_blocks < self.left + u64::from(count) {
            return Err(Errno::ENOSPC);
        }
        let per_group = u64::from(self.geometry.blocks_per_group);
        let group = (first / per_group) as u32;
        let bits = (first % per_group) as u32..(first % per_group) as u32 + count;
        let mut descriptor = self.descriptor(group)?;
        let before = self.block_bitmap(group)?;
        if !self.bases.contains_key(&group) {
            self.bases.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.bases.insert(group, before.clone());
        }
        if bits.clone().any(|bit| has_bit(&before, bit) == used) {
            log::error!("ext4: the bitmap of group {group} is wrong: run e2fsck on the disk");
            return Err(Errno::EIO);
        }
        drop(before);
        let kind = Kind::BlockBitmap { group };
        let block = self.buffers.change(descriptor.block_bitmap, kind)?;
        for bit in bits {
            set_bit(block, bit, used);
        }
        descriptor.flags &= !BLOCKS_UNUSED;
        let count = u64::from(count);
        if used {
            descriptor.free_blocks = descriptor.free_blocks.saturating_sub(count as u32);
            self.free_blocks = self.free_blocks.saturating_sub(count);
        } else {
            // More than there are, if the count was wrong before.
            let most = self.geometry.blocks_in(group);
            let free = descriptor.free_blocks.saturating_add(count as u32);
            descriptor.free_blocks = free.min(most);
            self.free_blocks = self.free_blocks.saturating_add(count);
        }
        self.set_counts(group, &descriptor)
    }

    /// Marks an inode as in use, or free. EIO if it is already.
    pub fn mark_inode(&mut self, number: u32, directory: bool, used: bool) -> Result<(), Errno> {
        let per_group = self.geometry.inodes_per_group;
        let (group, bit) = ((number - 1) / per_group, (number - 1) % per_group);
        let mut descriptor = self.descriptor(group)?;
        if has_bit(&*self.inode_bitmap(group)?, bit) == used {
            log::error!("ext4: the bitmap of group {group} is wrong: run e2fsck on the disk");
            return Err(Errno::EIO);
        }
        let kind = Kind::InodeBitmap { group };
        set_bit(
            self.buffers.change(descriptor.inode_bitmap, kind)?,
            bit,
            used,
        );
        descriptor.flags &= !INODES_UNUSED;
        let directories = u32::from(directory);
        if used {
            descriptor.free_inodes = descriptor.free_inodes.saturating_sub(1);
            let count = descriptor.directories.saturating_add(directories);
            descriptor.directories = count.min(per_group);
            let behind = per_group - (bit + 1);
            descriptor.unused_inodes = descriptor.unused_inodes.min(behind);
            self.free_inodes = self.free_inodes.saturating_sub(1);
        } else {
            descriptor.free_inodes = descriptor.free_inodes.saturating_add(1).min(per_group);
            descriptor.directories = descriptor.directories.saturating_sub(directories);
            self.free_inodes = self.free_inodes.saturating_add(1);
        }
        self.set_counts(group, &descriptor)
    }

    /// Whether what a descriptor says can be: all of a group's metadata on the
    /// disk, and no more free than there is.
    fn is_sane(&self, group: u32, descriptor: &Descriptor) -> bool {
        let geometry = &self.geometry;
        let per_group = geometry.inodes_per_group;
        let table = u64::from(per_group) * geometry.inode_size as u64;
        let fits =
            |first: u64, count: u64| first > 0 && first.saturating_add(count) <= geometry.blocks;
        fits(descriptor.block_bitmap, 1)
            && fits(descriptor.inode_bitmap, 1)
            && fits(descriptor.inode_table, table.div_ceil(BLOCK as u64))
            && descriptor.free_blocks <= geometry.blocks_in(group)
            && descriptor.free_inodes <= per_group
            && descriptor.directories <= per_group
            && descriptor.unused_inodes <= per_group
    }

    /// Counts what is free: EIO if a descriptor is damaged.
    pub fn count_free(&mut self) -> Result<(), Errno> {
        let (mut blocks, mut inodes) = (0, 0);
        for group in 0..self.geometry.groups {
            let descriptor = self.descriptor(group)?;
            if !self.is_sane(group, &descriptor) {
                log::error!(
                    "the disk cannot be mounted: the descriptor of group {group} is damaged: \
                     run e2fsck on it"
                );
                return Err(Errno::EIO);
            }
            blocks += u64::from(descriptor.free_blocks);
            inodes += u64::from(descriptor.free_inodes);
        }
        (self.free_blocks, self.free_inodes) = (blocks, inodes);
        Ok(())
    }
}

/// Where a descriptor has the halves of a bitmap's checksum.
fn checksum_fields(kind: Kind) -> (usize, usize) {
    match kind {
        Kind::InodeBitmap { .. } => (0x1a, 0x3a),
        _ => (0x18, 0x38),
    }
}

pub fn has_bit(bitmap: &Block, bit: u32) -> bool {
    bitmap[bit as usize / 8] >> (bit % 8) & 1 == 1
}

fn set_bit(bitmap: &mut Block, bit: u32, value: bool) {
    let byte = &mut bitmap[bit as usize / 8];
    let mask = 1 << (bit % 8);
    *byte = if value { *byte | mask } else { *byte & !mask };
}
