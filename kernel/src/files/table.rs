//! The descriptor table.
//!
//! [`FileTable`] is shared (`Arc`) by the threads that `clone` lets share it
//! and copied by the others. A spin lock guards slots and flags; it is held
//! for a look-up, never over an operation on a file: what a look-up returns
//! is counted, so that a peer may close the descriptor meanwhile. Files are
//! dropped, and so closed, only after the lock is released. A thread has its
//! table by a [`TableUse`]; who only looks at it, by a plain reference, does not
//! count.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering};

use abi::Errno;
use sync::{SpinLock, rank};

use super::allocate::{try_arc, try_vec};
use super::locks::{self, Owner};
use super::open_file::File;
use super::slots::Slots;

/// Descriptors that a new table may hold, Linux's usual soft limit.
pub const DEFAULT_LIMIT: usize = 1024;
/// The most that a table can be allowed.
pub const MAX_LIMIT: usize = 65_536;

struct Table {
    files: Vec<Option<Arc<File>>>,
    slots: Slots,
    /// No descriptor is given out from here on.
    limit: usize,
    /// Whether it may have locks on files.
    locks: bool,
}

impl Table {
    /// Makes room for descriptor `slot`.
    fn grow(&mut self, slot: usize) -> Result<(), Errno> {
        if slot >= self.slots.capacity() {
            self.slots.grow((slot + 1).next_power_of_two())?;
        }
        if slot >= self.files.len() {
            let more = slot + 1 - self.files.len();
            self.files.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
            self.files.resize_with(slot + 1, || None);
        }
        Ok(())
    }

    /// Marks the lowest free descriptor of at least `from`: EMFILE, ENOMEM.
    fn take_free(&mut self, from: usize, close_on_exec: bool) -> Result<usize, Errno> {
        let slot = self.slots.lowest_free(from);
        if slot >= self.limit {
            return Err(Errno::EMFILE);
        }
        self.grow(slot)?;
        self.slots.mark(slot, close_on_exec);
        Ok(slot)
    }

    /// The lowest open descriptor of at least `from`.
    fn next_open(&self, from: usize) -> Option<usize> {
        let files = self.files.iter().enumerate().skip(from);
        files
            .filter(|(_, file)| file.is_some())
            .map(|(slot, _)| slot)
            .next()
    }

    fn get(&self, descriptor: usize) -> Result<&Arc<File>, Errno> {
        let slot = self.files.get(descriptor);
        slot.and_then(Option::as_ref).ok_or(Errno::EBADF)
    }
}

/// See the module.
pub struct FileTable {
    table: SpinLock<Table, rank::FileTable>,
    /// How many [`TableUse`]s there are.
    uses: AtomicUsize,
}

impl FileTable {
    pub const MAX_LIMIT: usize = MAX_LIMIT;

    /// A table without open files.
    pub fn new() -> FileTable {
        FileTable {
            table: SpinLock::new(Table {
                files: Vec::new(),
                slots: Slots::new(),
                limit: crate::limits::files(),
                locks: false,
            }),
            uses: AtomicUsize::new(0),
        }
    }

    /// The open file behind `descriptor`: EBADF.
    #[inline]
    pub fn get(&self, descriptor: usize) -> Result<Arc<File>, Errno> {
        self.table.lock().get(descriptor).cloned()
    }

    /// The descriptors that are open, in order. ENOMEM.
    pub fn descriptors(&self) -> Result<Vec<u32>, Errno> {
        let mut open = Vec::new();
        loop {
            let count = self.table.lock().files.len();
            open.try_reserve(count).map_err(|_| Errno::ENOMEM)?;
            let table = self.table.lock();
            if table.files.len() <= open.capacity() {
                let files = (0..).zip(&table.files);
                open.extend(files.filter_map(|(number, file)| file.as_ref().map(|_| number)));
                return Ok(open);
            }
        }
    }

