//! Operations on all pages of a range. Leaves are locked one after the other:
//! the caller keeps peers from changing the range meanwhile (it holds the
//! space's lock for writing), the leaf's lock keeps page faults out elsewhere
//! in the leaf.

use super::cursor::{Page, lock};
use super::entry::{Entry, Rights};
use super::table::{ENTRIES, Table};
use super::{LEAF_SPAN, PageTable, index};
use crate::address::{PAGE_SIZE, USER_END};
use crate::memory::OutOfMemory;
use crate::memory::frames::Frame;
use crate::memory::tlb::Flush;
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
            leaf.take(&part, |index, entry| {
                // SAFETY: the entry owned a reference, and is no more.
                let frame = unsafe { Frame::from_number(entry.number()) };
                flush.unmapped(base + index * PAGE_SIZE, frame);
            });
        });
    }

    /// Changes the rights of all pages in `range`. Under copy on write, the
    /// right to write comes back only where the frame is no one else's;
    /// elsewhere with the next write, which copies.
    pub fn protect(
        &self,
        range: Range<usize>,
        rights: Rights,
        sharing: Sharing,
        flush: &mut Flush<'_>,
    ) {
        self.each_leaf(range, |leaf, part, base| {
            let _locked = lock(leaf);
            leaf.each(&part, |index, old| {
                // SAFETY: the entry owns a reference and keeps it.
                let frame = ManuallyDrop::new(unsafe { Frame::from_number(old.number()) });
                let allowed = if sharing == Sharing::Same || frame.is_unique() {
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
            if result.is_ok() {
                result = share_leaf(leaf, &part, child.page(base), sharing, base, flush);
            }
        });
        result
    }

    /// Moves what is mapped in `range`, with its rights, to `to` and above, where
    /// nothing is mapped; the two do not overlap. If it fails nothing has moved.
    pub fn relocate(
        &self,
        range: Range<usize>,
        to: usize,
        flush: &mut Flush<'_>,
    ) -> Result<(), OutOfMemory> {
        let place = |address: usize| address - range.start + to;
        // The pages of one leaf go to two at most.
        let mut result = Ok(());
        self.each_leaf(range.clone(), |_, part, base| {
            for index in [part.start, part.end - 1] {
                let page = self.page(place(base + index * PAGE_SIZE));
                result = result.and(page.map(|_| ()));
            }
        });
        result?;
        self.each_leaf(range.clone(), |leaf, part, base| {
            for index in part {
                let address = base + index * PAGE_SIZE;
                let mut taken = None;
                let one = lock(leaf);
                leaf.take(&(index..index + 1), |_, entry| taken = Some(entry));
                drop(one);
                let Some(entry) = taken else { continue };
                flush.changed(address);
                let target = self.existing_page(place(address));
                // Made above, and tables stay as long as the page table does.
                let target = target.expect("the table is there").leaf();
                let _one = lock(target);
                target.set(super::index(place(address), 0), entry);
            }
        });
        Ok(())
    }

    /// How many pages of the range seem to be mapped: a hint, as no leaf is locked.
    pub fn count_mapped(&self, range: Range<usize>) -> usize {
        let mut count = 0;
        self.each_leaf(range, |leaf, part, _| {
            count += part.filter(|&index| !leaf.get(index).is_empty()).count();
        });
        count
    }

    /// Unmaps everything and frees all tables but the root, with no flush.
    ///
    /// # Safety
    /// Nobody uses the page table any more, and no CPU has it loaded.
    pub(super) unsafe fn free_all(&mut self) {
        // SAFETY: passed on to the caller.
        unsafe { free_below(self.root, 3, 0..ENTRIES / 2) };
    }

    /// Unmaps everything, with no flush: nobody uses the translations.
    pub(super) fn clear(&self) {
        clear_below(self.root, 3, 0..ENTRIES / 2);
    }

    /// Calls `act` for each leaf that may map a page in `range`, with the part
    /// of the leaf that lies in the range and the address of the leaf's first
    /// page.
    #[inline]
    fn each_leaf(&self, range: Range<usize>, mut act: impl FnMut(Table, Range<usize>, usize)) {
        // Behind it are the kernel's own tables.
        assert!(range.end <= USER_END);
        debug_assert!(range.start.is_multiple_of(PAGE_SIZE));
        let mut address = range.start;
        while address < range.end {
            let (leaf, next) = self.leaf_at(address);
            if let Some(leaf) = leaf {
                let first = index(address, 0);
                let part = first..first + (next.min(range.end) - address) / PAGE_SIZE;
                if leaf.may_use(&part) {
                    act(leaf, part, address & !(LEAF_SPAN - 1));
                }
            }
            address = next;
        }
    }

    /// The leaf for `address`, and the address up to which it, or nothing, maps.
    #[inline]
    fn leaf_at(&self, address: usize) -> (Option<Table>, usize) {
        let mut table = self.root;
        for level in [3, 2, 1] {
            match Table::of(table.get(index(address, level))) {
                Some(next) => table = next,
                None => return (None, (address | ((PAGE_SIZE << (9 * level)) - 1)) + 1),
            }
        }
        (Some(table), (address | (LEAF_SPAN - 1)) + 1)
    }
}

/// Maps what `part` of `leaf` maps in the child's leaf too.
#[inline]
fn share_leaf(
    leaf: Table,
    part: &Range<usize>,
    child: Result<Page<'_>, OutOfMemory>,
    sharing: Sharing,
    base: usize,
    flush: &mut Flush<'_>,
) -> Result<(), OutOfMemory> {
    let child = child?.leaf();
    let _locked = lock(leaf);
    child.use_as(leaf, part);
    leaf.each(part, |index, entry| {
        let mut shared = entry;
        if sharing == Sharing::CopyOnWrite && entry.is_writable() {
            shared = entry.write_protected();
            leaf.replace(index, shared);
            flush.changed(base + index * PAGE_SIZE);
        }
        // SAFETY: the entry owns a reference and keeps it.
        let frame = ManuallyDrop::new(unsafe { Frame::from_number(entry.number()) });
        let _child_owns = frame.share().into_number();
        child.replace(index, shared);
    });
    Ok(())
}

/// Drops the reference that an entry owned.
#[inline]
fn drop_frame(entry: Entry) {
    // SAFETY: the caller took the entry out of its table.
    drop(unsafe { Frame::from_number(entry.number()) });
}

/// Empties the leaves below `table`, of `level`, in `range`. A peer that adds a
/// table meanwhile maps nothing in it.
fn clear_below(table: Table, level: usize, range: Range<usize>) {
    table.each(&range, |_, entry| {
        let below = Table::of_present(entry);
        if level > 1 {
            return clear_below(below, level - 1, 0..ENTRIES);
        }
        let _locked = lock(below);
        below.take(&(0..ENTRIES), |_, entry| drop_frame(entry));
    });
}

/// Empties `table`, of `level`, in `range`, and frees what is below.
///
/// # Safety
/// As for `free_all`.
unsafe fn free_below(table: Table, level: usize, range: Range<usize>) {
    table.take(&range, |_, entry| {
        if level == 0 {
            return drop_frame(entry);
        }
        let below = Table::of_present(entry);
        // SAFETY: no entry points to the table any more; passed on to the caller.
        unsafe {
            free_below(below, level - 1, 0..ENTRIES);
            below.free();
        }
    });
}
