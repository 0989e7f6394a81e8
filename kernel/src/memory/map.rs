//! Mapping and unmapping: what mmap(2), munmap(2), mprotect(2) and madvise(2)
//! do once their arguments are judged. Ranges are whole pages in the user half.

use super::heap::SPARE;
use super::mapping::{FileMapping, FileRange};
use super::regions::{Backing, Gap, Lock, Region};
use super::space::{LOWEST, Layout, no_memory};
use super::{FaultError, Space, with_room};
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use alloc::sync::Arc;
use core::ops::Range;
use machine::frames;
use machine::hooks::Access;
use machine::page_table::{Page, Rights, Sharing};

/// How far a region that grows downwards may grow.
const GROWS_BY: usize = 8 << 20;

/// Where a new mapping goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// At this address if that is free, else wherever there is room.
    Hint(usize),
    /// At this address, instead of what is there.
    Fixed(usize),
    /// At this address, where nothing may be: EEXIST.
    FixedFree(usize),
}

impl Placement {
    /// What a mapping of `length` bytes there takes the place of.
    fn replaced(self, length: usize) -> Range<usize> {
        match self {
            Placement::Fixed(start) => start..start + length,
            Placement::Hint(_) | Placement::FixedFree(_) => 0..0,
        }
    }
}

/// What a new mapping is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// The space's own.
    Private,
    /// As `Private`, and it grows downwards when touched below.
    GrowsDown,
}

impl Space {
    /// Maps `length` bytes of zeroes; where. ENOMEM, EEXIST.
    pub fn map(
        &self,
        placement: Placement,
        length: usize,
        rights: Rights,
        sort: Sort,
    ) -> Result<usize, Errno> {
        let mut layout = self.layout.write();
        layout.check_limits(length, rights, false, placement.replaced(length))?;
        let gap = self.gap(&mut layout, placement, length)?;
        let start = gap.start;
        let backing = match sort {
            Sort::Private => Backing::Private,
            Sort::GrowsDown => Backing::Stack {
                floor: start.saturating_sub(GROWS_BY).max(LOWEST),
            },
        };
        let region = Region {
            start,
            end: start + length,
            rights,
            backing,
            lock: layout.lock_new,
        };
        layout.regions.insert_in(gap, region).map_err(no_memory)?;
        Ok(start)
    }

    /// Maps pages of a file; where. What lies behind its end is an error to
    /// touch. ENOMEM, EEXIST.
    pub fn map_file(
        self: &Arc<Self>,
        placement: Placement,
        length: usize,
        rights: Rights,
        file: FileRange,
    ) -> Result<usize, Errno> {
        let mut layout = self.layout.write();
        layout.check_limits(length, rights, file.shared, placement.replaced(length))?;
        let gap = self.gap(&mut layout, placement, length)?;
        let start = gap.start;
        let range = start..start + length;
        let mapping = FileMapping::new(file, range, Arc::downgrade(self))?;
        mapping.check_seal()?;
        let region = Region {
            start,
            end: start + length,
            rights,
            backing: Backing::File(mapping),
            lock: layout.lock_new,
        };
        layout.regions.insert_in(gap, region).map_err(no_memory)?;
        Ok(start)
    }

    /// Where a mapping of `length` bytes would go that asks for no address. ENOMEM.
    pub fn find_room(&self, length: usize) -> Result<usize, Errno> {
        let mut layout = self.layout.write();
        layout.place(0, length).map(|gap| gap.start)
    }

    /// Makes room for a mapping.
    fn gap(&self, layout: &mut Layout, placement: Placement, length: usize) -> Result<Gap, Errno> {
        match placement {
            Placement::Hint(hint) => layout.place(hint, length),
            Placement::Fixed(start) => {
                self.unmap_in(layout, start..start + length)?;
                Ok(layout.regions.gap_at(start))
            }
            Placement::FixedFree(start) => {
                if !layout.regions.is_free(&(start..start + length)) {
                    return Err(Errno::EEXIST);
                }
                Ok(layout.regions.gap_at(start))
            }
        }
    }

    /// Makes durable what was written to the files that are mapped shared in the
    /// range. ENOMEM if not all of it is mapped; EIO, ENOSPC.
    pub fn sync(&self, range: Range<usize>) -> Result<(), Errno> {
        let is_mapped = self.is_mapped(range.clone());
        let mut at = range.start;
        while at < range.end {
            let layout = self.layout.read();
            let Some(region) = layout.regions.after(at).filter(|r| r.start < range.end) else {
                break;
            };
            at = region.end;
            let inode = match &region.backing {
                Backing::File(mapping) if mapping.file.shared => mapping.file.inode.clone(),
                _ => continue,
            };
            // Write-back takes the lock of every space that maps the file.
            drop(layout);
            inode.sync(true, None)?;
        }
        match is_mapped {
            true => Ok(()),
            false => Err(Errno::ENOMEM),
        }
    }

    /// Maps pages of zeroes at `start` with rights given as bits of mmap(2).
    /// EINVAL, ENOMEM.
    pub fn map_fixed(&self, start: usize, length: usize, protection: usize) -> Result<(), Errno> {
        let range = pages(start, length).ok_or(Errno::EINVAL)?;
        let rights = Rights::from_bits(protection as u8);
        self.map(
            Placement::Fixed(range.start),
            range.len(),
            rights,
            Sort::Private,
        )?;
        Ok(())
    }

    /// Unmaps a range; no CPU can reach its frames any more on return. ENOMEM.
    pub fn unmap(&self, range: Range<usize>) -> Result<(), Errno> {
        self.unmap_in(&mut self.layout.write(), range)
    }

