//! Operations on all pages of a range. Leaves are locked one after the other:
//! the caller keeps peers from changing the range meanwhile (it holds the
//! space's lock for writing), the leaf's lock keeps page faults out elsewhere
//! in the leaf.

use super::cursor::{lock, part};
use super::entry::{Entry, Rights};
use super::table::{ENTRIES, Table};
use super::{LEAF_SPAN, PageTable, index};
use crate::address::{PAGE_SIZE, USER_END};
use crate::memory::OutOfMemory;
use crate::memory::frames::Frame;
use crate::memory::tlb::Flush;
use core::convert::Infallible;
use core::mem::ManuallyDrop;
use core::ops::Range;

/// How a child gets the pages of its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// Each sees its own: neither may write before it has a copy.
    CopyOnWrite,
    /// Both see the same, with the same rights.
    Same,
}

impl PageTable {
    /// Starts a batch of changes that CPUs have to forget about.
    #[inline]
    pub fn flush(&self) -> Flush<'_> {
        Flush::new(self)
    }

    /// Unmaps all pages in `range`; their frames go with the flush.
    pub fn unmap(&self, range: Range<usize>, flush: &mut Flush<'_>) {
        self.each_leaf(range, |leaf, part, base| {
            let _locked = lock(leaf);
            each(leaf, part, |index, entry| {
                leaf.replace(index, Entry::EMPTY);
                // SAFETY: the entry owned a reference, and is no more.
                let frame = unsafe { Frame::from_number(entry.number()) };
                flush.unmapped(base + index * PAGE_SIZE, frame);
            });
        });
    }

    /// Changes the rights of all pages in `range`. The right to write comes
    /// back only where the frame is no one else's; elsewhere with the next
    /// write, which copies.
    pub fn protect(&self, range: Range<usize>, rights: Rights, flush: &mut Flush<'_>) {
        self.each_leaf(range, |leaf, part, base| {
            let _locked = lock(leaf);
            each(leaf, part, |index, old| {
                // SAFETY: the entry owns a reference and keeps it.
                let frame = ManuallyDrop::new(unsafe { Frame::from_number(old.number()) });
                let allowed = if frame.is_unique() {
                    rights
                } else {
                    rights.read_only()
                };
                let new = old.with_rights(allowed);
                leaf.replace(index, new);
                if old.is_present() && !new.rights().contains(old.rights()) {
                    flush.changed(base + index * PAGE_SIZE);
                }
            });
        });
    }

    /// Maps the pages of `range` in `child` too, which nobody else uses yet.
    /// What a failure leaves in the child goes with the child.
    pub fn share(
        &self,
        range: Range<usize>,
        child: &PageTable,
        sharing: Sharing,
        flush: &mut Flush<'_>,
    ) -> Result<(), OutOfMemory> {
        let mut result = Ok(());
        self.each_leaf(range, |leaf, part, base| {
            if result.is_err() {
                return;
            }
            let mut child_leaf = None;
            let _locked = lock(leaf);
            result = leaf.each(part, |index, entry| {
                let into = match child_leaf {
                    Some(leaf) => leaf,
                    None => *child_leaf.insert(child.page(base)?.leaf()),
                };
                let mut shared = entry;
                if sharing == Sharing::CopyOnWrite && entry.is_writable() {
                    shared = entry.write_protected();
                    leaf.replace(index, shared);
                    flush.changed(base + index * PAGE_SIZE);
                }
                // SAFETY: the entry owns a reference and keeps it.
                let frame = ManuallyDrop::new(unsafe { Frame::from_number(entry.number()) });
                let _child_owns = frame.share().into_number();
                into.set(index, shared);
                Ok(())
            });
        });
        result
    }

    /// Unmaps everything, with no flush: nobody uses the translations.
    pub(super) fn clear(&self) {
        self.each_leaf(0..USER_END, |leaf, part, _| {
            let _locked = lock(leaf);
            each(leaf, part, |index, entry| {
                leaf.replace(index, Entry::EMPTY);
                // SAFETY: the entry owned a reference, and is no more.
                drop(unsafe { Frame::from_number(entry.number()) });
            });
        });
    }

    /// Frees all tables but the root. All leaves are empty.
    ///
    /// # Safety
    /// No CPU has the page table loaded.
    pub(super) unsafe fn free_tables(&mut self) {
        // SAFETY: passed on to the caller.
        unsafe { free_below(self.root, 3, 0..ENTRIES / 2) };
    }

    /// Calls `act` for each leaf that may map a page in `range`, with the part
    /// of the leaf that lies in the range and the address of the leaf's first
    /// page.
    #[inline]
    fn each_leaf(&self, range: Range<usize>, mut act: impl FnMut(Table, Range<usize>, usize)) {
        debug_assert!(range.end <= USER_END && range.start.is_multiple_of(PAGE_SIZE));
        if range.end - range.start > PAGE_SIZE {
            descend(self.root, 3, range, &mut act);
        } else if let Some(page) = self.existing_page(range.start)
            && !page.seems_empty()
        {
            let first = index(range.start, 0);
            act(
                page.leaf(),
                first..first + 1,
                range.start & !(LEAF_SPAN - 1),
            );
        }
    }
}

/// Walks the tables that `range` crosses, from `table` of `level` down.
fn descend(
    table: Table,
    level: usize,
    range: Range<usize>,
    act: &mut impl FnMut(Table, Range<usize>, usize),
) {
    if level == 0 {
        let base = range.start & !(LEAF_SPAN - 1);
        let part = part(&range);
        if table.may_use(&part) {
            act(table, part, base);
        }
        return;
    }
    let span = LEAF_SPAN << (9 * (level - 1));
    let first = index(range.start, level);
    let last = index(range.end - 1, level);
    // Where `table`'s own first entry begins.
    let base = range.start & !(span * ENTRIES - 1);
    each(table, first..last + 1, |index, entry| {
        let start = base + index * span;
        let within = range.start.max(start)..range.end.min(start + span);
        descend(Table::of_present(entry), level - 1, within, act);
    });
}

/// [`Table::each`] where nothing can fail.
#[inline]
fn each(table: Table, range: Range<usize>, mut visit: impl FnMut(usize, Entry)) {
    let done: Result<(), Infallible> = table.each(range, |index, entry| {
        visit(index, entry);
        Ok(())
    });
    let Ok(()) = done;
}

/// # Safety
/// As for `free_tables`.
unsafe fn free_below(table: Table, level: usize, range: Range<usize>) {
    each(table, range, |index, entry| {
        let below = Table::of_present(entry);
        table.replace(index, Entry::EMPTY);
        // SAFETY: no entry points to the table any more; passed on to the caller.
        unsafe {
            if level > 1 {
                free_below(below, level - 1, 0..ENTRIES);
            }
            below.free();
        }
    });
}
