//! One entry of a page table, in the hardware's format (Intel SDM vol. 3,
//! section 4.5), and the rights it grants.

use core::ops::{BitAnd, BitOr};

/// What a user program may do with a page. The bits are those of mmap(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights(u8);

impl Rights {
    pub const NONE: Self = Self(0);
    pub const READ: Self = Self(1);
    pub const WRITE: Self = Self(2);
    pub const EXECUTE: Self = Self(4);
    pub const ALL: Self = Self(7);

    /// All of `other` is granted.
    #[must_use]
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// As bits of mmap(2).
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From bits of mmap(2); others are ignored.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Without the right to write.
    #[must_use]
    pub const fn read_only(self) -> Self {
        Self(self.0 & !Self::WRITE.0)
    }
}

impl BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// An entry: zero, or one that owns a reference to a frame. Accessed and dirty
/// are set from the start: the CPU then never writes to the entry, so plain
/// loads and stores under the leaf's lock are enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry(pub(super) u64);

impl Entry {
    pub(super) const EMPTY: Self = Self(0);

    /// Maps frame `number` for the user. Without rights the entry still owns
    /// the frame, but the CPU does not see it.
    #[inline]
    pub(super) fn page(number: u32, rights: Rights) -> Self {
        Self((u64::from(number) << 12) | Self::bits(rights))
    }

    /// Points to the next table. Rights are judged in the lowest one.
    pub(super) fn table(number: u32) -> Self {
        Self((u64::from(number) << 12) | PRESENT | WRITABLE | USER | ACCESSED)
    }

    #[inline]
    fn bits(rights: Rights) -> u64 {
        let mut bits = USER | ACCESSED | DIRTY | NO_EXECUTE;
        if rights != Rights::NONE {
            bits |= PRESENT;
        }
        if rights.contains(Rights::WRITE) {
            bits |= WRITABLE;
        }
        if rights.contains(Rights::EXECUTE) {
            bits &= !NO_EXECUTE;
        }
        bits
    }

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The frame the entry owns, or the table it points to.
    #[inline]
    pub(super) fn number(self) -> u32 {
        ((self.0 & ADDRESS) >> 12) as u32
    }

    #[inline]
    pub(super) fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    #[inline]
    pub(super) fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// What the CPU lets a user program do.
    pub(super) fn rights(self) -> Rights {
        if !self.is_present() {
            return Rights::NONE;
        }
        let mut rights = Rights::READ;
        if self.is_writable() {
            rights = rights | Rights::WRITE;
        }
        if self.0 & NO_EXECUTE == 0 {
            rights = rights | Rights::EXECUTE;
        }
        rights
    }

    #[inline]
    pub(super) fn write_protected(self) -> Self {
        Self(self.0 & !WRITABLE)
    }

    #[inline]
    pub(super) fn with_rights(self, rights: Rights) -> Self {
        Self(self.0 & ADDRESS | Self::bits(rights))
    }
}
