//! One region: a range of pages that were mapped alike.

use crate::memory::mapping::FileMapping;
use alloc::sync::Arc;
use core::ops::Range;
use machine::page_table::{Rights, Sharing};

/// What stands behind the pages of a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Backing {
    /// Zeroes, until written; the space's own.
    Private,
    /// As `Private`, and the region grows downwards, as far as `floor`, when
    /// the pages below it are touched.
    Stack { floor: usize },
    /// Pages of a file, and copies of them where the mapping is private.
    File(Arc<FileMapping>),
    /// The code that the kernel lends to all, whose first page belongs at `base`.
    Vdso { base: usize },
}

/// Whether pages stay in memory once they are there (mlock(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lock {
    /// They may be dropped, if they can be had again.
    Off,
    /// They stay.
    OnFault,
    /// They stay, and are made before they are used.
    Full,
}

/// A range of pages that were mapped alike. Addresses are multiples of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    pub start: usize,
    pub end: usize,
    pub rights: Rights,
    pub backing: Backing,
    pub lock: Lock,
}

impl Region {
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// What of it lies in `range`, which it touches.
    pub fn part_in(&self, range: &Range<usize>) -> Range<usize> {
        range.start.max(self.start)..range.end.min(self.end)
    }

    /// What is written there, others see in the file.
    pub fn shares_file(&self) -> bool {
        matches!(&self.backing, Backing::File(mapping) if mapping.file.shared)
    }

    /// Where the region may reach down to.
    pub fn floor(&self) -> usize {
        match self.backing {
            Backing::Stack { floor } => floor.min(self.start),
            Backing::Private | Backing::File(_) | Backing::Vdso { .. } => self.start,
        }
    }

    /// `next` begins where this one ends, and differs in nothing else.
    #[inline]
    pub fn continues_with(&self, next: &Region) -> bool {
        self.end == next.start
            && self.rights == next.rights
            && self.lock == next.lock
            && self.backing == next.backing
    }

    /// How a fork treats the region's frames.
    pub fn sharing(&self) -> Sharing {
        match &self.backing {
            Backing::Vdso { .. } => Sharing::Same,
            _ if self.shares_file() => Sharing::Same,
            Backing::Private | Backing::Stack { .. } | Backing::File(_) => Sharing::CopyOnWrite,
        }
    }

    /// The parts below and above `address`.
    pub fn split(&self, address: usize) -> (Region, Region) {
        let mut lower = self.clone();
        let mut upper = self.clone();
        lower.end = address;
        upper.start = address;
        // What lies above a border in a stack does not grow across it.
        if matches!(upper.backing, Backing::Stack { .. }) {
            upper.backing = Backing::Private;
        }
        (lower, upper)
    }
}
