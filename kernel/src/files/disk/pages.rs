//! The pages of a regular file on a disk: its [`PageCache`], and the
//! [`Backing`] that the cache's pages come from and go to.

use alloc::sync::{Arc, Weak};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames::Frame;

use super::DiskFs;
use super::volume::{Attributes, Changes, Number};
use crate::files::allocate::{try_arc, try_box};
use crate::files::cache::{ErrorMark, PageCache, Store};
use crate::files::clock;
use crate::files::inode::{Metadata, Sought};

/// A file on its volume.
pub(super) struct Backing {
    fs: Arc<DiskFs>,
    number: Number,
    /// Nanoseconds since 1970; newer than on the disk if `touched`.
    modified: AtomicU64,
    touched: AtomicBool,
    /// Blocks came or went since the last question how many there are.
    reshaped: AtomicBool,
    /// Where the volume has still to be cut off, for an earlier attempt failed;
    /// `NOWHERE` if that is done. Changes with the change of the cache held.
    uncut: AtomicU64,
}

const NOWHERE: u64 = u64::MAX;

/// See the module.
#[derive(Clone)]
pub(super) struct Pages {
    cache: Arc<PageCache>,
    backing: Arc<Backing>,
    /// Up to where those who sync without an open file (msync) were told of errors.
    told: Arc<ErrorMark>,
}

/// [`Pages`] that need not be there any more.
pub(super) struct WeakPages {
    cache: Weak<PageCache>,
    backing: Weak<Backing>,
    told: Weak<ErrorMark>,
}

impl WeakPages {
    pub(super) fn upgrade(&self) -> Option<Pages> {
        Some(Pages {
            cache: self.cache.upgrade()?,
            backing: self.backing.upgrade()?,
            told: self.told.upgrade()?,
        })
    }

    pub(super) fn is_dead(&self) -> bool {
        self.cache.strong_count() == 0
    }
}

impl Pages {
    /// Those of an inode that has none in memory.
    pub(super) fn new(
        fs: Arc<DiskFs>,
        number: Number,
        attributes: &Attributes,
    ) -> Result<Pages, Errno> {
        let backing = try_arc(Backing {
            fs,
            number,
            modified: AtomicU64::new(attributes.modified),
            touched: AtomicBool::new(false),
            reshaped: AtomicBool::new(false),
            uncut: AtomicU64::new(NOWHERE),
        })?;
        let cache = PageCache::new(try_box(backing.clone())?, attributes.size)?;
        let told = try_arc(cache.error_mark())?;
        Ok(Pages {
            cache,
            backing,
            told,
        })
    }

    pub(super) fn downgrade(&self) -> WeakPages {
        WeakPages {
            cache: Arc::downgrade(&self.cache),
            backing: Arc::downgrade(&self.backing),
            told: Arc::downgrade(&self.told),
        }
    }

    pub(super) fn cache(&self) -> &Arc<PageCache> {
        &self.cache
    }

    /// The content has changed.
    pub(super) fn touch(&self) {
        self.backing.modified.store(clock::now(), Ordering::Relaxed);
        self.backing.touched.store(true, Ordering::Release);
    }

    pub(super) fn set_modified(&self, time: u64) {
        self.backing.modified.store(time, Ordering::Relaxed);
        // Pages that are on their way tell the volume of the time before.
        self.backing.touched.store(true, Ordering::Release);
    }

    /// Whether the volume may count other blocks than at the last question.
    pub(super) fn take_reshaped(&self) -> bool {
        let reshaped = &self.backing.reshaped;
        reshaped.load(Ordering::Relaxed) && reshaped.swap(false, Ordering::AcqRel)
    }

    /// Fills in what the pages know better than the attributes.
    pub(super) fn describe(&self, metadata: &mut Metadata) {
        metadata.size = self.cache.size();
        metadata.allocated = self.with_promised(metadata.allocated);
        metadata.modified = self.backing.modified.load(Ordering::Relaxed);
        metadata.changed = metadata.changed.max(metadata.modified);
    }

    /// Bytes of blocks with those that dirty pages are to get, so that what was
    /// just written does not look like a hole. Some dirty pages may have theirs in
    /// `allocated` already: no more than the whole file is told.
    fn with_promised(&self, allocated: u64) -> u64 {
        let dirty = self.cache.dirty() as u64 * PAGE_SIZE as u64;
        let whole = self.cache.size().next_multiple_of(PAGE_SIZE as u64);
        (allocated + dirty).min(whole).max(allocated)
    }

