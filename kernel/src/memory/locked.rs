//! Memory that stays in memory: what mlock(2) and its kin do, and mincore(2).
//! Pages that are a space's own are never taken from it, so that locking them is
//! making them; from mapped files reclaim takes pages, unless their region is
//! locked. All processes are root's, whom RLIMIT_MEMLOCK does not bind.

use super::Space;
use super::regions::{Backing, Lock, Region};
use super::space::{Layout, no_memory};
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use machine::hooks::Access;
use machine::page_table::{Page, Rights};

impl Space {
    /// Locks or unlocks a range, and makes no page. ENOMEM, also if not all of it
    /// is mapped.
    pub fn lock(&self, range: Range<usize>, lock: Lock) -> Result<(), Errno> {
        self.may_lock.fetch_or(lock != Lock::Off, Relaxed);
        let mut layout = self.layout.write();
        let is_mapped = layout.regions.cover(range.clone(), Rights::NONE);
        layout.regions.lock(range, lock).map_err(no_memory)?;
        match is_mapped {
            true => Ok(()),
            false => Err(Errno::ENOMEM),
        }
    }

    /// Locks or unlocks all that is mapped, if `now` says so, and all that will
    /// be. ENOMEM.
    pub fn lock_all(&self, now: Option<Lock>, new: Lock) -> Result<(), Errno> {
        let locks = new != Lock::Off || now.is_some_and(|now| now != Lock::Off);
        self.may_lock.fetch_or(locks, Relaxed);
        let mut layout = self.layout.write();
        layout.lock_new = new;
        match now {
            Some(lock) => layout.regions.lock(0..USER_END, lock).map_err(no_memory),
            None => Ok(()),
        }
    }

    /// Something in a range is locked.
    pub fn is_locked(&self, range: Range<usize>) -> bool {
        let layout = self.layout.read();
        let mut regions = layout.regions.overlapping(range);
        regions.any(|region| region.lock != Lock::Off)
    }

    /// Makes the pages of those parts of a range that are locked in full; while
    /// `goes_on`. What cannot be made is left.
    pub fn fill_locked(&self, range: Range<usize>, goes_on: &dyn Fn() -> bool) {
        if self.may_lock.load(Relaxed) {
            let is_full = |region: &Region| region.lock == Lock::Full;
            let _ = self.fill(range, is_full, goes_on);
        }
    }

    /// Makes the pages of a range as their first use would, while `goes_on`: to
    /// be written where only this space would see that.
    ///
    /// # Errors
    /// As [`Space::fault_all`]; EINVAL also for what grants no access. The rest
    /// is left.
    pub fn make_present(
        &self,
        range: Range<usize>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), Errno> {
        self.fill(range, |_| true, goes_on)
    }

    fn fill(
        &self,
        range: Range<usize>,
        wants: impl Fn(&Region) -> bool,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), Errno> {
        let mut at = range.start;
        let mut result = Ok(());
        // An empty rest would lie in a region that goes on.
        while at < range.end
            && let Some((part, access)) = self.next_part(at..range.end, &wants)
        {
            at = part.end;
            match self.fault_all(part, access, goes_on) {
                Err(Errno::EINTR) => return Err(Errno::EINTR),
                filled => result = result.and(filled),
            }
        }
        result
    }

    /// The first part of a range whose region is one that `wants`, and how its
    /// pages are used first.
    fn next_part(
        &self,
        range: Range<usize>,
        wants: impl Fn(&Region) -> bool,
    ) -> Option<(Range<usize>, Access)> {
        let layout = self.layout.read();
        let region = layout
            .regions
            .overlapping(range.clone())
            .find(|r| wants(r))?;
        let access = match region.rights.contains(Rights::WRITE) && !region.shares_file() {
            true => Access::Write,
            false => Access::Read,
        };
        Some((region.part_in(&range), access))
    }

    /// Says for each page of a range whether it is in memory. ENOMEM if not all of
    /// it is mapped.
    pub fn residence(&self, range: Range<usize>, pages: &mut [u8]) -> Result<(), Errno> {
        let layout = self.layout.read();
        if !layout.regions.cover(range.clone(), Rights::NONE) {
            return Err(Errno::ENOMEM);
        }
        for (address, is_there) in range.step_by(PAGE_SIZE).zip(pages) {
            let page = self.table.existing_page(address);
            let is_mapped = page.is_some_and(|page| !Page::seems_empty(page));
            *is_there = u8::from(is_mapped || is_cached(&layout, address));
        }
        Ok(())
    }
}

/// What is mapped there is a file's, and the file has it in memory.
fn is_cached(layout: &Layout, address: usize) -> bool {
    let mut is_there = false;
    if let Some(Backing::File(mapping)) = layout.regions.find(address).map(|r| &r.backing) {
        let page = mapping.page(address);
        let cache = &mapping.file.cache;
        cache.with_resident(page..page + 1, |_, _| is_there = true);
    }
    is_there
}
