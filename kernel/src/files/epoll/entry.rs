//! One file that an epoll watches.

use alloc::sync::{Arc, Weak};
use core::sync::atomic::AtomicBool;

use abi::event::*;
use abi::file::{POLLERR, POLLHUP};
use sync::{SpinLock, rank};

use super::{Core, Key};
use crate::files::open_file::File;
use crate::files::watch::Watcher;

/// What is told whether asked for or not.
const ALWAYS: u32 = (POLLERR | POLLHUP) as u32;
/// How something is told, and not what.
const MANNERS: u32 = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

/// What an epoll wants to know of a file, and what it says then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    events: u32,
    data: u64,
}

impl Interest {
    pub fn new(event: EpollEvent) -> Interest {
        Interest {
            events: event.events | ALWAYS,
            data: event.data,
        }
    }

    /// Which of the conditions in `ready` are to be told.
    fn of(self, ready: i16) -> u32 {
        self.events & !MANNERS & ready as u16 as u32
    }

    pub fn is_exclusive(self) -> bool {
        self.events & EPOLLEXCLUSIVE != 0
    }

    fn is_once(self) -> bool {
        self.events & EPOLLONESHOT != 0
    }

    pub fn is_level_triggered(self) -> bool {
        self.events & (EPOLLONESHOT | EPOLLET) == 0
    }

    /// After what was to be told once.
    fn silent(self) -> Interest {
        Interest {
            events: self.events & MANNERS,
            ..self
        }
    }
}

/// See the module. The file knows it weakly, and it the file.
pub struct Entry {
    pub(super) core: Arc<Core>,
    file: Weak<File>,
    pub(super) key: Key,
    /// In the epoll's list of what may be ready, or about to be.
    pub(super) queued: AtomicBool,
    /// It is the epoll's no more. Under the lock of the list.
    pub(super) has_left: AtomicBool,
    interest: SpinLock<Interest, rank::EpollEntry>,
}

impl Entry {
    pub(super) fn new(core: &Arc<Core>, file: &Arc<File>, key: Key, interest: Interest) -> Entry {
        Entry {
            core: core.clone(),
            file: Arc::downgrade(file),
            key,
            queued: AtomicBool::new(false),
            has_left: AtomicBool::new(false),
            interest: SpinLock::new(interest),
        }
    }

    /// The file, unless it is closed.
    pub(super) fn file(&self) -> Option<Arc<File>> {
        self.file.upgrade()
    }

    pub(super) fn interest(&self) -> Interest {
        *self.interest.lock()
    }

    pub(super) fn set_interest(&self, interest: Interest) {
        *self.interest.lock() = interest;
    }

    pub(super) fn is_ready(&self) -> bool {
        let file = self.file();
        file.is_some_and(|file| self.interest().of(file.conditions()) != 0)
    }

    /// What there is to tell, if anything; told once if that was asked for.
    pub(super) fn take_event(&self) -> Option<(EpollEvent, Interest)> {
        let file = self.file()?;
        loop {
            let seen = self.interest();
            let events = seen.of(file.conditions());
            if events == 0 {
                return None;
            }
            let data = seen.data;
            let event = EpollEvent { events, data };
            if !seen.is_once() {
                return Some((event, seen));
            }
            let mut interest = self.interest.lock();
            // Else a peer has told it, or it was changed.
            if *interest == seen {
                *interest = seen.silent();
                return Some((event, seen));
            }
        }
    }

    /// What was taken could not be told.
    pub(super) fn put_back(&self, taken: Interest) {
        let mut interest = self.interest.lock();
        if *interest == taken.silent() {
            *interest = taken;
        }
    }

    /// The open file is gone: the epoll forgets it.
    pub fn file_closed(self: Arc<Entry>) {
        let removed = self.core.entries.lock().remove(&self.key);
        drop(removed);
        self.core.unqueue(&self);
    }
}

impl Watcher for Entry {
    fn changed(self: Arc<Self>, what: i16) -> bool {
        if self.interest().of(what) == 0 {
            return false;
        }
        let core = self.core.clone();
        core.tell(self)
    }

    fn is_exclusive(&self) -> bool {
        self.interest().is_exclusive()
    }

    fn depth(&self) -> usize {
        1 + self.core.watchers.depth()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::file::{POLLIN, POLLOUT};

    #[test]
    fn errors_are_told_whether_asked_for_or_not() {
        let interest = |events| Interest::new(EpollEvent { events, data: 0 });
        assert_eq!(interest(1).of(POLLIN | POLLOUT), 1);
        assert_eq!(interest(1 | EPOLLET).of(POLLOUT | POLLHUP), 16);
        assert_eq!(interest(0).of(POLLIN | POLLERR), 8);
        let once = interest(1 | EPOLLONESHOT);
        assert!(!once.is_level_triggered());
        assert_eq!(once.silent().of(POLLIN | POLLERR | POLLHUP), 0);
    }
}
