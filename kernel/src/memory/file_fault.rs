//! Page faults on mapped files.
//!
//! Pages of the file's cache are mapped without the right to write. In a shared
//! mapping the first write makes the page dirty and gets the right, until the
//! page is written back; in a private one it gets a copy of the page, which is
//! the space's own. The space's lock is held for reading throughout, also while
//! a page is read from its disk; those who hold a lock of the cache that waits
//! for a fault do not need it then.

use super::Space;
use super::fault::{FaultError, allow};
use super::mapping::FileMapping;
use super::regions::Region;
use abi::Errno;
use machine::frames::Frame;
use machine::page_table::{Cursor, Mapped, Page, Rights};

/// Pages that a fault maps together, if they are in memory: their faults would
/// cost more than that.
const AROUND: u64 = 16;

impl Space {
    /// Resolves a fault in a region that maps a file, and grants the access.
    /// The caller holds the space's lock.
    #[cold]
    #[inline(never)]
    pub(super) fn fault_file(
        &self,
        region: &Region,
        mapping: &FileMapping,
        address: usize,
        wanted: Rights,
    ) -> Result<(), FaultError> {
        let page = self.table.page(address)?;
        if mapping.file.shared {
            let writes = wanted == Rights::WRITE;
            return fault_shared(page, region, mapping, address, writes);
        }
        if wanted == Rights::WRITE {
            return fault_copy(page, region, mapping, address);
        }
        if region.rights.contains(Rights::WRITE) {
            // Most of these are going to be written: each is left to itself.
            let index = mapping.page(address);
            let map = |frame: &Frame| map_cached(&mut page.lock(), frame, region.rights);
            return mapping.file.cache.with_page(index, false, map).found();
        }
        self.fault_around(region, mapping, address)
    }

    /// A read: maps the page, and those around it that are in memory; if it is
    /// not, it is read together with those.
    fn fault_around(
        &self,
        region: &Region,
        mapping: &FileMapping,
        address: usize,
    ) -> Result<(), FaultError> {
        let cache = &mapping.file.cache;
        let index = mapping.page(address);
        let last = mapping.page(region.end - 1);
        let first = (index - index % AROUND).max(mapping.page(region.start));
        let end = (index - index % AROUND + AROUND).min(last + 1);
        cache.read_around(index, first..end);
        let page = self.table.page(address)?;
        let map = |frame: &Frame| map_cached(&mut page.lock(), frame, region.rights);
        cache.with_page(index, false, map).found()?;
        cache.with_resident(first..end, |index, frame| {
            if let Some(page) = self.table.existing_page(mapping.address(index))
                && page.seems_empty()
            {
                map_cached(&mut page.lock(), frame, region.rights);
            }
        });
        Ok(())
    }

    /// Calls `act` with the frame that a write to the page would go to, whatever
    /// the region's rights. The caller holds the space's lock.
    pub(super) fn with_own_file_frame(
        &self,
        region: &Region,
        mapping: &FileMapping,
        address: usize,
        act: impl FnOnce(&Frame),
    ) -> Result<(), FaultError> {
        if mapping.file.shared {
            let index = mapping.page(address);
            return mapping.file.cache.with_page(index, true, act).found();
        }
        let page = self.table.page(address)?;
        fault_copy(page, region, mapping, address)?;
        page.lock().with_frame(act);
        Ok(())
    }
}

fn fault_shared(
    page: Page<'_>,
    region: &Region,
    mapping: &FileMapping,
    address: usize,
    writes: bool,
) -> Result<(), FaultError> {
    let index = mapping.page(address);
    let rights = match writes {
        true => region.rights,
        false => region.rights.read_only(),
    };
    if writes {
        mapping.file.inode.note_mapped_write();
    }
    let map = |frame: &Frame| {
        let mut cursor = page.lock();
        match cursor.query() {
            Mapped::Nothing => cursor.map(frame.share(), rights),
            Mapped::Frame { rights: now, .. } => cursor.widen(now | rights),
        }
    };
    mapping.file.cache.with_page(index, writes, map).found()
}

/// A write in a private mapping: the page becomes the space's own.
fn fault_copy(
    page: Page<'_>,
    region: &Region,
    mapping: &FileMapping,
    address: usize,
) -> Result<(), FaultError> {
    if page.seems_empty() {
        let index = mapping.page(address);
        let cache = &mapping.file.cache;
        let frame = cache.page(index).map_err(refused)?;
        let frame = frame.ok_or(FaultError::Missing)?;
        // Copied with no lock held: it takes longer than all the rest.
        let copy = Frame::alloc().ok_or(FaultError::OutOfMemory)?;
        copy.copy_from(&frame);
        let mut spare = Some(copy);
        let map = |_: &Frame| {
            let mut cursor = page.lock();
            if cursor.query() == Mapped::Nothing
                && let Some(copy) = spare.take()
            {
                cursor.map(copy, region.rights);
            }
        };
        cache.with_page(index, false, map).found()?;
        if spare.is_none() {
            return Ok(());
        }
        // A peer was faster.
    }
    Ok(allow(&mut page.lock(), region, Rights::WRITE)?)
}

/// Maps a page of the cache where nothing is.
fn map_cached(cursor: &mut Cursor<'_>, frame: &Frame, rights: Rights) {
    if cursor.query() == Mapped::Nothing {
        cursor.map(frame.share(), rights.read_only());
    }
}

fn refused(error: Errno) -> FaultError {
    match error {
        Errno::ENOMEM => FaultError::OutOfCache,
        Errno::ENOSPC => FaultError::NoSpace,
        _ => FaultError::Missing,
    }
}

trait Found {
    /// What is not there is behind the end of the file.
    fn found(self) -> Result<(), FaultError>;
}

impl Found for Result<Option<()>, Errno> {
    fn found(self) -> Result<(), FaultError> {
        self.map_err(refused)?.ok_or(FaultError::Missing)
    }
}
