//! The inodes of ramfs: attributes, and what each kind holds.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use abi::Errno;
use sync::SpinLock;

use super::RamFs;
use super::content::Content;
use super::directory::{Directory, Place};
use super::room::Room;
use crate::files::allocate::{try_bytes, try_vec};
use crate::files::buffer::{Sink, Source};
use crate::files::cache::{ErrorMark, PageCache};
use crate::files::clock;
use crate::files::inode::{
    Inode, Kind, Listed, Maker, Metadata, New, Owner, Position, Replace, Sought, Statistics,
};
use crate::files::inotify::notify;
use crate::files::node_file::NodeFile;
use crate::files::open_file::File;
use crate::files::pipe::{FifoPipe, open_fifo};

/// What a node is.
pub(super) enum Body {
    File(Content),
    Directory(Directory),
    Link(Box<[u8]>),
    /// A device, with its number, or a socket.
    Special(Kind, u64),
    Fifo(FifoPipe),
}

/// Nanoseconds since 1970. Each is on its own: nobody needs them to agree.
struct Times {
    accessed: AtomicU64,
    modified: AtomicU64,
    changed: AtomicU64,
}

/// One inode.
pub struct Node {
    pub(super) fs: Arc<RamFs>,
    number: u64,
    permissions: AtomicU32,
    user: AtomicU32,
    group: AtomicU32,
    /// Names; for a directory also its `.` and its children's `..`.
    links: AtomicU32,
    times: Times,
    /// Of a directory; a file's content has its own.
    room: Room,
    pub(super) body: Body,
}

impl Node {
    /// ENOSPC if there may be no more inodes.
    fn new(fs: Arc<RamFs>, maker: Maker, links: u32, body: Body) -> Result<Node, Errno> {
        let now = clock::now();
        let number = fs.numbers.lock().take()?;
        Ok(Node {
            number,
            fs,
            permissions: AtomicU32::new(maker.permissions & 0o7777),
            user: AtomicU32::new(maker.owner.user),
            group: AtomicU32::new(maker.owner.group),
            links: AtomicU32::new(links),
            times: Times {
                accessed: AtomicU64::new(now),
                modified: AtomicU64::new(now),
                changed: AtomicU64::new(now),
            },
            room: Room::new(),
            body,
        })
    }

    /// ENOSPC.
    pub(super) fn directory(
        fs: Arc<RamFs>,
        maker: Maker,
        place: Option<Place>,
    ) -> Result<Node, Errno> {
        let body = Body::Directory(Directory::new(place, fs.next_seed()));
        Node::new(fs, maker, 2, body)
    }

    /// A regular file with what the initial image has for it.
    /// ENOMEM, ENOSPC.
    pub(super) fn file(fs: Arc<RamFs>, maker: Maker, image: &'static [u8]) -> Result<Node, Errno> {
        let content = Content::new(image)?;
        Node::new(fs, maker, 1, Body::File(content))
    }

    /// Something else that is to become `name` in `parent`.
    pub(super) fn child(
        parent: &Arc<Node>,
        name: &[u8],
        new: New<'_>,
        maker: Maker,
    ) -> Result<Node, Errno> {
        let fs = parent.fs.clone();
        let body = match new {
            New::Regular => return Node::file(fs, maker, &[]),
            New::Directory => {
                let place = Place {
                    parent: parent.clone(),
                    name: try_bytes(name)?,
                };
                let directory = Node::directory(fs, maker, Some(place))?;
                directory.room.take(1)?;
                return Ok(directory);
            }
            New::SymbolicLink(target) => Body::Link(try_bytes(target)?),
            New::Character(number) => Body::Special(Kind::Character, number),
            New::Block(number) => Body::Special(Kind::Block, number),
            New::Socket => Body::Special(Kind::Socket, 0),
            New::Fifo => Body::Fifo(SpinLock::new(Weak::new())),
        };
        Node::new(fs, maker, 1, body)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn as_directory(&self) -> Result<&Directory, Errno> {
        match &self.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.body, Body::Directory(_))
    }

    /// Counts one more name, unless the last one is gone: ENOENT.
    pub(super) fn add_link(&self) -> Result<(), Errno> {
        let more = |links| match links {
            0 => None,
            _ => Some(links + 1),
        };
        self.links
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map_err(|_| Errno::ENOENT)?;
        self.touch_change();
        Ok(())
    }

    pub(super) fn drop_links(&self, count: u32) {
        self.links.fetch_sub(count, Ordering::AcqRel);
        self.touch_change();
    }

    /// Content or entries changed.
    pub(super) fn touch(&self) {
        let now = clock::now();
        self.times.modified.store(now, Ordering::Relaxed);
        self.times.changed.store(now, Ordering::Relaxed);
    }

    pub(super) fn touch_change(&self) {
        self.times.changed.store(clock::now(), Ordering::Relaxed);
    }

    /// Notes a read, if it is the first since a change (as "relatime" does).
    fn touch_access(&self) {
        let modified = self.times.modified.load(Ordering::Relaxed);
        if self.times.accessed.load(Ordering::Relaxed) <= modified {
            self.times.accessed.store(clock::now(), Ordering::Relaxed);
        }
    }

    pub(super) fn set_modified(&self, time: u64) {
        self.times.modified.store(time, Ordering::Relaxed);
    }

