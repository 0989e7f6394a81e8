//! Locks on files: those on bytes (fcntl(2)), of processes and of open files,
//! and those on whole files (flock(2)).
//!
//! A lock is found by its file's inode, in one table for all files that have
//! locks; a file has none once no descriptor leads to it. [`ranges`] has what
//! there is on one file. One spin lock guards the table and the list of those
//! who wait; they sleep in a queue that belongs to the file.

mod ranges;

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use sync::{SpinLock, WaitQueue, rank};

use super::allocate::try_arc;
use super::inode::{Inode, Metadata};
use ranges::Ranges;
pub use ranges::{Kind, Lock, Owner, Range};

/// What a lock is on. Locks of one scope know nothing of the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Bytes,
    Whole,
}

type Queue = WaitQueue<(), rank::ThreadQueue>;

/// A file that has locks.
struct Locked {
    /// The address of its inode.
    inode: usize,
    /// What the inode is known by.
    device: u64,
    number: u64,
    bytes: Ranges,
    whole: Ranges,
    /// Woken when locks have gone.
    changed: Arc<Queue>,
}

impl Locked {
    fn ranges(&mut self, scope: Scope) -> &mut Ranges {
        match scope {
            Scope::Bytes => &mut self.bytes,
            Scope::Whole => &mut self.whole,
        }
    }
}

/// A process that waits for a lock on bytes.
struct Waiting {
    ticket: u64,
    inode: usize,
    lock: Lock,
}

struct Table {
    /// By the address of the inode.
    files: Vec<Locked>,
    waiting: Vec<Waiting>,
    next_ticket: u64,
}

static TABLE: SpinLock<Table, rank::FileLocks> = SpinLock::new(Table {
    files: Vec::new(),
    waiting: Vec::new(),
    next_ticket: 0,
});

fn address(inode: &Arc<dyn Inode>) -> usize {
    Arc::as_ptr(inode).addr()
}

impl Table {
    fn find(&mut self, inode: usize) -> Option<&mut Locked> {
        let at = self.files.binary_search_by_key(&inode, |file| file.inode);
        at.ok().map(|at| &mut self.files[at])
    }

    /// The file, which may have no locks yet: ENOLCK.
    fn enter(&mut self, inode: usize, metadata: &Metadata) -> Result<&mut Locked, Errno> {
        let found = self.files.binary_search_by_key(&inode, |file| file.inode);
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                self.files.try_reserve(1).map_err(|_| Errno::ENOLCK)?;
                let file = Locked {
                    inode,
                    device: metadata.device,
                    number: metadata.number,
                    bytes: Ranges::default(),
                    whole: Ranges::default(),
                    changed: try_arc(Queue::new()).map_err(|_| Errno::ENOLCK)?,
                };
                self.files.insert(at, file);
                at
            }
        };
        Ok(&mut self.files[at])
    }

    /// Forgets the file if it has no locks any more.
    fn tidy(&mut self, inode: usize) {
        let unlocked = |file: &&mut Locked| file.bytes.is_empty() && file.whole.is_empty();
        if self.find(inode).as_ref().is_some_and(unlocked) {
            self.files.retain(|file| file.inode != inode);
        }
    }

    /// Whether one of those that are against `lock` waits for its owner, if only
    /// through others: then none of them would ever go on.
    fn closes_circle(&mut self, inode: usize, lock: &Lock) -> Result<bool, Errno> {
        let mut owners = Vec::new();
        self.note_owners(inode, lock, &mut owners)?;
        let mut seen = 0;
        while let Some(&owner) = owners.get(seen) {
            seen += 1;
            for index in 0..self.waiting.len() {
                let Waiting { inode, lock, .. } = self.waiting[index];
                if lock.owner == owner {
                    self.note_owners(inode, &lock, &mut owners)?;
                }
            }
        }
        Ok(owners.contains(&lock.owner))
    }

    /// Adds those whose locks are against `lock` to `owners`.
    fn note_owners(
        &mut self,
        inode: usize,
        lock: &Lock,
        owners: &mut Vec<Owner>,
    ) -> Result<(), Errno> {
        let Some(file) = self.find(inode) else {
            return Ok(());
        };
        for other in file.bytes.against(lock) {
            if !owners.contains(&other.owner) {
                owners.try_reserve(1).map_err(|_| Errno::ENOLCK)?;
                owners.push(other.owner);
            }
        }
        Ok(())
    }
}

