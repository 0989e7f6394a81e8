//! One page of a page table: [`Page`] is its place, [`Cursor`] the place with
//! the leaf locked, to look and to change.

use super::entry::{Entry, Rights};
use super::table::Table;
use super::{PageTable, index};
use crate::address::PAGE_SIZE;
use crate::memory::frames::Frame;
use crate::memory::tlb;
use core::mem::ManuallyDrop;
use sync::{SpinGuard, SpinLock, rank};

/// Locks of leaves, shared by those whose frame numbers agree in the low bits.
/// No one ever holds two, so sharing costs some waiting at worst.
const LOCKS: usize = 128;
static LEAVES: [LeafLock; LOCKS] = [const { LeafLock(SpinLock::new(())) }; LOCKS];

#[repr(align(64))]
struct LeafLock(SpinLock<(), rank::PageTableLeaf>);

/// Locks the entries of a leaf.
#[inline]
pub(super) fn lock(leaf: Table) -> SpinGuard<'static, (), rank::PageTableLeaf> {
    LEAVES[leaf.number() as usize % LOCKS].0.lock()
}

/// The place of one page in its leaf.
#[derive(Clone, Copy)]
pub struct Page<'t> {
    owner: &'t PageTable,
    leaf: Table,
    address: usize,
}

impl<'t> Page<'t> {
    #[inline]
    pub(super) fn new(owner: &'t PageTable, leaf: Table, address: usize) -> Self {
        Self {
            owner,
            leaf,
            address: address & !(PAGE_SIZE - 1),
        }
    }

    /// No frame is mapped here: a hint, as the leaf is not locked.
    #[must_use]
    #[inline]
    pub fn seems_empty(self) -> bool {
        self.leaf.get(index(self.address, 0)).is_empty()
    }

    /// Locks the leaf.
    #[must_use]
    #[inline]
    pub fn lock(self) -> Cursor<'t> {
        Cursor {
            page: self,
            _guard: lock(self.leaf),
        }
    }

    pub(super) fn leaf(self) -> Table {
        self.leaf
    }

    /// What the CPU would find here, without the lock.
    #[cfg(not(target_os = "none"))]
    pub(in crate::memory) fn translate(self) -> (u32, Rights) {
        let entry = self.leaf.get(index(self.address, 0));
        (entry.number(), entry.rights())
    }
}

/// What a page's entry says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mapped {
    /// No frame.
    Nothing,
    /// A frame, with the rights the CPU grants.
    Frame {
        rights: Rights,
        /// No one else refers to the frame.
        unique: bool,
    },
}

/// One page of a page table, its leaf locked. Holding it, do not sleep.
pub struct Cursor<'t> {
    page: Page<'t>,
    _guard: SpinGuard<'static, (), rank::PageTableLeaf>,
}

impl Cursor<'_> {
    #[inline]
    fn entry(&self) -> Entry {
        self.page.leaf.get(index(self.page.address, 0))
    }

    /// The frame the entry owns, borrowed.
    fn frame(entry: Entry) -> Option<ManuallyDrop<Frame>> {
        // SAFETY: an entry that is not empty owns a reference to its frame,
        // which stays with the entry, as the copy is never dropped.
        (!entry.is_empty())
            .then(|| ManuallyDrop::new(unsafe { Frame::from_number(entry.number()) }))
    }

    /// What is mapped here.
    #[must_use]
    #[inline]
    pub fn query(&self) -> Mapped {
        let entry = self.entry();
        match Self::frame(entry) {
            None => Mapped::Nothing,
            Some(frame) => Mapped::Frame {
                rights: entry.rights(),
                unique: frame.is_unique(),
            },
        }
    }

    /// A reference to the frame that is mapped here.
    #[must_use]
    pub fn share(&self) -> Option<Frame> {
        Self::frame(self.entry()).map(|frame| frame.share())
    }

    /// Maps `frame` where nothing is mapped.
    ///
    /// # Panics
    /// If something is mapped.
    #[inline]
    pub fn map(&mut self, frame: Frame, rights: Rights) {
        assert!(self.entry().is_empty(), "the page is mapped already");
        let entry = Entry::page(frame.into_number(), rights);
        self.page.leaf.set(index(self.page.address, 0), entry);
    }

    /// Grants `rights`, which include those granted now. A CPU that still
    /// knows the old rights faults once more and finds the new ones.
    pub fn widen(&mut self, rights: Rights) {
        let entry = self.entry();
        debug_assert!(!entry.is_empty() && rights.contains(entry.rights()));
        let index = index(self.page.address, 0);
        self.page.leaf.replace(index, entry.with_rights(rights));
        tlb::forget_here(self.page.address);
    }

    /// Maps a copy of the frame that is mapped here instead of it: what a
    /// write to a shared page does. `copy` is overwritten.
    pub fn replace_by_copy(&mut self, copy: Frame, rights: Rights) {
        let old = self.entry();
        let Some(frame) = Self::frame(old) else {
            return self.map(copy, rights);
        };
        copy.copy_from(&frame);
        let index = index(self.page.address, 0);
        let new = Entry::page(copy.into_number(), rights);
        // SAFETY: the entry that owns the reference is overwritten below.
        let frame = unsafe { Frame::from_number(old.number()) };
        let mut flush = self.page.owner.flush();
        flush.unmapped(self.page.address, frame);
        if self.page.owner.is_loaded_elsewhere() {
            // No CPU may write to the copy while another can still read the
            // original, so nothing is mapped until all have forgotten it.
            self.page.leaf.replace(index, Entry::EMPTY);
            drop(flush);
            self.page.leaf.replace(index, new);
        } else {
            self.page.leaf.replace(index, new);
        }
    }

    /// `frame` is mapped here.
    #[must_use]
    pub fn maps(&self, frame: &Frame) -> bool {
        Self::frame(self.entry()).is_some_and(|mapped| mapped.is_same(frame))
    }

    /// Unmaps the page if `frame` is mapped here; the reference goes with the
    /// flush.
    pub fn unmap_frame(&mut self, frame: &Frame, flush: &mut tlb::Flush<'_>) {
        if !self.maps(frame) {
            return;
        }
        let number = self.entry().number();
        let index = index(self.page.address, 0);
        self.page.leaf.replace(index, Entry::EMPTY);
        // SAFETY: the entry owned a reference, and is no more.
        let frame = unsafe { Frame::from_number(number) };
        flush.unmapped(self.page.address, frame);
    }

    /// Reads or writes through the kernel's own view of the frame, whatever
    /// the rights. False if nothing is mapped.
    pub fn with_frame(&self, act: impl FnOnce(&Frame)) -> bool {
        Self::frame(self.entry()).map(|frame| act(&frame)).is_some()
    }
}
