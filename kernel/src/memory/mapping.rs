//! [`FileMapping`]: one mapping of a file into one space.
//!
//! It keeps the file alive, and is how the file's cache finds what it has to
//! take back. Regions of the mapping, which munmap and mprotect may have cut to
//! pieces, share it. A duplicate of the space gets one of its own.

use super::Space;
use super::regions::{Backing, Lock, Region};
use super::space::Layout;
use crate::files::Inode;
use crate::files::allocate::{memory_for, try_arc};
use crate::files::cache::{Access, Mapping, PageCache};
use crate::files::ramfs;
use crate::ipc::shm::Attachment;
use abi::Errno;
use abi::file::F_SEAL_WRITE;
use abi::memory::PAGE_SIZE;
use alloc::sync::{Arc, Weak};
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use machine::page_table::Sharing;

/// What is mapped of a file, and how.
#[derive(Clone)]
pub struct FileRange {
    pub inode: Arc<dyn Inode>,
    pub cache: Arc<PageCache>,
    /// The first page.
    pub first: u64,
    /// Writes go to the file, not to a copy of the page.
    pub shared: bool,
    /// Whether the right to write may be had, now or later.
    pub may_write: bool,
    /// Of a program that runs, or of a file that is written to.
    pub access: Option<Arc<Access>>,
    /// Of a segment of shared memory: counts its mappings.
    pub attachment: Option<Attachment>,
}

impl FileRange {
    /// `length` bytes of zeroes that spaces share: a file without a name. ENOMEM.
    pub fn zeroes(length: usize) -> Result<Self, Errno> {
        if !memory_for(length / PAGE_SIZE) {
            return Err(Errno::ENOMEM);
        }
        let inode = ramfs::unnamed(length as u64)?;
        Ok(Self {
            cache: inode.pages_to_map()?,
            inode,
            first: 0,
            shared: true,
            may_write: true,
            access: None,
            attachment: None,
        })
    }
}

/// See the module.
pub struct FileMapping {
    pub(super) file: FileRange,
    /// Where it was mapped as a whole.
    range: Range<usize>,
    space: Weak<Space>,
    /// Among the file's mappings; 0 before it is one.
    id: AtomicU64,
}

impl FileMapping {
    /// A mapping of the pages of `file` at `range` in `space`. ENOMEM.
    pub(super) fn new(
        file: FileRange,
        range: Range<usize>,
        space: Weak<Space>,
    ) -> Result<Arc<Self>, Errno> {
        let mapping = try_arc(Self {
            file,
            range,
            space,
            id: AtomicU64::new(0),
        })?;
        let weak: Weak<Self> = Arc::downgrade(&mapping);
        let id = mapping.file.cache.mappers().add(weak, mapping.writes())?;
        mapping.id.store(id, Ordering::Relaxed);
        Ok(mapping)
    }

    /// EPERM if the file was sealed just now, by a peer that did not see the mapping.
    pub(super) fn check_seal(&self) -> Result<(), Errno> {
        match self.writes() && self.file.cache.is_sealed(F_SEAL_WRITE) {
            true => Err(Errno::EPERM),
            false => Ok(()),
        }
    }

    /// Others see what is written through it.
    fn writes(&self) -> bool {
        self.file.shared && self.file.may_write
    }

    /// The same in a duplicate of the space. ENOMEM.
    fn duplicate(&self, space: Weak<Space>) -> Result<Arc<Self>, Errno> {
        Self::new(self.file.clone(), self.range.clone(), space)
    }

    /// The page of the file that belongs at an address.
    pub(super) fn page(&self, address: usize) -> u64 {
        self.file.first + ((address - self.range.start) / PAGE_SIZE) as u64
    }

    /// Where the file's first page would be.
    pub(super) fn begins_at(&self) -> Option<usize> {
        let before = usize::try_from(self.file.first).ok()?;
        self.range.start.checked_sub(before.checked_mul(PAGE_SIZE)?)
    }

    /// Where it was mapped as a whole.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Where a page of the file belongs, that was mapped.
    pub(super) fn address(&self, page: u64) -> usize {
        self.range.start + (page - self.file.first) as usize * PAGE_SIZE
    }

    /// Where pages of the file belong, as far as they were mapped.
    fn addresses(&self, pages: Range<u64>) -> Range<usize> {
        let end = self.file.first + (self.range.len() / PAGE_SIZE) as u64;
        let first = pages.start.clamp(self.file.first, end);
        self.address(first)..self.address(pages.end.clamp(first, end))
    }

    /// Calls `act` for each part of the pages that is still mapped so, with the
    /// space's lock held for reading: faults of peers go on meanwhile.
    fn each_part(&self, pages: Range<u64>, mut act: impl FnMut(&Space, &Region, Range<usize>)) {
        let range = self.addresses(pages);
        let Some(space) = self.space.upgrade().filter(|_| !range.is_empty()) else {
            return;
        };
        let layout = space.layout.read();
        for region in layout.regions.overlapping(range.clone()) {
            if matches!(&region.backing, Backing::File(mapping) if **mapping == *self) {
                act(&space, region, region.part_in(&range));
            }
        }
    }
}

impl Mapping for FileMapping {
    fn unmap(&self, pages: Range<u64>) {
        self.each_part(pages, |space, _, part| {
            space.table.unmap(part, &mut space.table.flush());
        });
    }

    fn protect(&self, pages: Range<u64>) {
        if !self.writes() {
            return;
        }
        self.each_part(pages, |space, region, part| {
            let rights = region.rights.read_only();
            let mut flush = space.table.flush();
            space
                .table
                .protect(part, rights, Sharing::CopyOnWrite, &mut flush);
        });
    }

    fn forget(&self, pages: Range<u64>) {
        self.each_part(pages.clone(), |space, region, part| {
            if region.lock != Lock::Off {
                return;
            }
            let mut flush = space.table.flush();
            let first = self.page(part.start);
            let pages = first..first + (part.len() / PAGE_SIZE) as u64;
            self.file.cache.with_resident(pages, |page, frame| {
                if let Some(page) = space.table.existing_page(self.address(page)) {
                    page.lock().unmap_frame(frame, &mut flush);
                }
            });
        });
    }
}

impl Drop for FileMapping {
    fn drop(&mut self) {
        let id = *self.id.get_mut();
        self.file.cache.mappers().remove(id, self.writes());
    }
}

impl PartialEq for FileMapping {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Eq for FileMapping {}

impl fmt::Debug for FileMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pages from {} at {:#x?}", self.file.first, self.range)
    }
}

impl Layout {
    /// Gives the regions mappings of `space`'s own, which is a duplicate. ENOMEM.
    pub(super) fn adopt_mappings(&mut self, space: &Weak<Space>) -> Result<(), Errno> {
        // Pieces of one mapping are mostly neighbours.
        let mut last: Option<(Arc<FileMapping>, Arc<FileMapping>)> = None;
        for region in self.regions.iter_mut() {
            let Backing::File(mapping) = &mut region.backing else {
                continue;
            };
            let own = match &last {
                Some((original, own)) if original == mapping => own.clone(),
                _ => mapping.duplicate(space.clone())?,
            };
            let original = core::mem::replace(mapping, own.clone());
            last = Some((original, own));
        }
        Ok(())
    }
}
