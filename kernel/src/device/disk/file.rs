//! `/dev/vda` and its like: a disk as one long file.
//!
//! All who open a disk share its page cache, so that programs can read and
//! write any bytes; whole sectors go to and from the disk. A mounted file
//! system has caches of its own: as on Linux, the two do not see each other's
//! changes before they are synced.

use alloc::sync::{Arc, Weak};
use core::ops::Range;

use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use arrayvec::ArrayVec;
use machine::disk::{Operation, SECTOR};
use machine::frames::Frame;
use sync::{Mutex, rank};

use super::{Disk, find};
use crate::files::allocate::try_box;
use crate::files::buffer::{Sink, Source};
use crate::files::cache::{ErrorMark, PageCache, Store};
use crate::files::inode::{Inode, Position};
use crate::files::open_file::{Description, File, Operations, Whence};

const PAGE: u64 = abi::memory::PAGE_SIZE as u64;

/// The caches of the disks that are open or have pages to be written.
static CACHES: Mutex<ArrayVec<(usize, Weak<PageCache>), 26>, rank::Inode> =
    Mutex::new(ArrayVec::new_const());

/// Opens disk `index`: ENXIO if there is none.
pub fn open(index: usize, inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
    let disk = find(index).ok_or(Errno::ENXIO)?;
    let cache = cache(index, &disk)?;
    let file = DiskFile {
        told: cache.error_mark(),
        cache,
        disk,
        offset: Mutex::new(0),
    };
    File::new(inode, flags, file)
}

fn cache(index: usize, disk: &Arc<Disk>) -> Result<Arc<PageCache>, Errno> {
    let mut caches = CACHES.lock();
    caches.retain(|(_, cache)| cache.strong_count() > 0);
    let known = caches.iter().find(|&&(other, _)| other == index);
    if let Some(cache) = known.and_then(|(_, cache)| cache.upgrade()) {
        return Ok(cache);
    }
    let cache = PageCache::new(try_box(Sectors(disk.clone()))?, disk.size())?;
    caches.push((index, Arc::downgrade(&cache)));
    Ok(cache)
}

/// The sectors of a disk as pages of a file.
struct Sectors(Arc<Disk>);

impl Sectors {
    /// Moves the pages from number `first` on, as far as the disk goes.
    fn transfer(&self, operation: Operation, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let start = first * PAGE;
        let length = (frames.len() as u64 * PAGE).min(self.0.size().saturating_sub(start));
        let sector = start / SECTOR as u64;
        self.0.transfer(operation, sector, frames, length as usize)
    }
}

impl Store for Sectors {
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        if let Some(last) = frames.last() {
            // What lies behind the end of the disk.
            last.fill(0, PAGE as usize, 0);
        }
        self.transfer(Operation::Read, first, frames)
    }

    fn write(&self, first: u64, frames: &[Frame], _size: u64) -> Result<(), Errno> {
        self.transfer(Operation::Write, first, frames)
    }

    fn reserve(&self, _pages: Range<u64>) -> Result<bool, Errno> {
        match self.0.read_only() {
            true => Err(Errno::EPERM),
            false => Ok(false),
        }
    }
}

/// An open disk.
struct DiskFile {
    disk: Arc<Disk>,
    cache: Arc<PageCache>,
    offset: Mutex<u64, rank::FileOffset>,
    /// Up to where it was told of errors of write-back.
    told: ErrorMark,
}

impl DiskFile {
    fn write_within(&self, offset: u64, from: &mut Source<'_>) -> Result<usize, Errno> {
        let room = self.disk.size().saturating_sub(offset);
        if room == 0 && from.remaining() > 0 {
            return Err(Errno::ENOSPC);
        }
        from.limit(usize::try_from(room).unwrap_or(usize::MAX));
        let (count, _) = self.cache.write_at(Position::At(offset), from)?;
        Ok(count)
    }
}

impl Drop for DiskFile {
    /// What was written is not lost with the last descriptor.
    fn drop(&mut self) {
        self.cache.flush();
        // Nobody is left who could be told.
        let _ = self.disk.flush_written();
    }
}

impl Operations for DiskFile {
    fn read(&self, _open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let count = self.cache.read_at(*offset, into)?;
        *offset += count as u64;
        Ok(count)
    }

    fn write(&self, _open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let count = self.write_within(*offset, from)?;
        *offset += count as u64;
        Ok(count)
    }

    fn read_at(
        &self,
        _open: &Description,
        offset: u64,
        into: &mut Sink<'_>,
    ) -> Result<usize, Errno> {
        self.cache.read_at(offset, into)
    }

    fn write_at(
        &self,
        _open: &Description,
        offset: u64,
        from: &mut Source<'_>,
    ) -> Result<usize, Errno> {
        self.write_within(offset, from)
    }

    fn seek(&self, _open: &Description, by: i64, whence: Whence) -> Result<u64, Errno> {
        let mut offset = self.offset.lock();
        let origin = match whence {
            Whence::Start => 0,
            Whence::Current => *offset as i64,
            Whence::End => self.disk.size() as i64,
            Whence::Next(_) => return Err(Errno::EINVAL),
        };
        let target = origin.checked_add(by).ok_or(Errno::EINVAL)?;
        *offset = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
        Ok(*offset)
    }

    fn sync(&self, _open: &Description, _data_only: bool) -> Result<(), Errno> {
        self.cache.sync(&self.told)?;
        self.disk.flush()
    }

    fn ready(&self, _open: &Description) -> i16 {
        POLLIN | POLLOUT
    }
}
