//! What others may see of threads and processes, for `/proc`.
//!
//! A thread's resources are its own: here are weak references to them, so that
//! looking keeps nothing longer than the look takes. Only its credentials, which
//! are small, stay as long as the thread.

use super::group::Members;
use super::{Current, Group, Resources, Thread, Tid};
use crate::credentials::Credentials;
use crate::files::{FileTable, FsContext};
use crate::memory::Space;
use crate::signal::{Set, set_of};
use abi::Errno;
use abi::signal::{SIG_DFL, SIG_IGN, SIGNAL_MAX};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

/// See the module.
#[derive(Default)]
pub struct View {
    files: Weak<FileTable>,
    places: Weak<FsContext>,
    credentials: Option<Arc<Credentials>>,
}

impl View {
    pub(super) fn of(own: &Resources) -> View {
        View {
            files: Arc::downgrade(&own.files),
            places: Arc::downgrade(&own.fs),
            credentials: Some(own.credentials.clone()),
        }
    }
}

/// Signals of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSets {
    pub pending: Set,
    pub blocked: Set,
}

impl Current {
    /// Its resources have changed.
    pub(super) fn show_resources(&self) {
        let old = core::mem::replace(&mut *self.view.lock(), View::of(&self.own));
        drop(old);
        if self.tid() == self.tgid() {
            self.group().set_credentials(&self.own.credentials);
        }
    }
}

impl Thread {
    /// `None` once it has left it.
    pub fn seen_space(&self) -> Option<Arc<Space>> {
        self.space.lock().clone()
    }

    pub fn seen_files(&self) -> Option<Arc<FileTable>> {
        self.view.lock().files.upgrade()
    }

    /// `None` for the kernel's own threads.
    pub fn seen_credentials(&self) -> Option<Arc<Credentials>> {
        self.view.lock().credentials.clone()
    }

    /// A look at them; `look` takes no lock.
    pub fn with_credentials<R>(&self, look: impl FnOnce(&Credentials) -> R) -> Option<R> {
        self.view.lock().credentials.as_deref().map(look)
    }

    pub fn seen_places(&self) -> Option<Arc<FsContext>> {
        self.view.lock().places.upgrade()
    }
}

impl Group {
    /// The ids of its threads, in order. ENOMEM.
    pub fn thread_ids(&self) -> Result<Vec<Tid>, Errno> {
        let mut ids = Vec::new();
        loop {
            let count = self.thread_count();
            ids.try_reserve(count).map_err(|_| Errno::ENOMEM)?;
            let members = self.members.lock();
            if members.threads.len() <= ids.capacity() {
                ids.extend(members.threads.keys());
                break;
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    pub fn thread_count(&self) -> usize {
        self.members.lock().threads.len()
    }

    /// Its first thread while that lives, else any. `None` if all have ended.
    pub fn some_thread(&self) -> Option<Arc<Thread>> {
        let members: &Members = &self.members.lock();
        let first = members.threads.get(&self.id());
        first.or_else(|| members.threads.values().next()).cloned()
    }

    /// Signals that wait for the process.
    pub fn pending_set(&self) -> Set {
        self.members.lock().pending.set()
    }

    /// Signals that it ignores, and those that it has handlers for.
    pub fn disposition_sets(&self) -> (Set, Set) {
        let table = self.actions();
        let actions = table.lock();
        let (mut ignored, mut caught) = (0, 0);
        for signal in 1..=SIGNAL_MAX {
            match actions.get(signal).handler {
                SIG_DFL => {}
                SIG_IGN => ignored |= set_of(signal),
                _ => caught |= set_of(signal),
            }
        }
        (ignored, caught)
    }
}
