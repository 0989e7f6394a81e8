//! The locks that there are on one file: who has which bytes.
//!
//! Plain data. An owner's locks never overlap; those of one kind that touch are
//! one lock.

use abi::Errno;
use alloc::vec::Vec;

use crate::files::open_file::Description;
use crate::files::table::FileTable;

/// Who has a lock, by the address of what it goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A process, by its descriptors.
    Table(usize),
    /// An open file.
    Open(usize),
}

impl Owner {
    pub fn table(table: &FileTable) -> Owner {
        Owner::Table(core::ptr::from_ref(table).addr())
    }

    pub fn open(open: &Description) -> Owner {
        Owner::Open(core::ptr::from_ref(open).addr())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Shared,
    Exclusive,
}

/// Bytes of a file, the last one included; there is at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
}

impl Range {
    /// The last byte that a file can have.
    pub const END: u64 = i64::MAX as u64;
    pub const ALL: Range = Range {
        first: 0,
        last: Range::END,
    };

    fn overlaps(self, other: Range) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether the two are one piece.
    fn joins(self, other: Range) -> bool {
        self.first <= other.last + 1 && other.first <= self.last + 1
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    pub owner: Owner,
    pub kind: Kind,
    pub range: Range,
    /// The process that made it, as it is told.
    pub pid: i32,
}

impl Lock {
    /// Whether the two cannot be at once.
    pub fn excludes(&self, other: &Lock) -> bool {
        let shared = self.kind == Kind::Shared && other.kind == Kind::Shared;
        self.owner != other.owner && !shared && self.range.overlaps(other.range)
    }
}

/// See the module. In no order.
#[derive(Debug, Default)]
pub struct Ranges(Vec<Lock>);

impl Ranges {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Lock> {
        self.0.iter()
    }

    /// Those that `wanted` has to wait for.
    pub fn against(&self, wanted: &Lock) -> impl Iterator<Item = &Lock> {
        self.0.iter().filter(|lock| lock.excludes(wanted))
    }

    /// Adds a lock that nothing is against; it replaces what its owner has there.
    /// ENOLCK, and then nothing has changed.
    pub fn add(&mut self, mut lock: Lock) -> Result<(), Errno> {
        // The lock itself, and what may stand behind it.
        self.0.try_reserve(2).map_err(|_| Errno::ENOLCK)?;
        self.remove(lock.owner, lock.range)?;
        self.0.retain(|other| {
            let merges = other.owner == lock.owner
                && other.kind == lock.kind
                && other.range.joins(lock.range);
            if merges {
                lock.range.first = lock.range.first.min(other.range.first);
                lock.range.last = lock.range.last.max(other.range.last);
            }
            !merges
        });
        self.0.push(lock);
        Ok(())
    }

    /// Takes from `owner` what it has in `range`. ENOLCK, and then nothing has
    /// changed.
    pub fn remove(&mut self, owner: Owner, range: Range) -> Result<(), Errno> {
        self.0.try_reserve(1).map_err(|_| Errno::ENOLCK)?;
        // At most one lock reaches out on both sides: its other half.
        let mut behind = None;
        self.0.retain_mut(|lock| {
            if lock.owner != owner || !lock.range.overlaps(range) {
                return true;
            }
            let rest = Range {
                first: range.last + 1,
                last: lock.range.last,
            };
            let has_rest = lock.range.last > range.last;
            match (lock.range.first < range.first, has_rest) {
                (false, false) => return false,
                (false, true) => lock.range = rest,
                (true, _) => {
                    behind = has_rest.then_some(Lock {
                        range: rest,
                        ..*lock
                    });
                    lock.range.last = range.first - 1;
                }
            }
            true
        });
        self.0.extend(behind);
        Ok(())
    }

    /// Takes from `owner` all that it has; whether that was anything.
    pub fn remove_all(&mut self, owner: Owner) -> bool {
        let before = self.0.len();
        self.0.retain(|lock| lock.owner != owner);
        self.0.len() != before
    }
}