    /// For how many there is room now.
    pub fn capacity(&self) -> usize {
        self.table.lock().files.len()
    }

    /// Gives `file` the lowest free descriptor of at least `from`: EMFILE,
    /// ENOMEM; EINVAL if `from` is past the limit.
    pub fn insert(
        &self,
        file: Arc<File>,
        from: usize,
        close_on_exec: bool,
    ) -> Result<usize, Errno> {
        let mut table = self.table.lock();
        if from > 0 && from >= table.limit {
            return Err(Errno::EINVAL);
        }
        let slot = table.take_free(from, close_on_exec)?;
        table.files[slot] = Some(file);
        Ok(slot)
    }

    /// Takes the lowest free descriptor out of the others' hands before there
    /// is a file for it: EMFILE, ENOMEM.
    pub fn reserve(&self, close_on_exec: bool) -> Result<Reserved<'_>, Errno> {
        let mut table = self.table.lock();
        let slot = table.take_free(0, close_on_exec)?;
        Ok(Reserved { table: self, slot })
    }

    /// Makes `descriptor` stand for `file`, closing what it stood for: EBADF
    /// past the limit, ENOMEM; EBUSY while a peer is about to open it.
    pub fn replace(
        &self,
        descriptor: usize,
        file: Arc<File>,
        close_on_exec: bool,
    ) -> Result<(), Errno> {
        let mut table = self.table.lock();
        if descriptor >= table.limit {
            return Err(Errno::EBADF);
        }
        table.grow(descriptor)?;
        if table.files[descriptor].is_none() && table.slots.is_used(descriptor) {
            return Err(Errno::EBUSY);
        }
        table.slots.mark(descriptor, close_on_exec);
        let old = table.files[descriptor].replace(file);
        let locks = table.locks;
        drop(table);
        self.let_go(old, locks);
        Ok(())
    }

    /// Frees `descriptor`: EBADF.
    pub fn close(&self, descriptor: usize) -> Result<(), Errno> {
        let mut table = self.table.lock();
        table.get(descriptor)?;
        let file = table.files[descriptor].take();
        table.slots.clear(descriptor);
        let locks = table.locks;
        drop(table);
        self.let_go(file, locks);
        Ok(())
    }

    /// What was behind a descriptor is not any more: then this table has no
    /// lock on that file, whatever other descriptor it was made by.
    #[inline]
    fn let_go(&self, file: Option<Arc<File>>, locks: bool) {
        if locks && let Some(file) = &file {
            locks::release(Owner::table(self), Some(file.inode()));
        }
        if let Some(file) = file {
            file.descriptor_closed();
        }
    }

    /// It is to have a lock on a file.
    pub fn note_lock(&self) {
        self.table.lock().locks = true;
    }

    /// Frees all descriptors from `first` to `last`.
    pub fn close_range(&self, first: usize, last: usize) {
        self.close_each(first, |table, from| {
            table.next_open(from).filter(|slot| *slot <= last)
        });
    }

    /// Frees those that `next` finds, each at or behind the place that it is given.
    fn close_each(&self, mut from: usize, next: impl Fn(&Table, usize) -> Option<usize>) {
        loop {
            let mut table = self.table.lock();
            let Some(slot) = next(&table, from) else {
                return;
            };
            let file = table.files[slot].take();
            table.slots.clear(slot);
            let locks = table.locks;
            drop(table);
            self.let_go(file, locks);
            from = slot + 1;
        }
    }

    /// Has all from `first` to `last` close on exec.
    pub fn mark_range(&self, first: usize, last: usize) {
        let mut table = self.table.lock();
        let mut from = first;
        while let Some(slot) = table.next_open(from).filter(|slot| *slot <= last) {
            table.slots.set_close_on_exec(slot, true);
            from = slot + 1;
        }
    }

    /// Whether `descriptor` closes on exec: EBADF.
    pub fn closes_on_exec(&self, descriptor: usize) -> Result<bool, Errno> {
        let table = self.table.lock();
        table.get(descriptor)?;
        Ok(table.slots.close_on_exec(descriptor))
    }

    pub fn set_close_on_exec(&self, descriptor: usize, on: bool) -> Result<(), Errno> {
        let mut table = self.table.lock();
        table.get(descriptor)?;
        table.slots.set_close_on_exec(descriptor, on);
        Ok(())
    }

    /// Closes what is marked to close on exec.
    pub fn close_on_exec(&self) {
        self.close_each(0, |table, from| table.slots.next_close_on_exec(from));
    }

    /// A table of its own with the same open files, as fork makes: ENOMEM.
    pub fn dup_table(&self) -> Result<Arc<FileTable>, Errno> {
        loop {
            let expected = self.table.lock().slots.end();
            // Allocated before the lock is taken; peers may open more meanwhile.
            let mut files = try_vec(expected)?;
            let table = self.table.lock();
            let end = table.slots.end();
            if end > expected {
                continue;
            }
            files.extend(table.files[..end].iter().cloned());
            let mut slots = table.slots.try_clone()?;
            // What a peer has reserved is not this table's.
            let empty = files.iter().enumerate().filter(|(_, file)| file.is_none());
            empty.for_each(|(slot, _)| slots.clear(slot));
            let limit = table.limit;
            drop(table);
            return try_arc(FileTable {
                table: SpinLock::new(Table {
                    files,
                    slots,
                    limit,
                    locks: false,
                }),
                uses: AtomicUsize::new(0),
            });
        }
    }

    /// How many descriptors may be open: RLIMIT_NOFILE.
    pub fn limit(&self) -> usize {
        self.table.lock().limit
    }

    /// EPERM past [`MAX_LIMIT`].
    pub fn set_limit(&self, limit: usize) -> Result<(), Errno> {
        if limit > MAX_LIMIT {
            return Err(Errno::EPERM);
        }
        self.table.lock().limit = limit;
        Ok(())
    }
}

