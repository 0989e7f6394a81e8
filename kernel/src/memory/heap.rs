//! The break: where the heap that brk(2) moves ends.

use super::regions::{Backing, Region};
use super::room::with_room;
use super::space::Layout;
use super::{FaultError, Space};
use crate::files::reclaim;
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use core::ops::Range;
use machine::frames;
use machine::page_table::Rights;

/// Pages that are left when a program that takes page after page is told that
/// there are no more: it still has to touch its stack and what it shares.
pub(super) const SPARE: usize = 32;

/// When the pages of a growing heap are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pages {
    /// When they are touched, if so many are free now: a program that grows its
    /// heap until that fails is told in time.
    Checked,
    /// At once.
    Eager,
    /// When they are touched.
    Lazy,
}

impl Space {
    /// Says where the heap starts: at the first page border from `end` on,
    /// the end of the program's data. It is empty.
    pub fn set_heap(&self, end: usize) {
        let start = end.next_multiple_of(PAGE_SIZE);
        self.layout.write().heap = start..start;
    }

    /// Moves the break, as brk(2) does on Linux: the new break, or the old one
    /// if that is not possible. What a lower break leaves is unmapped on every
    /// CPU before this returns.
    pub fn brk(&self, new: usize) -> usize {
        self.brk_from(new).end
    }

    /// The same: from the old break to the one there is then.
    pub fn brk_from(&self, new: usize) -> Range<usize> {
        let mut old = 0;
        let moved = with_room(|| {
            let mut layout = self.layout.write();
            old = layout.heap.end;
            self.move_break(&mut layout, new, Pages::Checked)
        });
        old..if moved.is_ok() { new } else { old }
    }

    /// Moves the break by `delta` bytes and returns the old one. ENOMEM.
    pub fn sbrk(&self, delta: isize, how: Pages) -> Result<usize, Errno> {
        let mut act = || {
            let mut layout = self.layout.write();
            let old = layout.heap.end;
            let new = old.checked_add_signed(delta);
            self.move_break(&mut layout, new.ok_or(FaultError::BadAddress)?, how)?;
            Ok::<usize, FaultError>(old)
        };
        let mut moved = with_room(&mut act);
        // Nothing is locked here, so that all can go that files have in memory:
        // programs of xv6 find leaks by counting the pages that they can have.
        if moved == Err(FaultError::OutOfMemory) {
            reclaim::drop_all();
            moved = with_room(&mut act);
        }
        moved.map_err(|_| Errno::ENOMEM)
    }

    fn move_break(&self, layout: &mut Layout, new: usize, how: Pages) -> Result<(), FaultError> {
        let old = layout.heap.end;
        if new < layout.heap.start || new > USER_END {
            return Err(FaultError::BadAddress);
        }
        let mapped = old.next_multiple_of(PAGE_SIZE);
        let wanted = new.next_multiple_of(PAGE_SIZE);
        if wanted > mapped {
            self.grow(layout, mapped, wanted, how)?;
        } else if wanted < mapped {
            let unmapped = self.unmap_in(layout, wanted..mapped);
            unmapped.map_err(|_| FaultError::BadAddress)?;
        }
        layout.heap.end = new;
        Ok(())
    }

    /// Maps `from..to`, if nothing is there.
    fn grow(
        &self,
        layout: &mut Layout,
        from: usize,
        to: usize,
        how: Pages,
    ) -> Result<(), FaultError> {
        let region = Region {
            start: from,
            end: to,
            rights: Rights::READ | Rights::WRITE,
            backing: Backing::Private,
            lock: layout.lock_new,
        };
        let above = layout.regions.after(from).map_or(USER_END, Region::floor);
        let pages = (to - from) / PAGE_SIZE;
        if to > above || (how != Pages::Lazy && pages > frames::total_count()) {
            return Err(FaultError::BadAddress);
        }
        layout
            .check_limits(to - from, region.rights, false, 0..0)
            .map_err(|_| FaultError::BadAddress)?;
        let spare = if how == Pages::Eager { SPARE } else { 0 };
        if how != Pages::Lazy && !frames::may_have(pages + spare) {
            return Err(FaultError::OutOfMemory);
        }
        layout.regions.insert(region.clone())?;
        if how == Pages::Eager {
            let mut addresses = (from..to).step_by(PAGE_SIZE);
            let made = addresses.try_for_each(|at| self.with_own_frame(&region, at, |_| ()));
            if made.is_err() {
                // Only its own end, so that no region has to be divided.
                let _ = self.unmap_in(layout, from..to);
            }
            made?;
        }
        Ok(())
    }
}
