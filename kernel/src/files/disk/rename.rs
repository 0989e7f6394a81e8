//! Moving and exchanging names on a disk.
//!
//! The tree lock is held alone, so that no directory comes to lie below
//! itself. A walk meanwhile finds the file under at least one of its names.

use alloc::sync::Arc;

use abi::Errno;

use super::directory::{Directory, Place};
use super::node::{Body, Node};
use crate::files::inode::{Inode, Kind, Replace};

/// One end of a move: a name, its directory, and what it stands for.
#[derive(Clone, Copy)]
struct End<'a> {
    directory: &'a Node,
    name: &'a [u8],
    node: &'a Arc<Node>,
}

impl Node {
    pub(super) fn rename_node(
        &self,
        name: &[u8],
        to: &Arc<Node>,
        new_name: &[u8],
        replace: Replace,
    ) -> Result<(), Errno> {
        let fs = self.fs();
        fs.check_writable()?;
        let (_, into) = (self.as_directory()?, to.as_directory()?);
        if !Arc::ptr_eq(fs, to.fs()) {
            return Err(Errno::EXDEV);
        }
        let tree = fs.tree.write();
        into.check_there()?;
        let node = self.look_up_node(name)?;
        let old = match to.look_up_node(new_name) {
            Ok(old) => Some(old),
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        if node.is_directory() && to.is_at_or_below(&node) {
            return Err(Errno::EINVAL);
        }
        let from = End {
            directory: self,
            name,
            node: &node,
        };
        match (&old, replace) {
            (Some(_), Replace::No) => return Err(Errno::EEXIST),
            // Two names of one file: rename(2) does nothing.
            (Some(old), _) if Arc::ptr_eq(old, &node) => return Ok(()),
            (None, Replace::Exchange) => return Err(Errno::ENOENT),
            (Some(other), Replace::Exchange) => {
                let to = End {
                    directory: to,
                    name: new_name,
                    node: other,
                };
                exchange(from, to)?;
            }
            (old, _) => move_to(from, to, new_name, old.as_ref())?,
        }
        fs.note_change();
        drop(tree);
        // What was replaced may be freed by this, so it comes after the lock.
        if replace == Replace::Yes
            && let Some(old) = old
        {
            match old.is_directory() {
                true => old.removed(),
                false => old.drop_link(),
            }
        }
        node.touch_change();
        self.note_stale();
        to.note_stale();
        Ok(())
    }

    /// Whether `above` is this directory or one that it lies in.
    fn is_at_or_below(&self, above: &Node) -> bool {
        let mut at = self.as_directory().ok().and_then(Directory::parent);
        let mut is_there = self.number() == above.number();
        while let Some(node) = at {
            is_there |= node.number() == above.number();
            at = node.as_directory().ok().and_then(Directory::parent);
        }
        is_there
    }
}

/// Moves `from` to `new_name` in `to`, in place of `old`.
fn move_to(
    from: End<'_>,
    to: &Arc<Node>,
    new_name: &[u8],
    old: Option<&Arc<Node>>,
) -> Result<(), Errno> {
    let fs = to.fs();
    let place = to.place_in(new_name)?;
    let mut retired = None;
    if let Some(old) = old {
        if from.directory.is_at_or_below(old) {
            return Err(Errno::ENOTEMPTY);
        }
        match (from.node.kind(), old.kind()) {
            (Kind::Directory, Kind::Directory) => {
                let directory = old.as_directory()?;
                directory.retire(fs, old.number())?;
                retired = Some(directory);
            }
            (Kind::Directory, _) => return Err(Errno::ENOTDIR),
            (_, Kind::Directory) => return Err(Errno::EISDIR),
            _ => {}
        }
    }
    let (old_place, new_place) = (from.directory.place_of(from.name), to.place_of(new_name));
    if let Err(error) = fs.volume.rename(old_place, new_place, Replace::Yes) {
        if let Some(directory) = retired {
            directory.revive();
        }
        return Err(error);
    }
    to.as_directory()?
        .remember(new_name, Some(from.node.clone()));
    from.directory.as_directory()?.remember(from.name, None);
    settle(from.node, place);
    Ok(())
}

/// Lets two names change what they stand for.
fn exchange(one: End<'_>, other: End<'_>) -> Result<(), Errno> {
    if other.node.is_directory() && one.directory.is_at_or_below(other.node) {
        return Err(Errno::EINVAL);
    }
    // All that can fail comes first.
    let (one_place, other_place) = (
        other.directory.place_in(other.name)?,
        one.directory.place_in(one.name)?,
    );
    one.directory.fs().volume.rename(
        one.directory.place_of(one.name),
        other.directory.place_of(other.name),
        Replace::Exchange,
    )?;
    for (end, node) in [(other, one.node), (one, other.node)] {
        let directory = end.directory.as_directory()?;
        directory.remember(end.name, Some(node.clone()));
    }
    settle(one.node, one_place);
    settle(other.node, other_place);
    other.node.touch_change();
    Ok(())
}

/// Tells a directory where it is now.
fn settle(node: &Node, place: Place) {
    if let Body::Directory(directory) = node.body() {
        directory.set_place(place);
    }
}
