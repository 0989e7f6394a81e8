//! Watching many files at once (epoll(7)).
//!
//! An epoll has an [`Entry`] for each file it watches, which that file tells of
//! changes ([`super::watch`]). A change puts the entry at the end of the list of
//! those that may be ready and wakes who waits; a wait takes entries from the
//! front and looks at their files. So a wait costs what is ready, not what is
//! watched. An entry is in the list once at most, as its `queued` says: it is
//! set before the entry is added and cleared before its file is looked at, so
//! that a change is either seen by that look or queues the entry again. What is
//! level-triggered goes back to the end of the list while it is ready.
//!
//! Locks: a sleeping lock guards the entries, one spin lock the list, one each
//! what an entry wants to know. No file is dropped with one of them held: its
//! end takes it out of its epolls.

mod control;
mod entry;
mod nesting;

pub use entry::Entry;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use abi::Errno;
use abi::event::EpollEvent;
use abi::file::{O_RDWR, POLLIN};
use hashbrown::HashMap;
use sync::{Mutex, SpinLock, WaitError, WaitQueue, rank};

use super::allocate::try_arc;
use super::anonymous;
use super::buffer::{Sink, Source};
use super::open_file::{Description, File, Operations};
use super::watch::Watchers;

/// A descriptor, and the open file it stood for: together they name an entry.
type Key = (usize, usize);

/// What outlives the open file as long as an entry does.
pub struct Core {
    entries: Mutex<HashMap<Key, Arc<Entry>>, rank::Epoll>,
    ready: SpinLock<Ready, rank::EpollReady>,
    waiters: WaitQueue<(), rank::ThreadQueue>,
    watchers: Watchers,
}

struct Ready {
    /// Has room for all entries, so that a change never allocates.
    list: VecDeque<Arc<Entry>>,
    /// The epoll is closed, and nothing is added any more.
    closed: bool,
}

/// An open epoll.
pub struct Epoll {
    core: Arc<Core>,
}

/// A new epoll that watches nothing. ENOMEM.
pub fn open() -> Result<Arc<File>, Errno> {
    let core = try_arc(Core {
        entries: Mutex::new(HashMap::new()),
        ready: SpinLock::new(Ready {
            list: VecDeque::new(),
            closed: false,
        }),
        waiters: WaitQueue::new(),
        watchers: Watchers::new(),
    })?;
    anonymous::open(O_RDWR, Epoll { core })
}

impl Epoll {
    /// Has `emit` told of up to `most` files that are ready, waiting for one
    /// until `deadline`; how many it was told of.
    ///
    /// # Errors
    /// `EINTR`; that of `emit`, if it is the first it was told of.
    pub fn wait(
        &self,
        most: usize,
        deadline: Option<u64>,
        mut emit: impl FnMut(usize, EpollEvent) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        loop {
            let count = self.core.collect(most, &mut emit)?;
            if count > 0 {
                return Ok(count);
            }
            let any = || self.core.has_queued().then_some(());
            match self.core.waiters.wait_interruptible(any, deadline) {
                Ok(()) => {}
                Err(WaitError::TimedOut) => return Ok(0),
                Err(WaitError::Interrupted) => return Err(Errno::EINTR),
            }
        }
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let mut ready = self.core.ready.lock();
        ready.closed = true;
        let list = core::mem::take(&mut ready.list);
        drop(ready);
        drop(list);
        let entries = core::mem::take(&mut *self.core.entries.lock());
        for entry in entries.values() {
            if let Some(file) = entry.file() {
                file.detach(entry);
            }
        }
    }
}

impl Core {
    /// Makes room in the list for `count` entries. ENOMEM.
    fn make_room(&self, count: usize) -> Result<(), Errno> {
        let list = &mut self.ready.lock().list;
        let more = count - list.len().min(count);
        list.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    /// Queues `entry`, whose file may be ready; false if it is queued already.
    fn queue(&self, entry: Arc<Entry>) -> bool {
        if entry.queued.swap(true, Ordering::AcqRel) {
            return false;
        }
        let mut ready = self.ready.lock();
        if ready.closed || entry.has_left.load(Ordering::Relaxed) {
            // Its last owner may be here: not with the lock held.
            drop(ready);
            return false;
        }
        ready.list.push_back(entry);
        true
    }

    /// The file of `entry` may be ready: true if somebody was woken for it.
    fn tell(&self, entry: Arc<Entry>) -> bool {
        self.queue(entry);
        let woken = self.waiters.wake_one();
        self.watchers.notify(POLLIN);
        woken
    }

    fn pop(&self) -> Option<Arc<Entry>> {
        let entry = self.ready.lock().list.pop_front()?;
        // Acquires what was changed before the entry was last queued in vain.
        entry.queued.swap(false, Ordering::AcqRel);
        Some(entry)
    }

    /// Takes `entry` out of the list, for ever.
    fn unqueue(&self, entry: &Arc<Entry>) {
        let list = &mut self.ready.lock().list;
        entry.has_left.store(true, Ordering::Relaxed);
        if entry.queued.load(Ordering::Acquire) {
            list.retain(|other| !Arc::ptr_eq(other, entry));
        }
    }

    fn has_queued(&self) -> bool {
        !self.ready.lock().list.is_empty()
    }

    /// Tells `emit` of up to `most` files that are ready, out of those queued now.
    fn collect(
        &self,
        most: usize,
        emit: &mut impl FnMut(usize, EpollEvent) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let queued = self.ready.lock().list.len();
        let mut count = 0;
        for _ in 0..queued {
            if count == most {
                break;
            }
            let Some(entry) = self.pop() else {
                break;
            };
            let Some((event, interest)) = entry.take_event() else {
                continue;
            };
            if let Err(error) = emit(count, event) {
                entry.put_back(interest);
                self.queue(entry);
                self.waiters.wake_one();
                return if count == 0 { Err(error) } else { Ok(count) };
            }
            count += 1;
            if interest.is_level_triggered() {
                self.queue(entry);
            }
        }
        if count > 0 && self.has_queued() {
            // Who was woken for what was taken here finds other things.
            self.waiters.wake_one();
        }
        Ok(count)
    }

    /// Whether a file is ready. Those that are not leave the list.
    fn any_ready(&self) -> bool {
        let queued = self.ready.lock().list.len();
        for _ in 0..queued {
            let Some(entry) = self.pop() else {
                break;
            };
            if entry.is_ready() {
                self.queue(entry);
                return true;
            }
        }
        false
    }
}

impl Operations for Epoll {
    fn read(&self, _open: &Description, _into: &mut Sink<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn write(&self, _open: &Description, _from: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn ready(&self, _open: &Description) -> i16 {
        if self.core.any_ready() { POLLIN } else { 0 }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.core.watchers)
    }
}