    pub(super) fn unmap_in(&self, layout: &mut Layout, range: Range<usize>) -> Result<(), Errno> {
        if !layout.regions.prepare_removal(&range).map_err(no_memory)? {
            return Ok(());
        }
        layout.search_from = layout.search_from.max(range.end);
        let untouched = || {
            let page = self.table.existing_page(range.start);
            page.is_none_or(Page::seems_empty)
        };
        // With the lock held for writing, what seems so is so.
        if range.len() > PAGE_SIZE || !untouched() {
            self.table.unmap(range.clone(), &mut self.table.flush());
        }
        // Last, for write-back does not ask for the lock if there is no mapping.
        layout.regions.remove(range).map_err(no_memory)?;
        Ok(())
    }

    /// Changes the rights of a range that is mapped as a whole. ENOMEM; EACCES
    /// for the right to write to a file that is not open for it.
    pub fn protect(&self, range: Range<usize>, rights: Rights) -> Result<(), Errno> {
        let mut layout = self.layout.write();
        if !layout.regions.cover(range.clone(), Rights::NONE) {
            return Err(Errno::ENOMEM);
        }
        let writes = rights.contains(Rights::WRITE);
        let refuses = |region: &Region| match &region.backing {
            Backing::File(mapping) => writes && !mapping.file.may_write,
            Backing::Vdso { .. } => writes,
            _ => false,
        };
        if layout.regions.overlapping(range.clone()).any(refuses) {
            return Err(Errno::EACCES);
        }
        layout
            .regions
            .protect(range.clone(), rights)
            .map_err(no_memory)?;
        let mut flush = self.table.flush();
        // Alike now, it is one region unless it is backed in several ways.
        let mut start = range.start;
        while start < range.end
            && let Some(region) = layout.regions.find(start)
        {
            let part = start..range.end.min(region.end);
            start = region.end;
            let sharing = match region.backing {
                // The right to write comes with a fault, which makes the page dirty.
                Backing::File(_) => Sharing::CopyOnWrite,
                _ => region.sharing(),
            };
            self.table.protect(part, rights, sharing, &mut flush);
        }
        Ok(())
    }

    /// Forgets the contents of a range: it reads as zeroes, or as the file that
    /// is mapped there. What lies above the first region that `keeps` is left:
    /// EINVAL. ENOMEM if not all of it is mapped; then what is mapped is forgotten
    /// all the same.
    fn discard_unless(
        &self,
        range: Range<usize>,
        keeps: impl Fn(&Region) -> bool,
    ) -> Result<(), Errno> {
        let layout = self.layout.write();
        let mut flush = self.table.flush();
        for region in layout.regions.overlapping(range.clone()) {
            if keeps(region) {
                return Err(Errno::EINVAL);
            }
            self.table.unmap(region.part_in(&range), &mut flush);
        }
        drop(flush);
        if layout.regions.cover(range, Rights::NONE) {
            Ok(())
        } else {
            Err(Errno::ENOMEM)
        }
    }

    /// The same for what is not locked.
    pub fn discard(&self, range: Range<usize>) -> Result<(), Errno> {
        self.discard_unless(range, |region| region.lock != Lock::Off)
    }

    /// The same for all.
    pub fn discard_locked(&self, range: Range<usize>) -> Result<(), Errno> {
        self.discard_unless(range, |_| false)
    }

    /// The same for what is the space's own and not locked.
    pub fn discard_own(&self, range: Range<usize>) -> Result<(), Errno> {
        let is_own =
            |region: &Region| matches!(region.backing, Backing::Private | Backing::Stack { .. });
        self.discard_unless(range, |region| region.lock != Lock::Off || !is_own(region))
    }

    /// Makes the access to all pages of a range that is mapped possible, while
    /// `goes_on`, and leaves some memory: ENOMEM; EINVAL if the range does not
    /// grant it; EFAULT if the file that is mapped there has no such page; EINTR.
    pub fn fault_all(
        &self,
        range: Range<usize>,
        access: Access,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), Errno> {
        for page in range.step_by(PAGE_SIZE) {
            if !goes_on() {
                return Err(Errno::EINTR);
            }
            let fault = || match frames::may_have(SPARE) {
                true => self.fault_of_user(page, access),
                false => Err(FaultError::OutOfMemory),
            };
            with_room(fault).map_err(reason)?;
        }
        Ok(())
    }
}

impl Layout {
    /// Finds room for `length` bytes, at `hint` if that is free. ENOMEM.
    pub(super) fn place(&mut self, hint: usize, length: usize) -> Result<Gap, Errno> {
        if hint != 0
            && let Some(range) = pages(hint & !(PAGE_SIZE - 1), length)
            && range.start >= LOWEST
            && let Some(gap) = self.regions.gap_below(range.end, length, range.start)
        {
            return Ok(gap);
        }
        let gap = self
            .regions
            .gap_below(self.search_from, length, LOWEST)
            .or_else(|| self.regions.gap_below(USER_END, length, LOWEST))
            .ok_or(Errno::ENOMEM)?;
        self.search_from = gap.start;
        Ok(gap)
    }
}

/// The pages from `start`, a page's border, that hold `length` bytes; none if
/// they leave the user half.
pub(crate) fn pages(start: usize, length: usize) -> Option<Range<usize>> {
    let end = start
        .checked_add(length)?
        .checked_next_multiple_of(PAGE_SIZE)?;
    (start.is_multiple_of(PAGE_SIZE) && end <= USER_END).then_some(start..end)
}

/// Why pages cannot be made, as madvise(2) says it.
fn reason(error: FaultError) -> Errno {
    match error {
        FaultError::OutOfMemory | FaultError::OutOfCache => Errno::ENOMEM,
        FaultError::BadAddress => Errno::EINVAL,
        FaultError::NoSpace | FaultError::Missing => Errno::EFAULT,
    }
}