    pub(super) fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.cache.set_size(size, || self.set_volume_size(size))?;
        self.touch();
        self.backing.fs.note_change();
        Ok(())
    }

    /// With no write or other change of size meanwhile. What the disk has behind
    /// the end of the last block is anything; before a file grows over it, the
    /// page that is zero there is written.
    fn set_volume_size(&self, size: u64) -> Result<(), Errno> {
        let Backing { fs, number, .. } = &*self.backing;
        // Until it is done.
        self.backing.uncut.store(size, Ordering::Release);
        let old = fs.volume.attributes(*number)?.size;
        if size > old && !old.is_multiple_of(PAGE_SIZE as u64) {
            self.cache.write_dirty()?;
        }
        let cut = fs.volume.set_size(*number, size);
        self.backing.note_reshaped();
        cut?;
        self.backing.uncut.store(NOWHERE, Ordering::Release);
        Ok(())
    }

    /// Ends a cut that has failed half-way.
    fn finish_cut(&self) -> Result<(), Errno> {
        match self.backing.uncut.load(Ordering::Acquire) {
            NOWHERE => Ok(()),
            _ => self.cache.finish_cut(),
        }
    }

    /// The same; false if it is not done, or somebody changes the file just now.
    fn is_cut(&self) -> bool {
        match self.backing.uncut.load(Ordering::Acquire) {
            NOWHERE => true,
            _ => self.cache.try_finish_cut() == Some(Ok(())),
        }
    }

    /// Gives the holes of a range blocks, so that writes there need no more.
    pub(super) fn allocate(&self, offset: u64, length: u64, extends: bool) -> Result<(), Errno> {
        let backing = &self.backing;
        // A write-back would find other blocks for the same holes.
        self.cache.between_write_backs(|| {
            let volume = &backing.fs.volume;
            let allocated = volume.allocate(backing.number, offset, length, false);
            backing.note_reshaped();
            allocated
        })?;
        backing.fs.note_change();
        let end = offset + length;
        // A write may have made it longer than that meanwhile.
        if extends && self.cache.grow_to(end, || self.set_volume_size(end))? {
            self.touch();
            backing.fs.note_change();
        }
        Ok(())
    }

    /// The first data or hole from `offset` on; what is not written yet is, so
    /// that the volume knows of it.
    pub(super) fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        self.cache.write_dirty()?;
        let size = self.cache.size();
        if offset >= size {
            return Err(Errno::ENXIO);
        }
        let backing = &self.backing;
        backing.fs.volume.seek(backing.number, offset, sought, size)
    }

    /// Whether all of it is on the volume; the time of the last change goes there
    /// now if it is the last that is not. Waits for nobody who changes the file.
    pub(super) fn is_settled(&self) -> bool {
        if self.cache.dirty() > 0 || !self.is_cut() {
            return false;
        }
        // A volume that cannot be written has said so in the log.
        let _ = self.backing.write_times();
        true
    }

    /// Whether the volume has yet to be told of something. Does not sleep.
    pub(super) fn are_behind(&self) -> bool {
        self.cache.dirty() > 0 || self.backing.touched.load(Ordering::Acquire)
    }

    /// Writes what can be, with nobody to tell of an error: whoever opens the
    /// file next is, and pages that cannot be written stay dirty.
    pub(super) fn settle(&self) {
        self.cache.flush();
        if self.cache.dirty() == 0 && self.backing.write_times() != Err(Errno::ENOMEM) {
            // A time that cannot be written is not worth keeping the file.
            self.backing.touched.store(false, Ordering::Release);
        }
    }

    /// Writes what is dirty, and the time of the last change. The commit that
    /// makes it durable is the caller's.
    pub(super) fn write_back(&self, told: Option<&ErrorMark>) -> Result<(), Errno> {
        let cut = self.finish_cut();
        self.cache.sync(told.unwrap_or(&self.told))?;
        cut?;
        self.backing.write_times()
    }
}

impl Backing {
    fn note_reshaped(&self) {
        self.reshaped.store(true, Ordering::Release);
    }

    fn write_times(&self) -> Result<(), Errno> {
        if !self.touched.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let changes = Changes {
            modified: Some(self.modified.load(Ordering::Relaxed)),
            ..Changes::default()
        };
        let updated = self.fs.volume.update(self.number, changes);
        match updated {
            Ok(()) => self.fs.note_change(),
            // Never again.
            Err(Errno::EROFS) => {}
            Err(_) => self.touched.store(true, Ordering::Release),
        }
        updated
    }
}

impl Store for Arc<Backing> {
    fn largest_size(&self) -> u64 {
        self.fs.volume.largest_size()
    }

    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        self.fs.volume.read(self.number, first, frames)
    }

    fn write(&self, first: u64, frames: &[Frame], size: u64) -> Result<(), Errno> {
        // Before the time is read: a later change sets it again.
        self.touched.store(false, Ordering::Release);
        let modified = self.modified.load(Ordering::Relaxed);
        let volume = &self.fs.volume;
        let written = volume.write(self.number, first, frames, size, modified);
        self.note_reshaped();
        match written {
            Ok(()) => self.fs.note_change(),
            Err(error) => self.fs.failures.note(error),
        }
        written
    }

    fn reserve(&self, pages: Range<u64>) -> Result<bool, Errno> {
        self.fs.check_writable()?;
        self.fs.volume.reserve(self.number, pages)
    }

    fn finish_cut(&self) -> Result<(), Errno> {
        let size = self.uncut.load(Ordering::Acquire);
        if size == NOWHERE {
            return Ok(());
        }
        let volume = &self.fs.volume;
        // An extension that failed leaves nothing to be cut off.
        if volume.attributes(self.number)?.size >= size {
            let cut = volume.set_size(self.number, size);
            self.note_reshaped();
            cut?;
            self.fs.note_change();
        }
        self.uncut.store(NOWHERE, Ordering::Release);
        Ok(())
    }

    fn reserve_again(&self) {
        self.fs.volume.reserve_again();
    }

    fn unreserve(&self, count: usize) {
        self.fs.volume.unreserve(count as u64);
    }
}