/// A lock that `wanted` would have to wait for.
pub fn conflict(inode: &Arc<dyn Inode>, wanted: &Lock) -> Option<Lock> {
    let mut table = TABLE.lock();
    let file = table.find(address(inode))?;
    let against = file.bytes.against(wanted);
    against.min_by_key(|lock| lock.range.first).copied()
}

/// Adds a lock, which replaces what its owner has there. If it `waits`, it does
/// so until nothing is against it.
///
/// # Errors
/// `EAGAIN` if something is against it; `EDEADLK` if processes would wait for each
/// other; `EINTR`; `ENOLCK`.
pub fn lock(inode: &Arc<dyn Inode>, scope: Scope, lock: Lock, waits: bool) -> Result<(), Errno> {
    let at = address(inode);
    let metadata = inode.metadata();
    loop {
        let mut table = TABLE.lock();
        let file = table.enter(at, &metadata)?;
        let changed = file.changed.clone();
        let ranges = file.ranges(scope);
        if ranges.against(&lock).next().is_none() {
            let added = ranges.add(lock);
            table.tidy(at);
            drop(table);
            // It may let others have what was exclusive.
            changed.wake_all();
            return added;
        }
        if scope == Scope::Whole && ranges.remove_all(lock.owner) {
            // So two who have it shared do not wait for each other (flock(2)).
            drop(table);
            changed.wake_all();
            continue;
        }
        if !waits {
            return Err(Errno::EAGAIN);
        }
        // An open file waits for nobody: those who have it do.
        let is_process = scope == Scope::Bytes && matches!(lock.owner, Owner::Table(_));
        if is_process && table.closes_circle(at, &lock)? {
            return Err(Errno::EDEADLK);
        }
        let ticket = table.next_ticket;
        table.next_ticket += 1;
        if is_process {
            table.waiting.try_reserve(1).map_err(|_| Errno::ENOLCK)?;
            let inode = at;
            table.waiting.push(Waiting {
                ticket,
                inode,
                lock,
            });
        }
        let woken = changed.wait_releasing(table, None, true);
        TABLE.lock().waiting.retain(|other| other.ticket != ticket);
        woken.map_err(|_| Errno::EINTR)?;
    }
}

/// Takes from `owner` what it has in `range`: ENOLCK, and then nothing has changed.
pub fn unlock(
    inode: &Arc<dyn Inode>,
    scope: Scope,
    owner: Owner,
    range: Range,
) -> Result<(), Errno> {
    let mut table = TABLE.lock();
    let Some(file) = table.find(address(inode)) else {
        return Ok(());
    };
    file.ranges(scope).remove(owner, range)?;
    let changed = file.changed.clone();
    table.tidy(address(inode));
    drop(table);
    changed.wake_all();
    Ok(())
}

/// Takes from `owner` all that it has, on one file or on all.
pub fn release(owner: Owner, inode: Option<&Arc<dyn Inode>>) {
    let only = inode.map(address);
    let mut from = 0;
    loop {
        let mut table = TABLE.lock();
        let at = table
            .files
            .partition_point(|file| file.inode < only.unwrap_or(from));
        let Some(file) = table.files.get_mut(at) else {
            return;
        };
        if only.is_some_and(|only| only != file.inode) {
            return;
        }
        from = file.inode + 1;
        let had_bytes = file.bytes.remove_all(owner);
        let had_whole = file.whole.remove_all(owner);
        if had_bytes || had_whole {
            let changed = file.changed.clone();
            table.tidy(from - 1);
            drop(table);
            changed.wake_all();
        }
        if only.is_some() {
            return;
        }
    }
}

/// A lock as `/proc/locks` shows it.
pub struct Shown {
    pub scope: Scope,
    pub lock: Lock,
    pub device: u64,
    pub number: u64,
}

/// All that there are. ENOMEM.
pub fn list() -> Result<Vec<Shown>, Errno> {
    let mut shown = Vec::new();
    for file in &TABLE.lock().files {
        let bytes = file.bytes.iter().map(|lock| (Scope::Bytes, lock));
        let whole = file.whole.iter().map(|lock| (Scope::Whole, lock));
        for (scope, &lock) in bytes.chain(whole) {
            shown.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            shown.push(Shown {
                scope,
                lock,
                device: file.device,
                number: file.number,
            });
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests;