    fn content(&self) -> Result<&Content, Errno> {
        match &self.body {
            Body::File(content) => Ok(content),
            Body::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        notify::gone(self);
        self.fs.numbers.lock().give_back(self.number);
    }
}

impl Inode for Node {
    fn kind(&self) -> Kind {
        match self.body {
            Body::File(_) => Kind::Regular,
            Body::Directory(_) => Kind::Directory,
            Body::Link(_) => Kind::SymbolicLink,
            Body::Special(kind, _) => kind,
            Body::Fifo(_) => Kind::Fifo,
        }
    }

    fn metadata(&self) -> Metadata {
        let (size, allocated, special) = match &self.body {
            Body::File(content) => (content.size(), content.allocated(), 0),
            Body::Link(target) => (target.len() as u64, 0, 0),
            Body::Special(_, number) => (0, 0, *number),
            Body::Directory(_) | Body::Fifo(_) => (0, 0, 0),
        };
        Metadata {
            device: self.fs.device,
            number: self.number,
            kind: self.kind(),
            permissions: self.permissions.load(Ordering::Relaxed),
            owner: Owner {
                user: self.user.load(Ordering::Relaxed),
                group: self.group.load(Ordering::Relaxed),
            },
            links: self.links.load(Ordering::Relaxed),
            special,
            size,
            allocated,
            accessed: self.times.accessed.load(Ordering::Relaxed),
            modified: self.times.modified.load(Ordering::Relaxed),
            changed: self.times.changed.load(Ordering::Relaxed),
        }
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        match &self.body {
            Body::File(_) | Body::Directory(_) => NodeFile::open(self, flags),
            Body::Link(_) => Err(Errno::ELOOP),
            Body::Special(Kind::Character | Kind::Block, number) => {
                crate::device::open(*number, self.clone(), flags)
            }
            Body::Special(..) => Err(Errno::ENXIO),
            Body::Fifo(fifo) => open_fifo(self.clone(), fifo, flags),
        }
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.as_directory()?.get(name)?)
    }

    fn parent(&self) -> Option<Arc<dyn Inode>> {
        Some(self.as_directory().ok()?.parent()?)
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        self.as_directory()?.name()
    }

    fn keep_names(&self, act: &mut dyn FnMut()) {
        let _tree = self.fs.tree.read();
        act();
    }

    fn create(
        self: Arc<Self>,
        name: &[u8],
        new: New<'_>,
        maker: Maker,
    ) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.create_node(name, new, maker)?)
    }

    fn link(&self, name: &[u8], target: Arc<dyn Inode>) -> Result<(), Errno> {
        self.link_node(name, of_this_kind(target)?)
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        self.unlink_node(name)
    }

    fn remove_directory(&self, name: &[u8]) -> Result<(), Errno> {
        self.remove_directory_node(name)
    }

    fn rename(
        self: Arc<Self>,
        name: &[u8],
        to: Arc<dyn Inode>,
        new_name: &[u8],
        replace: Replace,
    ) -> Result<(), Errno> {
        self.rename_node(name, of_this_kind(to)?, new_name, replace)
    }

    fn list(&self, from: u64, emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        self.list_node(from, emit)?;
        self.touch_access();
        Ok(())
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        let Body::Link(target) = &self.body else {
            return Err(Errno::EINVAL);
        };
        let mut copy = try_vec(target.len())?;
        copy.extend_from_slice(target);
        Ok(copy)
    }

    fn read_at(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let count = self.content()?.read(offset, into)?;
        self.touch_access();
        Ok(count)
    }

    fn write_at(&self, at: Position, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        let (count, end) = self.content()?.write(at, from)?;
        if count > 0 {
            self.touch();
        }
        Ok((count, end))
    }

    fn pages_to_map(&self) -> Result<Arc<PageCache>, Errno> {
        match &self.body {
            Body::File(content) => Ok(content.cache().clone()),
            _ => Err(Errno::ENODEV),
        }
    }

    fn note_mapped_write(&self) {
        self.touch();
    }

    fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.content()?.set_size(size)?;
        self.touch();
        Ok(())
    }

    fn set_permissions(&self, permissions: u32) -> Result<(), Errno> {
        self.permissions
            .store(permissions & 0o7777, Ordering::Relaxed);
        self.touch_change();
        Ok(())
    }

    fn set_times(&self, accessed: Option<u64>, modified: Option<u64>) -> Result<(), Errno> {
        if let Some(time) = accessed {
            self.times.accessed.store(time, Ordering::Relaxed);
        }
        if let Some(time) = modified {
            self.times.modified.store(time, Ordering::Relaxed);
        }
        self.touch_change();
        Ok(())
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
        if let Some(user) = user {
            self.user.store(user, Ordering::Relaxed);
        }
        if let Some(group) = group {
            self.group.store(group, Ordering::Relaxed);
        }
        self.touch_change();
        Ok(())
    }

    fn allocate(&self, offset: u64, length: u64, extends: bool) -> Result<(), Errno> {
        self.content()?.allocate(offset, length, extends)?;
        self.touch_change();
        Ok(())
    }

    fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        self.content()?.seek(offset, sought)
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(self.fs.statistics())
    }

    fn sync(&self, _data_only: bool, _told: Option<&ErrorMark>) -> Result<(), Errno> {
        // What is in memory is where it belongs.
        match self.body {
            Body::File(_) | Body::Directory(_) => Ok(()),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// The node behind `inode`: EXDEV if it is of another file system.
fn of_this_kind(inode: Arc<dyn Inode>) -> Result<Arc<Node>, Errno> {
    let any: Arc<dyn core::any::Any + Send + Sync> = inode;
    any.downcast::<Node>().map_err(|_| Errno::EXDEV)
}
