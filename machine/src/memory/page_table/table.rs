//! One table of 512 entries, at any level. Its frame's record keeps a bit for
//! each eight entries (one cache line) of which some may be in use, so that
//! walks and teardown skip what is empty.
//!
//! Tables that were emptied are kept zeroed in a cache of each CPU, as most of
//! the cost of a new address space would be zeroing its tables.

use super::entry::Entry;
use super::spares::Spares;
use crate::memory::frames::{Frame, metas, pointer};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

pub(super) const ENTRIES: usize = 512;
/// Entries that one bit of the record stands for.
const GROUP: usize = 8;

/// Empty tables.
static SPARES: Spares<16> = Spares::new();

/// A table, by the number of its frame. Copies are references; who owns the
/// table is said by the entry that points to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Table(u32);

impl Table {
    /// A table of empty entries. None if memory is used up.
    pub(super) fn alloc() -> Option<Self> {
        match SPARES.take() {
            Some(number) => Some(Self(number)),
            None => Some(Self::adopt(Frame::alloc_zeroed()?)),
        }
    }

    /// Makes a frame full of zeroes a table.
    pub(super) fn adopt(frame: Frame) -> Self {
        let table = Self(frame.into_number());
        metas()[table.0 as usize].set_word(0);
        table
    }

    /// The table an entry points to.
    #[inline]
    pub(super) fn of(entry: Entry) -> Option<Self> {
        (!entry.is_empty()).then_some(Self::of_present(entry))
    }

    /// The table an entry points to that is not empty.
    #[inline]
    pub(super) fn of_present(entry: Entry) -> Self {
        Self(entry.number())
    }

    pub(super) fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Gives back a table whose entries are all empty.
    ///
    /// # Safety
    /// No CPU can walk through it any more, and nobody uses it.
    pub(super) unsafe fn free(self) {
        metas()[self.0 as usize].set_word(0);
        if !SPARES.keep(self.0) {
            // SAFETY: the number came from a frame in `adopt`, and the caller
            // gives up the table.
            drop(unsafe { self.into_frame() });
        }
    }

    /// # Safety
    /// As for [`Table::free`], but for what the entries hold.
    pub(super) unsafe fn into_frame(self) -> Frame {
        // SAFETY: every table was a frame's number once; passed on to the caller.
        unsafe { Frame::from_number(self.0) }
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }

    /// The entries. Atomic because the CPU and walks without the lock read them.
    #[inline]
    pub(super) fn entries(self) -> &'static [AtomicU64; ENTRIES] {
        // SAFETY: 1. a table's frame holds 512 aligned words that are only
        // used as atomics. 2. Tables are freed only when their page table
        // goes, which all users of a `Table` borrow, so the unbounded lifetime
        // does not leave this module's users.
        unsafe { &*pointer(self.0).cast() }
    }

    #[inline]
    pub(super) fn get(self, index: usize) -> Entry {
        Entry(self.entries()[index].load(Ordering::Acquire))
    }

    /// Stores an entry that is not empty. The caller holds the lock of the table.
    #[inline]
    pub(super) fn set(self, index: usize, entry: Entry) {
        let meta = &metas()[self.0 as usize];
        let used = meta.word() | 1 << (index / GROUP);
        meta.set_word(used);
        self.replace(index, entry);
    }

    /// Stores an entry over one that is not empty.
    #[inline]
    pub(super) fn replace(self, index: usize, entry: Entry) {
        // Release: what the entry points to is seen before the entry.
        self.entries()[index].store(entry.0, Ordering::Release);
    }

    /// Some entry in `range`, which is not empty, may be in use.
    #[inline]
    pub(super) fn may_use(self, range: &Range<usize>) -> bool {
        if range.end - range.start == 1 {
            return !self.get(range.start).is_empty();
        }
        metas()[self.0 as usize].word() & groups_of(range) != 0
    }

    /// Says that entries in the groups of `other`'s that `range` crosses are
    /// going to be in use, as they are there. The caller holds the locks of
    /// both, then stores with [`Table::replace`].
    pub(super) fn use_as(self, other: Self, range: &Range<usize>) {
        let metas = metas();
        let groups = metas[other.0 as usize].word() & groups_of(range);
        let meta = &metas[self.0 as usize];
        meta.set_word(meta.word() | groups);
    }

    /// Calls `visit` for each entry in `range` that is not empty; `visit` does
    /// not empty it. The caller holds the lock of the table.
    #[inline(always)]
    pub(super) fn each(self, range: &Range<usize>, mut visit: impl FnMut(usize, Entry)) {
        if range.is_empty() {
            return;
        }
        let mut groups = metas()[self.0 as usize].word() & groups_of(range);
        while groups != 0 {
            let group = groups.trailing_zeros() as usize * GROUP;
            groups &= groups - 1;
            for index in range.start.max(group)..range.end.min(group + GROUP) {
                let entry = self.get(index);
                if !entry.is_empty() {
                    visit(index, entry);
                }
            }
        }
    }

    /// Empties all entries in `range`, and calls `visit` for each that was not
    /// empty. The caller holds the lock of the table.
    #[inline(always)]
    pub(super) fn take(self, range: &Range<usize>, mut visit: impl FnMut(usize, Entry)) {
        self.each(range, |index, entry| {
            self.replace(index, Entry::EMPTY);
            visit(index, entry);
        });
        // Groups that lie in the range as a whole are empty now.
        let whole = range.start.next_multiple_of(GROUP)..range.end & !(GROUP - 1);
        if whole.start < whole.end {
            let meta = &metas()[self.0 as usize];
            meta.set_word(meta.word() & !groups_of(&whole));
        }
    }
}

/// The groups that a range of entries, not empty, falls into.
#[inline]
fn groups_of(range: &Range<usize>) -> u64 {
    (!0 << (range.start / GROUP)) & (!0 >> (63 - (range.end - 1) / GROUP))
}

/// Frees the empty tables that the CPUs keep.
pub(super) fn free_spares() {
    SPARES.take_all(|number| {
        // SAFETY: an empty table that `free` was given.
        drop(unsafe { Table(number).into_frame() });
    });
}

/// Frames in the caches of empty tables. A snapshot.
pub(super) fn spare_tables() -> usize {
    SPARES.count()
}
