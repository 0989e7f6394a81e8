//! The entries of one block of a directory (kernel documentation,
//! ext4/directory.rst).

use abi::Errno;

use super::bytes::{put_u16, put_u32, u16_at, u32_at};
use super::seal::DIRECTORY_TAIL;
use super::storage::BLOCK;
use crate::files::disk::volume::Number;
use crate::files::inode::Kind;

/// Bytes before the name.
const HEAD: usize = 8;

/// One entry, in use or not.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'b> {
    /// Where it begins in the block.
    pub at: usize,
    /// Bytes up to the next one.
    pub length: usize,
    /// 0 if it is not in use.
    pub number: Number,
    pub kind: u8,
    pub name: &'b [u8],
}

impl Entry<'_> {
    /// Bytes that it needs.
    fn needed(&self) -> usize {
        match self.number {
            0 => 0,
            _ => needed(self.name.len()),
        }
    }
}

/// Bytes that an entry for a name of `length` bytes needs.
pub fn needed(length: usize) -> usize {
    (HEAD + length).next_multiple_of(4)
}

/// How a directory marks what an entry stands for.
pub fn mark(kind: Kind) -> u8 {
    match kind {
        Kind::Regular => 1,
        Kind::Directory => 2,
        Kind::Character => 3,
        Kind::Block => 4,
        Kind::Fifo => 5,
        Kind::Socket => 6,
        Kind::SymbolicLink => 7,
        // Has no name in any directory: unknown.
        Kind::Anonymous => 0,
    }
}

pub fn kind_of(mark: u8) -> Option<Kind> {
    [
        Kind::Regular,
        Kind::Directory,
        Kind::Character,
        Kind::Block,
        Kind::Fifo,
        Kind::Socket,
        Kind::SymbolicLink,
    ]
    .into_iter()
    .find(|&kind| self::mark(kind) == mark)
}

/// Where entries end.
pub fn end(has_checksums: bool) -> usize {
    match has_checksums {
        true => BLOCK - DIRECTORY_TAIL,
        false => BLOCK,
    }
}

/// The entries of a block, up to where they make no sense.
pub fn entries(block: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, Errno>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        if at >= BLOCK {
            return None;
        }
        let entry = parse(block, at);
        at = entry.as_ref().map_or(BLOCK, |entry| at + entry.length);
        Some(entry)
    })
}

fn parse(block: &[u8], at: usize) -> Result<Entry<'_>, Errno> {
    if at + HEAD > BLOCK {
        return damaged();
    }
    let length = usize::from(u16_at(block, at + 4));
    let name_length = usize::from(block[at + 6]);
    let is_right = length >= HEAD
        && length.is_multiple_of(4)
        && at + length <= BLOCK
        && needed(name_length) <= length;
    if !is_right {
        return damaged();
    }
    Ok(Entry {
        at,
        length,
        number: u32_at(block, at),
        kind: block[at + 7],
        name: &block[at + HEAD..at + HEAD + name_length],
    })
}

fn damaged<T>() -> Result<T, Errno> {
    log::error!("ext4: a directory is damaged: run e2fsck on the disk");
    Err(Errno::EIO)
}

/// The entry of `name`.
pub fn find<'b>(block: &'b [u8], name: &[u8]) -> Result<Option<Entry<'b>>, Errno> {
    for entry in entries(block) {
        let entry = entry?;
        if entry.number != 0 && entry.name == name {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Room for one more entry: bytes of the largest gap.
pub fn largest_gap(block: &[u8]) -> Result<usize, Errno> {
    let mut largest = 0;
    for entry in entries(block) {
        let entry = entry?;
        // The tail with the checksum is no gap.
        if entry.kind != 0xde {
            largest = largest.max(entry.length - entry.needed());
        }
    }
    Ok(largest)
}

/// Puts an entry into a gap that is large enough; whether there was one.
pub fn insert(block: &mut [u8], name: &[u8], number: Number, mark: u8) -> Result<bool, Errno> {
    let wanted = needed(name.len());
    let mut place = None;
    for entry in entries(block) {
        let entry = entry?;
        let gap = entry.length - entry.needed();
        if entry.kind != 0xde && gap >= wanted {
            place = Some((entry.at, entry.needed(), entry.length));
            break;
        }
    }
    let Some((at, used, length)) = place else {
        return Ok(false);
    };
    if used > 0 {
        put_u16(block, at + 4, used as u16);
    }
    put(block, at + used, length - used, name, number, mark);
    Ok(true)
}

/// Writes an entry of `length` bytes.
pub fn put(block: &mut [u8], at: usize, length: usize, name: &[u8], number: Number, mark: u8) {
    put_u32(block, at, number);
    put_u16(block, at + 4, length as u16);
    block[at + 6] = name.len() as u8;
    block[at + 7] = mark;
    block[at + HEAD..at + HEAD + name.len()].copy_from_slice(name);
}

/// Takes the entry of `name` out; whether there was one.
pub fn remove(block: &mut [u8], name: &[u8]) -> Result<bool, Errno> {
    let mut before: Option<(usize, usize)> = None;
    let mut found = None;
    for entry in entries(block) {
        let entry = entry?;
        if entry.number != 0 && entry.name == name {
            found = Some((entry.at, entry.length));
            break;
        }
        before = Some((entry.at, entry.length));
    }
    match (found, before) {
        (None, _) => return Ok(false),
        // The one before it takes its room.
        (Some((_, length)), Some((at, own))) => put_u16(block, at + 4, (own + length) as u16),
        (Some((at, _)), None) => put_u32(block, at, 0),
    }
    Ok(true)
}

/// Lets an entry stand for something else; whether there is one.
pub fn replace(block: &mut [u8], name: &[u8], number: Number, mark: u8) -> Result<bool, Errno> {
    let found = find(block, name)?.map(|entry| entry.at);
    if let Some(at) = found {
        put_u32(block, at, number);
        block[at + 7] = mark;
    }
    Ok(found.is_some())
}
