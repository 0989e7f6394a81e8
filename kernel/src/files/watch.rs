//! Who wants to know when a file may have become ready: all who poll, and those
//! that watch one file for longer.
//!
//! A file that can become ready has [`Watchers`] and calls [`Watchers::notify`]
//! after each change; while nobody watches and nobody polls, that is a fence and
//! two loads. Who watches enters the list first and looks at the file then, so
//! one of the two sees the other.
//!
//! A spin lock guards the list. It is held while watchers are told, who may tell
//! their own ([`super::epoll`] sees to it that they are in no circle).

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use abi::Errno;
use sync::{SpinLock, rank};

use super::poll;

pub trait Watcher: Send + Sync {
    /// Some of poll(2)'s conditions in `what` may hold now; true if somebody was
    /// woken for it.
    fn changed(self: Arc<Self>, what: i16) -> bool;

    /// It is enough that one of those that say so wakes somebody.
    fn is_exclusive(&self) -> bool;

    /// How many watch each other in a row, from this one on.
    fn depth(&self) -> usize;
}

/// See the module.
pub struct Watchers {
    /// How many are in the list. Written under its lock.
    count: AtomicUsize,
    list: SpinLock<Vec<Weak<dyn Watcher>>, rank::Watchers>,
}

impl Watchers {
    pub const fn new() -> Watchers {
        Watchers {
            count: AtomicUsize::new(0),
            list: SpinLock::new(Vec::new()),
        }
    }

    /// Some of the conditions in `what` may hold now.
    #[inline]
    pub fn notify(&self, what: i16) {
        poll::notify();
        // Orders the caller's change before the load; see `add`.
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) != 0 {
            self.tell(what);
        }
    }

    #[cold]
    fn tell(&self, what: i16) {
        let list = self.list.lock_nested();
        let alive = || list.iter().filter_map(Weak::upgrade);
        for watcher in alive().filter(|watcher| !watcher.is_exclusive()) {
            watcher.changed(what);
        }
        let mut exclusive = alive().filter(|watcher| watcher.is_exclusive());
        exclusive.any(|watcher| watcher.changed(what));
    }

    /// From now on `watcher` is told. It must look at the file afterwards. ENOMEM.
    pub fn add(&self, watcher: Weak<dyn Watcher>) -> Result<(), Errno> {
        let mut list = self.list.lock();
        list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        list.push(watcher);
        self.count.store(list.len(), Ordering::Relaxed);
        drop(list);
        // Orders the entry before the look.
        fence(Ordering::SeqCst);
        Ok(())
    }

    pub fn remove<W: Watcher>(&self, watcher: &Weak<W>) {
        let mut list = self.list.lock();
        let at = list
            .iter()
            .position(|other| core::ptr::addr_eq(other.as_ptr(), watcher.as_ptr()));
        let removed = at.map(|at| list.swap_remove(at));
        self.count.store(list.len(), Ordering::Relaxed);
        drop(list);
        drop(removed);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many watch each other in a row at most, from the first in the list on.
    pub fn depth(&self) -> usize {
        let list = self.list.lock_nested();
        let depths = list.iter().filter_map(Weak::upgrade);
        depths.map(|watcher| watcher.depth()).max().unwrap_or(0)
    }
}