impl Drop for FileTable {
    fn drop(&mut self) {
        if self.table.get_mut().locks {
            locks::release(Owner::table(self), None);
        }
    }
}

/// A table as a thread has it, alone or with others.
pub struct TableUse(Arc<FileTable>);

impl TableUse {
    pub fn new(table: Arc<FileTable>) -> TableUse {
        table.uses.fetch_add(1, Ordering::Relaxed);
        TableUse(table)
    }

    /// Whether others have it too.
    pub fn is_shared(&self) -> bool {
        self.0.uses.load(Ordering::Acquire) > 1
    }
}

impl Clone for TableUse {
    fn clone(&self) -> TableUse {
        TableUse::new(self.0.clone())
    }
}

impl Drop for TableUse {
    fn drop(&mut self) {
        self.0.uses.fetch_sub(1, Ordering::Release);
    }
}

impl Deref for TableUse {
    type Target = Arc<FileTable>;

    fn deref(&self) -> &Arc<FileTable> {
        &self.0
    }
}

/// A descriptor that is taken but stands for nothing yet; free again when
/// dropped.
pub struct Reserved<'a> {
    table: &'a FileTable,
    slot: usize,
}

impl Reserved<'_> {
    /// The descriptor it will be.
    pub fn number(&self) -> usize {
        self.slot
    }

    /// Makes it stand for `file`.
    pub fn fill(self, file: Arc<File>) -> usize {
        let slot = self.slot;
        self.table.table.lock().files[slot] = Some(file);
        core::mem::forget(self);
        slot
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.table.table.lock().slots.clear(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_at_a_table_does_not_share_it() {
        let table = TableUse::new(Arc::new(FileTable::new()));
        let looks = Arc::clone(&table);
        assert!(!table.is_shared());
        let other = table.clone();
        assert!(table.is_shared() && other.is_shared());
        drop(other);
        assert!(!table.is_shared());
        drop(looks);
    }
}
