//! Listing a directory: positions of the VFS for cursors of the crate.
//!
//! A linear directory's cursor is a byte offset. An indexed one's is a hash of
//! twice 32 bits and a count among equals; of it 63 bits are kept: 31 of the
//! major hash (its lowest is always 0), 24 of the minor and 8 of the count.
//! Entries that agree in these come again, or are passed over, only if a
//! listing stops between them.

use rsext4::{DirectoryCursor, Ext4Result, InodeNumber};

use super::{Mounted, kind};
use crate::files::inode::Listed;

/// Entries asked for at a time.
const BATCH: usize = 32;

const END: u64 = i64::MAX as u64;
const INDEXED: u64 = 1 << 62;

pub(super) fn list(
    ext4: &mut Mounted,
    directory: InodeNumber,
    from: u64,
    emit: &mut dyn FnMut(Listed<'_>) -> bool,
) -> Ext4Result<()> {
    let mut reader = ext4.open_directory_reader(directory)?;
    let mut cursor = cursor(from);
    loop {
        let entries = ext4.read_directory_with_reader(&mut reader, cursor, BATCH)?;
        let Some(last) = entries.last() else {
            return Ok(());
        };
        cursor = last.next_cursor;
        for entry in &entries {
            let listed = Listed {
                number: entry.inode.raw().into(),
                kind: kind(entry.file_type)?,
                name: &entry.name,
                next: position(entry.next_cursor),
            };
            if !emit(listed) {
                return Ok(());
            }
        }
    }
}

fn position(cursor: DirectoryCursor) -> u64 {
    match cursor {
        DirectoryCursor::Start => 0,
        DirectoryCursor::Linear { offset } => offset,
        DirectoryCursor::HTree {
            major,
            minor,
            collision,
        } => {
            let (major, minor) = (u64::from(major >> 1), u64::from(minor >> 8));
            INDEXED | (major << 32 | minor << 8 | u64::from(collision.min(0xff))) & (INDEXED - 1)
        }
        DirectoryCursor::End => END,
    }
}

fn cursor(position: u64) -> DirectoryCursor {
    match position {
        0 => DirectoryCursor::Start,
        END => DirectoryCursor::End,
        _ if position & INDEXED == 0 => DirectoryCursor::Linear { offset: position },
        _ => DirectoryCursor::HTree {
            major: ((position >> 32 & 0x3fff_ffff) << 1) as u32,
            minor: ((position >> 8 & 0xff_ffff) << 8) as u32,
            collision: (position & 0xff) as u32,
        },
    }
}
