//! What epoll_ctl(2) does. The lock of the entries is held over each change, so
//! that an entry is in its file's lists exactly while it is among them.

use alloc::sync::Arc;

use abi::Errno;
use abi::event::*;
use abi::file::{POLLERR, POLLHUP, POLLIN, POLLOUT};

use super::entry::Interest;
use super::{Entry, Epoll, Key, nesting};
use crate::files::allocate::try_arc;
use crate::files::open_file::File;

/// What goes together with EPOLLEXCLUSIVE.
const WITH_EXCLUSIVE: u32 =
    (POLLIN | POLLOUT | POLLERR | POLLHUP) as u32 | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

fn key(descriptor: usize, file: &Arc<File>) -> Key {
    (descriptor, Arc::as_ptr(file).cast::<()>().addr())
}

impl Epoll {
    /// Watches `file` for `event`: EEXIST if it does, EPERM if nothing ever
    /// becomes ready there, ELOOP, EINVAL, ENOMEM.
    pub fn add(&self, descriptor: usize, file: &Arc<File>, event: EpollEvent) -> Result<(), Errno> {
        if !file.can_wait() {
            return Err(Errno::EPERM);
        }
        let events = event.events;
        let exclusive = events & EPOLLEXCLUSIVE != 0;
        let nested = file.kind_of::<Epoll>();
        if exclusive && (events & !WITH_EXCLUSIVE != 0 || nested.is_some()) {
            return Err(Errno::EINVAL);
        }
        match nested {
            None => self.insert(descriptor, file, event),
            Some(inner) => nesting::nest(self, inner, || self.insert(descriptor, file, event)),
        }
    }

    fn insert(&self, descriptor: usize, file: &Arc<File>, event: EpollEvent) -> Result<(), Errno> {
        let key = key(descriptor, file);
        let entry = try_arc(Entry::new(&self.core, file, key, Interest::new(event)))?;
        let mut entries = self.core.entries.lock();
        if entries.contains_key(&key) {
            return Err(Errno::EEXIST);
        }
        entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.core.make_room(entries.len() + 1)?;
        file.attach(&entry)?;
        entries.insert(key, entry.clone());
        drop(entries);
        self.look(entry);
        Ok(())
    }

    /// Watches for something else from now on: ENOENT, EINVAL.
    pub fn modify(
        &self,
        descriptor: usize,
        file: &Arc<File>,
        event: EpollEvent,
    ) -> Result<(), Errno> {
        let entries = self.core.entries.lock();
        let entry = entries.get(&key(descriptor, file)).ok_or(Errno::ENOENT)?;
        let exclusive = event.events & EPOLLEXCLUSIVE != 0;
        if exclusive || entry.interest().is_exclusive() {
            return Err(Errno::EINVAL);
        }
        entry.set_interest(Interest::new(event));
        let entry = entry.clone();
        drop(entries);
        self.look(entry);
        Ok(())
    }

    /// Watches no more: ENOENT.
    pub fn remove(&self, descriptor: usize, file: &Arc<File>) -> Result<(), Errno> {
        let mut entries = self.core.entries.lock();
        let removed = entries.remove(&key(descriptor, file));
        let entry = removed.ok_or(Errno::ENOENT)?;
        file.detach(&entry);
        drop(entries);
        self.core.unqueue(&entry);
        Ok(())
    }

    /// The file may have been ready before its changes were of interest.
    fn look(&self, entry: Arc<Entry>) {
        if entry.is_ready() {
            self.core.tell(entry);
        }
    }
}
