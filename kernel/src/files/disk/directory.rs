//! A directory's names in memory, and every change of names on a disk.
//!
//! [`Directory`] remembers what its names stand for, and which are not there.
//! It holds its nodes, and so keeps them in memory, until [`shrink_names`]
//! takes them back. Whoever asks the volume for a name holds the directory's
//! lock until the answer is remembered; so what is remembered is right.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use hashbrown::HashMap;
use sync::{RwLock, SpinLock, rank};

use super::DiskFs;
use super::node::{Body, Node};
use super::volume;
use crate::files::allocate::try_bytes;
use crate::files::inode::{Listed, Maker, New};
use crate::files::reclaim;
use crate::memory::with_room;

/// Where a directory is.
pub struct Place {
    pub parent: Arc<Node>,
    pub name: Box<[u8]>,
}

/// What a name stands for.
struct Remembered {
    /// `None`: nothing has the name.
    node: Option<Arc<Node>>,
    /// Looked up since the last call of [`shrink_names`].
    used: AtomicBool,
}

struct Names {
    known: HashMap<Box<[u8]>, Remembered>,
    /// Has no name any more, and gets no more entries.
    removed: bool,
}

impl Names {
    /// Remembers, if there is memory for it. What was known before is returned,
    /// to be dropped without the lock.
    fn remember(&mut self, name: &[u8], node: Option<Arc<Node>>) -> Option<Remembered> {
        let used = AtomicBool::new(true);
        if let Some(known) = self.known.get_mut(name) {
            return Some(core::mem::replace(known, Remembered { node, used }));
        }
        reclaim::call_if_short();
        if self.known.try_reserve(1).is_ok()
            && let Ok(name) = try_bytes(name)
        {
            self.known.insert(name, Remembered { node, used });
        }
        None
    }
}

/// What a directory node holds.
pub struct Directory {
    names: RwLock<Names, rank::Directory>,
    /// `None` for the root. Changes only with the tree lock held alone.
    place: SpinLock<Option<Place>, rank::Place>,
}

impl Directory {
    pub fn new(place: Option<Place>) -> Directory {
        Directory {
            names: RwLock::new(Names {
                known: HashMap::new(),
                removed: false,
            }),
            place: SpinLock::new(place),
        }
    }

    pub fn parent(&self) -> Option<Arc<Node>> {
        let place = self.place.lock();
        place.as_ref().map(|place| place.parent.clone())
    }

    /// ENOENT if it is removed.
    pub(super) fn check_there(&self) -> Result<(), Errno> {
        match self.names.read().removed {
            true => Err(Errno::ENOENT),
            false => Ok(()),
        }
    }

    /// Sets where the directory is. The caller holds the tree lock alone.
    pub(super) fn set_place(&self, place: Place) {
        let before = self.place.lock().replace(place);
        drop(before);
    }

    pub fn name(&self) -> Result<Box<[u8]>, Errno> {
        if self.names.read().removed {
            return Err(Errno::ENOENT);
        }
        let place = self.place.lock();
        try_bytes(place.as_ref().map_or(b"", |place| &place.name))
    }

    /// Marks as removed, if nothing is in it: ENOTEMPTY.
    pub(super) fn retire(&self, fs: &DiskFs, number: volume::Number) -> Result<(), Errno> {
        let mut names = self.names.write();
        let mut entries = 0;
        fs.volume.list(number, 0, &mut |_| {
            entries += 1;
            entries <= 2
        })?;
        if entries > 2 {
            return Err(Errno::ENOTEMPTY);
        }
        names.removed = true;
        Ok(())
    }

    /// What `retire` did, undone.
    pub(super) fn revive(&self) {
        self.names.write().removed = false;
    }

    pub(super) fn remember(&self, name: &[u8], node: Option<Arc<Node>>) {
        let old = self.names.write().remember(name, node);
        drop(old);
    }

    /// What is remembered of `name`.
    fn recall(&self, name: &[u8]) -> Option<Result<Arc<Node>, Errno>> {
        let names = self.names.read();
        let known = names.known.get(name)?;
        known.used.store(true, Ordering::Relaxed);
        Some(known.node.clone().ok_or(Errno::ENOENT))
    }

    /// Whether nodes go with this one.
    fn holds_nodes(&self) -> bool {
        // Whoever has the lock is about to look something up.
        let names = self.names.try_read();
        names.is_none_or(|names| names.known.values().any(|known| known.node.is_some()))
    }

    /// Forgets names that were not used since the last call, and whose nodes
    /// nobody else has, hold no others, and have nothing to be written; all such
    /// names if `all`. How many; none while somebody is at work on the names,
    /// who may be the caller.
    fn forget(&self, all: bool) -> usize {
        let Some(mut names) = self.names.try_write() else {
            return 0;
        };
        let before = names.known.len();
        // One pass, so that a mark of use is good for a whole call. Nodes are
        // dropped with the lock held: they take no lock that sleeps.
        names.known.retain(|_, known| {
            let node = known.node.as_ref();
            // Each name has one reference.
            let shared = node.is_some_and(|node| Arc::strong_count(node) > node.most_names());
            // A file's pages go with its node, so what is dirty must stay.
            let pages = || node.and_then(|node| node.pages());
            let folder = || node.and_then(|node| node.as_directory().ok());
            let forgettable = !shared
                && !folder().is_some_and(Directory::holds_nodes)
                && (all || !known.used.swap(false, Ordering::Relaxed))
                && pages().is_none_or(|pages| pages.is_settled());
            !forgettable
        });
        before - names.known.len()
    }
}

