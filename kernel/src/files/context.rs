//! Working directory, root and umask: what `clone(CLONE_FS)` shares.
//!
//! A spin lock guards all three; it is held to copy a reference, no longer.

use alloc::sync::Arc;

use abi::Errno;
use sync::{SpinLock, rank};

use super::allocate::try_arc;
use super::inode::Inode;
use super::walk::At;
use crate::credentials::Credentials;

/// What there is to know.
#[derive(Clone)]
pub struct Places {
    pub root: Arc<dyn Inode>,
    pub working: Arc<dyn Inode>,
    pub umask: u32,
}

impl Places {
    /// `path` as seen from here by `by`.
    pub fn at<'a>(&'a self, path: &'a [u8], by: &'a Credentials) -> At<'a> {
        At {
            root: &self.root,
            start: &self.working,
            path,
            by,
        }
    }
}

/// See the module.
pub struct FsContext {
    places: SpinLock<Places, rank::FsContext>,
}

impl FsContext {
    /// At the root, with the usual umask of 022.
    pub fn new(root: Arc<dyn Inode>) -> FsContext {
        FsContext {
            places: SpinLock::new(Places {
                working: root.clone(),
                root,
                umask: 0o022,
            }),
        }
    }

    /// A context of its own with the same places: ENOMEM.
    pub fn duplicate(&self) -> Result<Arc<FsContext>, Errno> {
        let places = self.places();
        try_arc(FsContext {
            places: SpinLock::new(places),
        })
    }

    /// All of it at one moment.
    pub fn places(&self) -> Places {
        self.places.lock().clone()
    }

    pub fn root(&self) -> Arc<dyn Inode> {
        self.places.lock().root.clone()
    }

    pub fn working(&self) -> Arc<dyn Inode> {
        self.places.lock().working.clone()
    }

    pub fn set_working(&self, directory: Arc<dyn Inode>) {
        let old = core::mem::replace(&mut self.places.lock().working, directory);
        // Dropped without the lock: it may be the last owner of a file tree.
        drop(old);
    }

    pub fn umask(&self) -> u32 {
        self.places.lock().umask
    }

    /// Sets the umask; the old one.
    pub fn set_umask(&self, umask: u32) -> u32 {
        core::mem::replace(&mut self.places.lock().umask, umask & 0o777)
    }
}
