//! What a process undoes at its end of what it did to semaphores with SEM_UNDO.
//!
//! The sets have what is undone, by the number of a list; the list has the sets.
//! Processes that CLONE_SYSVSEM made have the same one, and the last of them undoes.
//! Most have none, which costs them a look.

use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use sync::{SpinLock, rank};

use crate::files::allocate::try_arc;
use crate::thread::Tid;

/// The list that a process has, once it needs one.
pub struct Undo(SpinLock<Option<Arc<List>>, rank::Actions>);

/// See the module.
pub struct List {
    number: u64,
    /// Ids, also of sets that are gone.
    sets: SpinLock<Vec<i32>, rank::IpcUndo>,
}

impl Undo {
    pub const fn new() -> Undo {
        Undo(SpinLock::new(None))
    }

    /// ENOMEM.
    pub fn list(&self) -> Result<Arc<List>, Errno> {
        if let Some(list) = &*self.0.lock() {
            return Ok(list.clone());
        }
        let new = List::new()?;
        // A peer may have been faster.
        Ok(self.0.lock().get_or_insert(new).clone())
    }

    /// From now on this is the list of `other`, too. ENOMEM.
    pub fn share(&self, other: &Undo) -> Result<(), Errno> {
        let list = other.list()?;
        *self.0.lock() = Some(list);
        Ok(())
    }

    /// The process `pid` has ended.
    pub fn end(&self, pid: Tid) {
        let list = self.0.lock().take();
        // Of those who share it one is the last.
        let Some(list) = list.and_then(Arc::into_inner) else {
            return;
        };
        let sets = core::mem::take(&mut *list.sets.lock());
        for set in sets {
            if let Ok(found) = super::find(set) {
                found.undo(list.number, pid);
            }
        }
    }
}

impl List {
    fn new() -> Result<Arc<List>, Errno> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        try_arc(List {
            number: NUMBERS.fetch_add(1, Relaxed),
            sets: SpinLock::new(Vec::new()),
        })
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// Something is to be undone in this set: ENOMEM.
    pub fn add(&self, set: i32) -> Result<(), Errno> {
        let mut sets = self.sets.lock();
        if sets.contains(&set) {
            return Ok(());
        }
        if sets.len() == sets.capacity() {
            sets.retain(|&set| super::find(set).is_ok());
            sets.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        }
        sets.push(set);
        Ok(())
    }
}
