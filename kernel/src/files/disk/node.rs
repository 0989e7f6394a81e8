//! [`Node`]: an inode of a disk in memory.

use alloc::sync::{Arc, Weak};

use abi::Errno;
use sync::SpinLock;

use super::DiskFs;
use super::attributes::AttributesCopy;
use super::directory::{Directory, Place};
use super::pages::Pages;
use super::volume::{self, Attributes, Changes, Number};
use crate::files::allocate::try_arc;
use crate::files::clock;
use crate::files::inode::Kind;
use crate::files::inotify::notify;
use crate::files::pipe::FifoPipe;

/// What a node is.
pub(super) enum Body {
    File(Pages),
    Directory(Directory),
    Link,
    /// With the device's number.
    Device(u64),
    Fifo(FifoPipe),
}

/// One inode.
pub struct Node {
    fs: Arc<DiskFs>,
    number: Number,
    pub(super) attributes: AttributesCopy,
    body: Body,
}

impl Node {
    /// The node of `number`, which has none yet; `pages` are what an earlier
    /// one has left.
    pub(super) fn new(
        fs: Arc<DiskFs>,
        number: Number,
        attributes: Attributes,
        place: Option<Place>,
        pages: Option<Pages>,
    ) -> Result<Arc<Node>, Errno> {
        let body = match attributes.kind {
            Kind::Regular => Body::File(match pages {
                Some(pages) => pages,
                None => Pages::new(fs.clone(), number, &attributes)?,
            }),
            Kind::Directory => Body::Directory(Directory::new(place)),
            Kind::SymbolicLink => Body::Link,
            Kind::Fifo => Body::Fifo(SpinLock::new(Weak::new())),
            _ => Body::Device(attributes.special),
        };
        try_arc(Node {
            fs,
            number,
            attributes: AttributesCopy::new(attributes),
            body,
        })
    }

    pub(super) fn fs(&self) -> &Arc<DiskFs> {
        &self.fs
    }

    pub(super) fn number(&self) -> Number {
        self.number
    }

    /// This node, counted. It is in the table as long as it lives, but for a
    /// moment at its beginning, when nobody else knows it.
    pub(super) fn arc(&self) -> Result<Arc<Node>, Errno> {
        self.fs.loaded(self.number).ok_or(Errno::ENOENT)
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    pub(super) fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    pub(super) fn pages(&self) -> Option<&Pages> {
        match &self.body {
            Body::File(pages) => Some(pages),
            _ => None,
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.body, Body::Directory(_))
    }

    pub(super) fn as_directory(&self) -> Result<&Directory, Errno> {
        match &self.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(super) fn place_of<'n>(&self, name: &'n [u8]) -> volume::Place<'n> {
        volume::Place {
            directory: self.number,
            name,
        }
    }

    /// Counts one more name, unless the last one is gone: ENOENT.
    pub(super) fn add_link(&self) -> Result<(), Errno> {
        self.attributes.change(|attributes| {
            if attributes.links == 0 {
                return Err(Errno::ENOENT);
            }
            attributes.links += 1;
            attributes.changed = clock::now();
            Ok(())
        })
    }

    pub(super) fn drop_link(&self) {
        self.attributes.change(|attributes| {
            attributes.links = attributes.links.saturating_sub(1);
            attributes.changed = clock::now();
        });
    }

    /// As many names as may be remembered for it.
    pub(super) fn most_names(&self) -> usize {
        match self.body {
            Body::Directory(_) => 1,
            _ => self.attributes.get().links.max(1) as usize,
        }
    }

    /// A directory has lost its name.
    pub(super) fn removed(&self) {
        self.attributes.removed();
    }

    pub(super) fn touch_change(&self) {
        self.attributes
            .change(|attributes| attributes.changed = clock::now());
    }

    /// The volume knows better now: names in this directory changed, or blocks.
    pub(super) fn note_stale(&self) {
        self.attributes.note_stale();
    }

    /// Its pages: EISDIR, EINVAL if it is no regular file.
    pub(super) fn file(&self) -> Result<&Pages, Errno> {
        match &self.body {
            Body::File(pages) => Ok(pages),
            Body::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Does it once more, after making room, if space or memory is missing.
    pub(super) fn with_room<T>(
        &self,
        mut act: impl FnMut() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match act() {
            Err(Errno::ENOSPC | Errno::ENOMEM) => {
                self.fs.make_room();
                act()
            }
            result => result,
        }
    }

    /// The same for a change of names if space is missing. What ends for want of
    /// memory may have been made, so it is not done again.
    pub(super) fn with_space<T>(
        &self,
        mut act: impl FnMut() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match act() {
            Err(Errno::ENOSPC) => {
                self.fs.make_space();
                act()
            }
            result => result,
        }
    }

    /// Makes `changes` on the disk, then in memory.
    pub(super) fn update(&self, changes: Changes) -> Result<(), Errno> {
        self.fs.check_writable()?;
        self.fs.volume.update(self.number, changes)?;
        self.fs.note_change();
        self.attributes.change(|attributes| {
            let Attributes {
                permissions,
                owner,
                accessed,
                modified,
                changed,
                ..
            } = attributes;
            set(permissions, changes.permissions);
            set(&mut owner.user, changes.user);
            set(&mut owner.group, changes.group);
            set(accessed, changes.accessed);
            set(modified, changes.modified);
            *changed = clock::now();
        });
        if let (Some(pages), Some(time)) = (self.pages(), changes.modified) {
            pages.set_modified(time);
        }
        Ok(())
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        notify::gone(self);
        if self.attributes.get().links == 0 {
            self.fs.leave(self.number, self.pages().cloned());
        } else if let Some(pages) = self.pages()
            && pages.are_behind()
        {
            // No name keeps it, for there was no memory to remember one. It is
            // not written here: the caller may be at work on the same file.
            self.fs.keep(self.number, self, pages);
        }
    }
}
