//! [`Node`]: an inode of a disk in memory.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use abi::Errno;
use abi::file::{O_ACCMODE, O_RDONLY, O_TRUNC};
use sync::SpinLock;

use super::DiskFs;
use super::attributes::AttributesCopy;
use super::directory::{Directory, Place};
use super::pages::Pages;
use super::volume::{self, Attributes, Changes, Maker, Number};
use crate::files::allocate::try_arc;
use crate::files::buffer::{Sink, Source};
use crate::files::cache::{ErrorMark, PageCache};
use crate::files::clock;
use crate::files::inode::{
    Inode, Kind, Listed, Metadata, New, Owner, Position, Replace, Sought, Statistics,
};
use crate::files::node_file::NodeFile;
use crate::files::open_file::File;
use crate::files::pipe::{FifoPipe, open_fifo};

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
    attributes: AttributesCopy,
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

    fn file(&self) -> Result<&Pages, Errno> {
        match &self.body {
            Body::File(pages) => Ok(pages),
            Body::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Makes `changes` on the disk, then in memory.
    fn update(&self, changes: Changes) -> Result<(), Errno> {
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

impl Inode for Node {
    fn kind(&self) -> Kind {
        match self.body {
            Body::File(_) => Kind::Regular,
            Body::Directory(_) => Kind::Directory,
            Body::Link => Kind::SymbolicLink,
            Body::Fifo(_) => Kind::Fifo,
            Body::Device(_) => self.attributes.get().kind,
        }
    }

    fn metadata(&self) -> Metadata {
        let ask = || self.fs.volume.attributes(self.number);
        let attributes = self.attributes.refresh(ask);
        let mut metadata = Metadata {
            device: self.fs.device,
            number: self.number.into(),
            kind: attributes.kind,
            permissions: attributes.permissions,
            owner: attributes.owner,
            links: attributes.links,
            special: attributes.special,
            size: attributes.size,
            allocated: attributes.allocated,
            accessed: attributes.accessed,
            modified: attributes.modified,
            changed: attributes.changed,
        };
        if let Body::File(pages) = &self.body {
            pages.describe(&mut metadata);
        }
        metadata
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        let changes = flags & O_ACCMODE as u32 != O_RDONLY as u32 || flags & O_TRUNC as u32 != 0;
        match &self.body {
            Body::File(_) if changes && self.fs.read_only => Err(Errno::EROFS),
            Body::File(_) | Body::Directory(_) => NodeFile::open(self, flags),
            Body::Link => Err(Errno::ELOOP),
            Body::Device(number) => crate::device::open(*number, self.clone(), flags),
            Body::Fifo(fifo) => open_fifo(self.clone(), fifo, flags),
        }
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.look_up_node(name)?)
    }

    fn parent(&self) -> Option<Arc<dyn Inode>> {
        Some(self.as_directory().ok()?.parent()?)
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        self.as_directory()?.name()
    }

    fn create(
        self: Arc<Self>,
        name: &[u8],
        new: New<'_>,
        permissions: u32,
    ) -> Result<Arc<dyn Inode>, Errno> {
        let maker = Maker {
            permissions: permissions & 0o7777,
            owner: Owner::ROOT,
        };
        Ok(self.create_node(name, new, maker)?)
    }

    fn link(&self, name: &[u8], target: Arc<dyn Inode>) -> Result<(), Errno> {
        self.link_node(name, &of_this_kind(target)?)
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        self.unlink_node(name)?;
        self.fs.release_left();
        Ok(())
    }

    fn remove_directory(&self, name: &[u8]) -> Result<(), Errno> {
        self.remove_directory_node(name)?;
        self.fs.release_left();
        Ok(())
    }

    fn rename(
        self: Arc<Self>,
        name: &[u8],
        to: Arc<dyn Inode>,
        new_name: &[u8],
        replace: Replace,
    ) -> Result<(), Errno> {
        self.rename_node(name, &of_this_kind(to)?, new_name, replace)?;
        self.fs.release_left();
        Ok(())
    }

    fn list(&self, from: u64, emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        self.list_node(from, emit)
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        match self.body {
            Body::Link => self.fs.volume.read_link(self.number),
            _ => Err(Errno::EINVAL),
        }
    }

    fn read_at(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let cache = self.file()?.cache();
        match cache.read_at(offset, into) {
            Err(Errno::ENOMEM) => {
                self.fs.make_room();
                cache.read_at(offset, into)
            }
            result => result,
        }
    }

    fn write_at(&self, at: Position, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        let pages = self.file()?;
        let written = match pages.cache().write_at(at, from) {
            Err(Errno::ENOSPC | Errno::ENOMEM) => {
                self.fs.make_room();
                pages.cache().write_at(at, from)?
            }
            result => result?,
        };
        pages.touch();
        self.note_stale();
        Ok(written)
    }

    fn pages_to_map(&self) -> Result<Arc<PageCache>, Errno> {
        match &self.body {
            Body::File(pages) => Ok(pages.cache().clone()),
            _ => Err(Errno::ENODEV),
        }
    }

    fn note_mapped_write(&self) {
        if let Body::File(pages) = &self.body {
            pages.touch();
        }
    }

    fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.fs.check_writable()?;
        let pages = self.file()?;
        match pages.set_size(size) {
            Err(Errno::ENOSPC | Errno::ENOMEM) => {
                self.fs.make_room();
                pages.set_size(size)?;
            }
            result => result?,
        }
        self.note_stale();
        Ok(())
    }

    fn set_permissions(&self, permissions: u32) -> Result<(), Errno> {
        self.update(Changes {
            permissions: Some(permissions & 0o7777),
            ..Changes::default()
        })
    }

    fn set_times(&self, accessed: Option<u64>, modified: Option<u64>) -> Result<(), Errno> {
        self.update(Changes {
            accessed,
            modified,
            ..Changes::default()
        })
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
        self.update(Changes {
            user,
            group,
            ..Changes::default()
        })
    }

    fn allocate(&self, offset: u64, length: u64, extends: bool) -> Result<(), Errno> {
        self.fs.check_writable()?;
        let pages = self.file()?;
        match pages.allocate(offset, length, extends) {
            Err(Errno::ENOSPC | Errno::ENOMEM) => {
                self.fs.make_room();
                pages.allocate(offset, length, extends)?;
            }
            result => result?,
        }
        self.note_stale();
        Ok(())
    }

    fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        match &self.body {
            Body::File(pages) => pages.seek(offset, sought),
            _ => Err(Errno::ENXIO),
        }
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(self.fs.statistics())
    }

    /// All attributes go with the data: the commit that the data need covers
    /// them anyway.
    fn error_mark(&self) -> Option<ErrorMark> {
        match &self.body {
            Body::File(pages) => Some(pages.cache().error_mark()),
            _ => None,
        }
    }

    fn sync(&self, _data_only: bool, told: Option<&ErrorMark>) -> Result<(), Errno> {
        match &self.body {
            Body::File(pages) => pages.write_back(told)?,
            Body::Directory(_) => {}
            _ => return Err(Errno::EINVAL),
        }
        self.fs.commit()
    }

    fn sync_file_system(&self) -> Result<(), Errno> {
        self.fs.sync()
    }
}

/// The node behind `inode`: EXDEV if it is of another file system.
fn of_this_kind(inode: Arc<dyn Inode>) -> Result<Arc<Node>, Errno> {
    let any: Arc<dyn core::any::Any + Send + Sync> = inode;
    any.downcast::<Node>().map_err(|_| Errno::EXDEV)
}
