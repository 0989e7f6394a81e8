//! Page tables of address spaces: four levels, of which the lower half is the
//! user's and the upper half is shared by all.
//!
//! Tables are added as pages are mapped and freed when the whole page table
//! goes, so a walk needs no lock and a CPU that still has the page table
//! loaded can walk it speculatively. The entries of a lowest table (a leaf)
//! change under the leaf's lock only, so that threads of a space fault in
//! parallel. An entry that is not empty owns a reference to its frame.
//!
//! | type | is |
//! |---|---|
//! | [`PageTable`] | the whole, and the operations on ranges |
//! | [`Page`] | the place of one page in its leaf |
//! | [`Cursor`] | the same with the leaf locked |
//! | [`Flush`] | what was unmapped, until every CPU has forgotten it |

mod cursor;
mod entry;
mod kernel;
mod range;
mod spares;
mod table;
#[cfg(test)]
mod tests;

pub use super::tlb::{Flush, leave, shed};
pub use cursor::{Cursor, Mapped, Page};
pub use entry::Rights;
pub(super) use kernel::kernel_root;
pub use range::Sharing;

use super::{OutOfMemory, tlb};
use crate::address::{PAGE_SIZE, USER_END};
use alloc::sync::Arc;
use entry::Entry;
use sync::{SpinLock, rank};
use table::Table;

/// Bytes that one leaf maps.
const LEAF_SPAN: usize = PAGE_SIZE * table::ENTRIES;

/// What an address space maps, as the CPU sees it.
pub struct PageTable {
    root: Table,
    /// Held while a table is added.
    growing: SpinLock<(), rank::PageTable>,
    /// Which CPUs may hold translations of this page table.
    pub(super) holders: tlb::Holders,
}

impl PageTable {
    /// A page table that maps nothing of the user's.
    pub fn new() -> Result<Arc<Self>, OutOfMemory> {
        Ok(Arc::new(Self {
            root: kernel::new_root().ok_or(OutOfMemory)?,
            growing: SpinLock::new(()),
            holders: tlb::Holders::new(),
        }))
    }

    /// Makes this CPU translate user addresses with this page table. Cheap if
    /// it does already.
    #[inline]
    pub fn activate(self: &Arc<Self>) {
        tlb::activate(self);
    }

    /// The place of the page that holds `address`, adding tables as needed.
    ///
    /// # Panics
    /// If `address` is not the user's.
    #[inline]
    pub fn page(&self, address: usize) -> Result<Page<'_>, OutOfMemory> {
        assert!(address < USER_END, "not a user address");
        let mut table = self.root;
        for level in [3, 2, 1] {
            let index = index(address, level);
            table = match Table::of(table.get(index)) {
                Some(next) => next,
                None => self.grow(table, index)?,
            };
        }
        Ok(Page::new(self, table, address))
    }

    /// As [`PageTable::page`], but only if the tables are there.
    #[inline]
    pub fn existing_page(&self, address: usize) -> Option<Page<'_>> {
        if address >= USER_END {
            return None;
        }
        let mut table = self.root;
        for level in [3, 2, 1] {
            table = Table::of(table.get(index(address, level)))?;
        }
        Some(Page::new(self, table, address))
    }

    /// Adds a table at `index` of `table`, unless a peer just did.
    #[cold]
    #[inline(never)]
    fn grow(&self, table: Table, index: usize) -> Result<Table, OutOfMemory> {
        let new = Table::alloc();
        let growing = self.growing.lock();
        let found = Table::of(table.get(index));
        if found.is_none()
            && let Some(new) = new
        {
            table.set(index, Entry::table(new.number()));
            return Ok(new);
        }
        drop(growing);
        if let Some(unused) = new {
            // SAFETY: no entry points to it, so nobody has seen it.
            unsafe { unused.free() };
        }
        found.ok_or(OutOfMemory)
    }

    /// Nobody runs in the space any more: gives back the frames it maps.
    pub fn vacate(&self) {
        tlb::retire(self);
        self.clear();
    }

    /// The space is gone: gives back all its frames. No thread may run with
    /// it any more, nor activate it.
    pub fn retire(&self) {
        if self.holders.is_retired() {
            return;
        }
        tlb::retire(self);
        // Without holders it is dropped next, which does the same at less cost.
        if self.holders.are_any() {
            self.clear();
        }
    }

    /// Another CPU may hold translations of this page table.
    fn is_loaded_elsewhere(&self) -> bool {
        self.holders.elsewhere()
    }

    pub(super) fn root_physical(&self) -> usize {
        self.root.number() as usize * PAGE_SIZE
    }
}

/// Frames kept as empty tables. A snapshot.
pub(super) fn spare_tables() -> usize {
    table::spare_tables() + kernel::spare_roots()
}

/// Frees the tables that the CPUs keep.
pub(super) fn free_spares() {
    table::free_spares();
    kernel::free_spare_roots();
}

/// The index of `address` in a table of `level`, 0 the lowest.
#[inline]
const fn index(address: usize, level: usize) -> usize {
    address >> (12 + 9 * level) & (table::ENTRIES - 1)
}

impl Drop for PageTable {
    fn drop(&mut self) {
        // SAFETY: a CPU holds a count on the page table it has loaded, so none
        // walks here, and this is the last user.
        unsafe {
            self.free_all();
            kernel::free_root(self.root);
        }
    }
}
