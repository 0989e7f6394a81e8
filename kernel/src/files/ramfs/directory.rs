//! Directories of ramfs, and every change of names. See [`super`] for the locks.
//!
//! A removed directory keeps its parent, so that `..` still leads out of it,
//! but takes no new entries.

use alloc::boxed::Box;
use alloc::sync::Arc;

use abi::Errno;
use sync::{RwLock, SpinLock, rank};

use super::entries::Entries;
use super::node::{Body, Node};
use super::spare_memory;
use crate::files::allocate::{try_arc, try_bytes};
use crate::files::inode::{Inode, Kind, Listed, Maker, New, Replace};

/// Positions 0 and 1 of a listing are `.` and `..`.
const FIRST_COOKIE: u64 = 2;

/// Where a directory is.
pub struct Place {
    pub parent: Arc<Node>,
    pub name: Box<[u8]>,
}

struct Table {
    entries: Entries<Arc<Node>>,
    /// Has no name any more, and gets no more entries.
    removed: bool,
}

/// What a directory node holds.
pub struct Directory {
    table: RwLock<Table, rank::Directory>,
    /// `None` for the root. Changes only with the tree lock held alone.
    place: SpinLock<Option<Place>, rank::Place>,
}

impl Directory {
    /// An empty directory; `seed` as in [`Entries::new`].
    pub fn new(place: Option<Place>, seed: u64) -> Directory {
        Directory {
            table: RwLock::new(Table {
                entries: Entries::new(FIRST_COOKIE, seed),
                removed: false,
            }),
            place: SpinLock::new(place),
        }
    }

    pub fn get(&self, name: &[u8]) -> Result<Arc<Node>, Errno> {
        let table = self.table.read();
        table.entries.get(name).cloned().ok_or(Errno::ENOENT)
    }

    pub fn parent(&self) -> Option<Arc<Node>> {
        let place = self.place.lock();
        place.as_ref().map(|place| place.parent.clone())
    }

    pub fn name(&self) -> Result<Box<[u8]>, Errno> {
        if self.table.read().removed {
            return Err(Errno::ENOENT);
        }
        let place = self.place.lock();
        try_bytes(place.as_ref().map_or(b"", |place| &place.name))
    }

    /// Adds a name that is not there: EEXIST, ENOSPC, ENOENT if removed.
    fn insert(&self, name: &[u8], node: Arc<Node>) -> Result<(), Errno> {
        let mut table = self.table.write();
        if table.removed {
            return Err(Errno::ENOENT);
        }
        if table.entries.get(name).is_some() {
            return Err(Errno::EEXIST);
        }
        table.entries.insert(name, node)
    }

    /// Marks an empty directory as removed: ENOTEMPTY.
    fn retire(&self) -> Result<(), Errno> {
        let mut table = self.table.write();
        if table.entries.len() > 0 {
            return Err(Errno::ENOTEMPTY);
        }
        table.removed = true;
        Ok(())
    }
}

impl Drop for Directory {
    /// Lets go of the parents one by one: a chain of removed directories,
    /// however long, must not recurse.
    fn drop(&mut self) {
        let mut place = self.place.get_mut().take();
        while let Some(Place { parent, .. }) = place {
            let Some(mut parent) = Arc::into_inner(parent) else {
                return;
            };
            place = match &mut parent.body {
                Body::Directory(directory) => directory.place.get_mut().take(),
                _ => None,
            };
        }
    }
}

impl Node {
    pub(super) fn create_node(
        self: &Arc<Self>,
        name: &[u8],
        new: New<'_>,
        maker: Maker,
    ) -> Result<Arc<Node>, Errno> {
        let directory = self.as_directory()?;
        let _tree = self.fs.tree.read();
        if directory.get(name).is_ok() {
            return Err(Errno::EEXIST);
        }
        spare_memory()?;
        let child = try_arc(Node::child(self, name, new, maker)?)?;
        directory.insert(name, child.clone())?;
        if child.is_directory() {
            // Its `..` is a link of this directory.
            self.add_link()?;
        }
        self.touch();
        Ok(child)
    }

