//! A tree's nodes as they lie on the disk: a head, then extents or pointers to
//! further nodes.

use alloc::vec::Vec;

use abi::Errno;

use super::Extent;
use crate::files::ext4::bytes::{put_u16, put_u32, u16_at, u32_at};
use crate::files::ext4::inode::{BODY_SIZE, EXTENTS, Inode};
use crate::files::ext4::storage::BLOCK;
use crate::files::inode::Kind;

const MAGIC: u16 = 0xf30a;
const HEAD: usize = 12;
const ENTRY: usize = 12;
/// Entries that fit into an inode, and into a block.
pub const IN_INODE: usize = 4;
pub const IN_BLOCK: usize = (BLOCK - HEAD) / ENTRY;
/// Longest extent. More says that it is unwritten.
pub const LONGEST: u32 = 1 << 15;
/// The format allows no more.
pub const DEEPEST: u16 = 5;

/// Depth and number of entries of a node that has room for `room`.
pub fn head(node: &[u8], room: usize) -> Option<(u16, usize)> {
    let (entries, most, depth) = (u16_at(node, 2), u16_at(node, 4), u16_at(node, 6));
    let fits = entries <= most && usize::from(most) <= room;
    let known = u16_at(node, 0) == MAGIC && depth <= DEEPEST;
    (fits && known).then_some((depth, entries.into()))
}

pub fn parse_leaf(node: &[u8], entries: usize) -> Result<Vec<Extent>, Errno> {
    let mut extents = Vec::new();
    extents
        .try_reserve_exact(entries)
        .map_err(|_| Errno::ENOMEM)?;
    for entry in node[HEAD..].chunks_exact(ENTRY).take(entries) {
        let length = u32::from(u16_at(entry, 4));
        let unwritten = length > LONGEST;
        extents.push(Extent {
            logical: u32_at(entry, 0),
            length: if unwritten { length - LONGEST } else { length },
            physical: u64::from(u32_at(entry, 8)) | u64::from(u16_at(entry, 6)) << 32,
            unwritten,
        });
    }
    Ok(extents)
}

/// Pushes the children of an index node, the first one last.
pub fn push_children(
    node: &[u8],
    entries: usize,
    depth: u16,
    open: &mut Vec<(u64, u16)>,
) -> Result<(), Errno> {
    open.try_reserve(entries).map_err(|_| Errno::ENOMEM)?;
    let all = node[HEAD..].chunks_exact(ENTRY).take(entries);
    for entry in all.rev() {
        let block = u64::from(u32_at(entry, 4)) | u64::from(u16_at(entry, 8)) << 32;
        open.push((block, depth - 1));
    }
    Ok(())
}

fn put_head(node: &mut [u8], room: usize, entries: usize, depth: u16) {
    put_u16(node, 0, MAGIC);
    put_u16(node, 2, entries as u16);
    put_u16(node, 4, room as u16);
    put_u16(node, 6, depth);
    // A generation that nobody uses.
    put_u32(node, 8, 0);
}

pub fn put_leaf(node: &mut [u8], room: usize, extents: &[Extent]) {
    put_head(node, room, extents.len(), 0);
    let entries = node[HEAD..].chunks_exact_mut(ENTRY);
    for (entry, extent) in entries.zip(extents) {
        let mark = if extent.unwritten { LONGEST } else { 0 };
        put_u32(entry, 0, extent.logical);
        put_u16(entry, 4, (extent.length + mark) as u16);
        put_u16(entry, 6, (extent.physical >> 32) as u16);
        put_u32(entry, 8, extent.physical as u32);
    }
    clear_behind(node, extents.len(), room);
}

pub fn put_index(
    node: &mut [u8],
    room: usize,
    depth: u16,
    children: impl Iterator<Item = (u32, u64)>,
) {
    let mut count = 0;
    let entries = node[HEAD..].chunks_exact_mut(ENTRY);
    for (entry, (key, block)) in entries.zip(children) {
        put_u32(entry, 0, key);
        put_u32(entry, 4, block as u32);
        put_u16(entry, 8, (block >> 32) as u16);
        put_u16(entry, 10, 0);
        count += 1;
    }
    put_head(node, room, count, depth);
    clear_behind(node, count, room);
}

/// Nothing old stays behind the entries.
fn clear_behind(node: &mut [u8], entries: usize, room: usize) {
    node[HEAD + entries * ENTRY..HEAD + room * ENTRY].fill(0);
}

/// An inode's body without any extent.
pub fn clear_body(inode: &mut Inode) {
    put_leaf(inode.body_mut(), IN_INODE, &[]);
}

/// Sees to it that an inode whose body should hold extents does: if it has none
/// yet, its map of blocks (of ext2 and ext3) must be empty, and becomes a tree
/// without extents. False if there is something in it.
pub fn claim_body(inode: &mut Inode) -> bool {
    let holds_blocks = match inode.kind() {
        Some(Kind::Regular | Kind::Directory) => true,
        // A short target lies there itself.
        Some(Kind::SymbolicLink) => inode.size() >= BODY_SIZE as u64,
        _ => false,
    };
    if inode.has_extents() || !holds_blocks {
        return true;
    }
    let is_empty = inode.body().iter().all(|&byte| byte == 0);
    if is_empty {
        inode.set_flags(inode.flags() | EXTENTS);
        clear_body(inode);
    }
    is_empty
}
