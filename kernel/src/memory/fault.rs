//! Page faults. Threads of a space fault in parallel: they only read the
//! regions, and lock no more of the page table than the leaf of the page.

use super::Space;
use super::regions::{Backing, Region};
use super::room::with_room;
use super::space::Layout;
use crate::files::cache::{flush_all, is_too_dirty};
use crate::files::disk;
use abi::memory::{PAGE_SIZE, USER_END};
use machine::frames::Frame;
use machine::hooks::Access;
use machine::memory::OutOfMemory;
use machine::page_table::{Cursor, Mapped, Page, Rights};

/// Kept free between a growing stack and what lies below it.
const GUARD: usize = PAGE_SIZE;

/// Why an access cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultError {
    /// Nothing is mapped there, or it does not grant the access.
    BadAddress,
    /// No frame is left for the page.
    OutOfMemory,
    /// No frame is left for the page of a file that is mapped there.
    OutOfCache,
    /// The disk has no room for what is going to be written.
    NoSpace,
    /// The file that is mapped there has no such page, or it cannot be read.
    Missing,
}

impl From<OutOfMemory> for FaultError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl Space {
    /// Makes the access to `address` possible, if the space allows it.
    pub fn fault(&self, address: usize, access: Access) -> Result<(), FaultError> {
        match with_room(|| self.resolve(address, access)) {
            Ok(()) if access == Access::Write && is_too_dirty() => {
                // What is written to mapped files must not fill memory either.
                flush_all();
                Ok(())
            }
            Err(FaultError::NoSpace) => {
                // Room is reserved with caution for what is dirty.
                flush_all();
                with_room(|| self.resolve(address, access))
            }
            result => result,
        }
    }

    /// The same for a program's own access: the caller holds no lock, so that it
    /// can wait for the room of files that nobody uses any more.
    pub fn fault_of_user(&self, address: usize, access: Access) -> Result<(), FaultError> {
        match self.fault(address, access) {
            Err(FaultError::NoSpace) => {
                disk::release_all();
                self.fault(address, access)
            }
            result => result,
        }
    }

    #[inline(always)]
    fn resolve(&self, address: usize, access: Access) -> Result<(), FaultError> {
        if address >= USER_END {
            return Err(FaultError::BadAddress);
        }
        let layout = self.layout.read();
        let Some(region) = layout.regions.find(address) else {
            drop(layout);
            return self.fault_below_stack(address, access);
        };
        self.fault_in(region, address, access)
    }

    /// The same, in the region that holds the address. The caller holds the
    /// space's lock.
    #[inline]
    fn fault_in(&self, region: &Region, address: usize, access: Access) -> Result<(), FaultError> {
        let wanted = wanted(access);
        if !region.rights.contains(wanted) {
            return Err(FaultError::BadAddress);
        }
        match &region.backing {
            Backing::Private | Backing::Stack { .. } => {}
            Backing::File(mapping) => return self.fault_file(region, mapping, address, wanted),
            Backing::Vdso { base } => return self.fault_vdso(region, *base, address, wanted),
        }
        let page = self.table.page(address)?;
        if page.seems_empty() {
            // Zeroed before the lock is taken, as it takes longer than all the rest.
            let frame = Frame::alloc_zeroed().ok_or(FaultError::OutOfMemory)?;
            let mut cursor = page.lock();
            if cursor.query() == Mapped::Nothing {
                cursor.map(frame, region.rights);
                return Ok(());
            }
            // A peer was faster.
        }
        Ok(allow(&mut page.lock(), region, wanted)?)
    }

    /// Grows the stack above `address`, if there is one that may grow so far.
    #[cold]
    fn fault_below_stack(&self, address: usize, access: Access) -> Result<(), FaultError> {
        let mut layout = self.layout.write();
        if layout.regions.find(address).is_none() {
            grow_stack(&mut layout, address)?;
        }
        let region = layout.regions.find(address).ok_or(FaultError::BadAddress)?;
        self.fault_in(region, address, access)
    }

    /// Calls `act` with the page's own frame, mapping or copying one as a write
    /// would, whatever the region's rights.
    pub(super) fn with_own_frame(
        &self,
        region: &Region,
        address: usize,
        act: impl FnOnce(&Frame),
    ) -> Result<(), FaultError> {
        match &region.backing {
            Backing::Private | Backing::Stack { .. } => {}
            Backing::File(mapping) => {
                return self.with_own_file_frame(region, mapping, address, act);
            }
            // All spaces have the same.
            Backing::Vdso { .. } => return Err(FaultError::BadAddress),
        }
        let page: Page<'_> = self.table.page(address)?;
        let mut cursor = page.lock();
        match cursor.query() {
            Mapped::Nothing => {
                let frame = Frame::alloc_zeroed().ok_or(FaultError::OutOfMemory)?;
                cursor.map(frame, region.rights);
            }
            Mapped::Frame { unique: true, .. } => {}
            Mapped::Frame { rights, .. } => {
                let copy = Frame::alloc().ok_or(FaultError::OutOfMemory)?;
                cursor.replace_by_copy(copy, rights);
            }
        }
        cursor.with_frame(act);
        Ok(())
    }
}

/// Grants an access that the region allows to a page that has a frame.
pub(super) fn allow(
    cursor: &mut Cursor<'_>,
    region: &Region,
    wanted: Rights,
) -> Result<(), OutOfMemory> {
    let rights = region.rights;
    match cursor.query() {
        // Unmapped again, without the space's lock? Then the access faults again.
        Mapped::Nothing => {}
        Mapped::Frame { unique: true, .. } => cursor.widen(rights),
        // Someone else's too: only the right to write has to wait for a copy.
        Mapped::Frame {
            rights: granted, ..
        } => {
            if wanted == Rights::WRITE && !granted.contains(wanted) {
                cursor.replace_by_copy(Frame::alloc().ok_or(OutOfMemory)?, rights);
            } else {
                cursor.widen(granted | rights.read_only());
            }
        }
    }
    Ok(())
}

/// Extends the stack region above `address` down to the address's page.
pub(super) fn grow_stack(layout: &mut Layout, address: usize) -> Result<(), FaultError> {
    let start = address & !(PAGE_SIZE - 1);
    let region = layout
        .regions
        .after(address)
        .ok_or(FaultError::BadAddress)?;
    let old_start = region.start;
    match region.backing {
        Backing::Stack { floor } if start >= floor && region.end - start <= layout.limits.stack => {
        }
        _ => return Err(FaultError::BadAddress),
    }
    let guard = start.saturating_sub(GUARD)..start;
    if !layout.regions.is_free(&guard) {
        return Err(FaultError::BadAddress);
    }
    layout
        .check_limits(old_start - start, Rights::NONE, false, 0..0)
        .map_err(|_| FaultError::BadAddress)?;
    layout.regions.grow_down(old_start, start);
    Ok(())
}

fn wanted(access: Access) -> Rights {
    match access {
        Access::Read => Rights::READ,
        Access::Write => Rights::WRITE,
        Access::Execute => Rights::EXECUTE,
    }
}