    /// Names a node that was made elsewhere, and has no name yet.
    pub(super) fn insert_node(&self, name: &[u8], node: Arc<Node>) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        let _tree = self.fs.tree.read();
        directory.insert(name, node)
    }

    pub(super) fn link_node(&self, name: &[u8], target: Arc<Node>) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        if target.is_directory() {
            return Err(Errno::EPERM);
        }
        if !Arc::ptr_eq(&self.fs, &target.fs) {
            return Err(Errno::EXDEV);
        }
        let _tree = self.fs.tree.read();
        if directory.get(name).is_ok() {
            return Err(Errno::EEXIST);
        }
        spare_memory()?;
        target.add_link()?;
        if let Err(error) = directory.insert(name, target.clone()) {
            target.drop_links(1);
            return Err(error);
        }
        self.touch();
        Ok(())
    }

    pub(super) fn unlink_node(&self, name: &[u8]) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        let tree = self.fs.tree.read();
        let mut table = directory.table.write();
        if table.entries.get(name).ok_or(Errno::ENOENT)?.is_directory() {
            return Err(Errno::EISDIR);
        }
        let node = table.entries.remove(name);
        drop(table);
        drop(tree);
        self.touch();
        if let Some(node) = node {
            node.drop_links(1);
        }
        Ok(())
    }

    pub(super) fn remove_directory_node(&self, name: &[u8]) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        let tree = self.fs.tree.write();
        let child = directory.get(name)?;
        child.as_directory()?.retire()?;
        let entry = directory.table.write().entries.remove(name);
        self.drop_links(1);
        self.touch();
        child.drop_links(2);
        drop(tree);
        drop(entry);
        Ok(())
    }

    /// Moves an entry. The new name is in place before the old one goes, so
    /// that a walk finds the file under at least one of them.
    pub(super) fn rename_node(
        self: &Arc<Self>,
        name: &[u8],
        to: Arc<Node>,
        new_name: &[u8],
        replace: Replace,
    ) -> Result<(), Errno> {
        let (from, target) = (self.as_directory()?, to.as_directory()?);
        if !Arc::ptr_eq(&self.fs, &to.fs) {
            return Err(Errno::EXDEV);
        }
        let tree = self.fs.tree.write();
        let node = from.get(name)?;
        let old = target.get(new_name).ok();
        if node.is_directory() && to.is_at_or_below(&node) {
            return Err(Errno::EINVAL);
        }
        match (&old, replace) {
            (Some(_), Replace::No) => return Err(Errno::EEXIST),
            // Two names of one file: rename(2) does nothing.
            (Some(old), _) if Arc::ptr_eq(old, &node) => return Ok(()),
            (Some(old), Replace::Exchange) => {
                return self.exchange((name, &node), &to, (new_name, old));
            }
            (None, Replace::Exchange) => return Err(Errno::ENOENT),
            (Some(_), Replace::Yes) | (None, _) => {}
        }
        if let Some(old) = &old {
            if self.is_at_or_below(old) {
                return Err(Errno::ENOTEMPTY);
            }
            check_exchange(&node, old)?;
        }
        let place = match node.is_directory() {
            true => Some(Place {
                parent: to.clone(),
                name: try_bytes(new_name)?,
            }),
            false => None,
        };
        match &old {
            Some(old) => {
                if let Body::Directory(directory) = &old.body {
                    directory.retire()?;
                }
                let mut table = target.table.write();
                drop(table.entries.replace(new_name, node.clone()));
            }
            None => target.insert(new_name, node.clone())?,
        }
        let moved = from.table.write().entries.remove(name);
        drop(moved);
        self.settle_links(&to, &node, old.as_deref(), place);
        // The replaced file may be long: it goes after the lock.
        drop(tree);
        Ok(())
    }

    /// Lets two entries take each other's name. The tree lock is held alone,
    /// and neither may come to lie below itself.
    fn exchange(
        self: &Arc<Self>,
        (name, node): (&[u8], &Arc<Node>),
        to: &Arc<Node>,
        (new_name, other): (&[u8], &Arc<Node>),
    ) -> Result<(), Errno> {
        if other.is_directory() && self.is_at_or_below(other) {
            return Err(Errno::EINVAL);
        }
        // All that can fail comes first.
        let place_of = |node: &Arc<Node>, parent: &Arc<Node>, name: &[u8]| match node.is_directory()
        {
            true => Ok(Some(Place {
                parent: parent.clone(),
                name: try_bytes(name)?,
            })),
            false => Ok(None),
        };
        let places = [
            (node, place_of(node, to, new_name)?),
            (other, place_of(other, self, name)?),
        ];
        let replace = |directory: &Node, name: &[u8], node: &Arc<Node>| {
            let mut table = directory.as_directory()?.table.write();
            drop(table.entries.replace(name, node.clone()));
            Ok(())
        };
        replace(to, new_name, node)?;
        replace(self, name, other)?;
        for (node, place) in places {
            if let Body::Directory(directory) = &node.body {
                let before = core::mem::replace(&mut *directory.place.lock(), place);
                drop(before);
            }
        }
        match (node.is_directory(), other.is_directory()) {
            (true, false) => move_parent_link(self, to),
            (false, true) => move_parent_link(to, self),
            _ => {}
        }
        self.touch();
        to.touch();
        node.touch_change();
        other.touch_change();
        Ok(())
    }

    /// Counts links and sets the place after a move, which can no longer fail.
    fn settle_links(&self, to: &Node, node: &Node, old: Option<&Node>, place: Option<Place>) {
        if let Body::Directory(directory) = &node.body {
            let before = core::mem::replace(&mut *directory.place.lock(), place);
            drop(before);
            move_parent_link(self, to);
        }
        if let Some(old) = old {
            if old.is_directory() {
                old.drop_links(2);
                to.drop_links(1);
            } else {
                old.drop_links(1);
            }
        }
        self.touch();
        to.touch();
    }

    /// Whether `above` is this directory or one that it lies in.
    fn is_at_or_below(self: &Arc<Self>, above: &Arc<Node>) -> bool {
        let mut at = Some(self.clone());
        while let Some(node) = at {
            if Arc::ptr_eq(&node, above) {
                return true;
            }
            at = node.as_directory().ok().and_then(Directory::parent);
        }
        false
    }

    pub(super) fn list_node(
        &self,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        let directory = self.as_directory()?;
        let parent = directory.parent();
        let above = parent.map_or(self.number(), |parent| parent.number());
        for (position, name, number) in [(0, &b"."[..], self.number()), (1, b"..", above)] {
            let entry = Listed {
                number,
                kind: Kind::Directory,
                name,
                next: position + 1,
            };
            if from <= position && !emit(entry) {
                return Ok(());
            }
        }
        let table = directory.table.read();
        if table.removed {
            return Err(Errno::ENOENT);
        }
        for (cookie, entry) in table.entries.since(from) {
            let entry = Listed {
                number: entry.value.number(),
                kind: entry.value.kind(),
                name: &entry.name,
                next: cookie + 1,
            };
            if !emit(entry) {
                break;
            }
        }
        Ok(())
    }
}

/// A directory's `..` leads to `to` now, which is not removed, and no longer
/// to `from`.
fn move_parent_link(from: &Node, to: &Node) {
    from.drop_links(1);
    // It cannot fail: the directory has links while it is not removed.
    let _ = to.add_link();
}

/// Whether `node` may take the place of `old`: EISDIR, ENOTDIR, ENOTEMPTY.
fn check_exchange(node: &Node, old: &Node) -> Result<(), Errno> {
    match (&node.body, &old.body) {
        (Body::Directory(_), Body::Directory(directory)) => {
            match directory.table.read().entries.len() {
                0 => Ok(()),
                _ => Err(Errno::ENOTEMPTY),
            }
        }
        (Body::Directory(_), _) => Err(Errno::ENOTDIR),
        (_, Body::Directory(_)) => Err(Errno::EISDIR),
        _ => Ok(()),
    }
}