impl Drop for Directory {
    /// Lets go of the parents one by one: a chain of directories, however
    /// long, must not recurse.
    fn drop(&mut self) {
        let mut place = self.place.get_mut().take();
        while let Some(Place { parent, .. }) = place {
            let Some(mut parent) = Arc::into_inner(parent) else {
                return;
            };
            place = match parent.body_mut() {
                Body::Directory(directory) => directory.place.get_mut().take(),
                _ => None,
            };
        }
    }
}

/// Gives back memory that the names of `fs` take: those not used since the
/// last call, or `all` that can be. How many were forgotten.
pub fn shrink_names(fs: &DiskFs, all: bool) -> usize {
    let mut count = 0;
    let mut from = 0;
    while from < fs.nodes_in_memory() {
        for node in fs.some_nodes(from) {
            let node = node.upgrade();
            if let Some(Body::Directory(directory)) = node.as_ref().map(|node| node.body()) {
                count += directory.forget(all);
            }
        }
        from += 64;
    }
    count
}

impl Node {
    pub(super) fn look_up_node(&self, name: &[u8]) -> Result<Arc<Node>, Errno> {
        let directory = self.as_directory()?;
        if let Some(known) = directory.recall(name) {
            return known;
        }
        let mut names = directory.names.write();
        self.resolve(&mut names, name)?.ok_or(Errno::ENOENT)
    }

    /// What `name` stands for, with the lock held that keeps it so.
    fn resolve(&self, names: &mut Names, name: &[u8]) -> Result<Option<Arc<Node>>, Errno> {
        if names.removed {
            return Err(Errno::ENOENT);
        }
        if let Some(known) = names.known.get(name) {
            known.used.store(true, Ordering::Relaxed);
            return Ok(known.node.clone());
        }
        let fs = self.fs();
        let found = match with_room(|| fs.volume.look_up(self.place_of(name))) {
            Ok(number) => {
                let node = with_room(|| fs.node(number, Some(self.place_in(name)?)));
                Some(node?)
            }
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        // Nothing was remembered, so nothing is dropped here.
        names.remember(name, found.clone());
        Ok(found)
    }

    pub(super) fn place_in(&self, name: &[u8]) -> Result<Place, Errno> {
        Ok(Place {
            parent: self.arc()?,
            name: try_bytes(name)?,
        })
    }

    pub(super) fn create_node(
        &self,
        name: &[u8],
        new: New<'_>,
        maker: Maker,
    ) -> Result<Arc<Node>, Errno> {
        let fs = self.fs();
        fs.check_writable()?;
        let directory = self.as_directory()?;
        let _tree = fs.tree.read();
        let mut names = directory.names.write();
        if self.resolve(&mut names, name)?.is_some() {
            return Err(Errno::EEXIST);
        }
        let create = || fs.volume.create(self.place_of(name), new, maker);
        let (number, attributes) = with_room(create)?;
        fs.note_change();
        let node = with_room(|| fs.new_node(number, attributes, Some(self.place_in(name)?)));
        let old = match &node {
            Ok(node) => names.remember(name, Some(node.clone())),
            // The file is there; only the memory to show it is not.
            Err(_) => names.known.remove(name),
        };
        drop(names);
        drop(old);
        self.note_stale();
        node
    }

    pub(super) fn link_node(&self, name: &[u8], target: &Arc<Node>) -> Result<(), Errno> {
        let fs = self.fs();
        fs.check_writable()?;
        let directory = self.as_directory()?;
        if target.is_directory() {
            return Err(Errno::EPERM);
        }
        if !Arc::ptr_eq(fs, target.fs()) {
            return Err(Errno::EXDEV);
        }
        let _tree = fs.tree.read();
        let mut names = directory.names.write();
        if self.resolve(&mut names, name)?.is_some() {
            return Err(Errno::EEXIST);
        }
        // Counted first: a file that loses its last name meanwhile is seen.
        target.add_link()?;
        if let Err(error) = fs.volume.link(self.place_of(name), target.number()) {
            target.drop_link();
            return Err(error);
        }
        fs.note_change();
        let old = names.remember(name, Some(target.clone()));
        drop(names);
        drop(old);
        self.note_stale();
        Ok(())
    }

    pub(super) fn unlink_node(&self, name: &[u8]) -> Result<(), Errno> {
        let fs = self.fs();
        fs.check_writable()?;
        let directory = self.as_directory()?;
        let tree = fs.tree.read();
        let mut names = directory.names.write();
        let node = self.resolve(&mut names, name)?.ok_or(Errno::ENOENT)?;
        if node.is_directory() {
            return Err(Errno::EISDIR);
        }
        fs.volume.unlink(self.place_of(name))?;
        fs.note_change();
        let old = names.remember(name, None);
        drop(names);
        drop(tree);
        drop(old);
        node.drop_link();
        self.note_stale();
        Ok(())
    }

    pub(super) fn remove_directory_node(&self, name: &[u8]) -> Result<(), Errno> {
        let fs = self.fs();
        fs.check_writable()?;
        let directory = self.as_directory()?;
        let tree = fs.tree.write();
        let child = self.look_up_node(name)?;
        let gone = child.as_directory()?;
        gone.retire(fs, child.number())?;
        if let Err(error) = fs.volume.remove_directory(self.place_of(name)) {
            gone.revive();
            return Err(error);
        }
        fs.note_change();
        directory.remember(name, None);
        drop(tree);
        child.removed();
        self.note_stale();
        Ok(())
    }

    pub(super) fn list_node(
        &self,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        let names = directory.names.read();
        if names.removed {
            return Err(Errno::ENOENT);
        }
        self.fs().volume.list(self.number(), from, emit)
    }
}
