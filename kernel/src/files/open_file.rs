//! The open file description: what descriptors refer to.
//!
//! [`File`] is what `open` makes and `dup`, `fork` and `clone` share: access
//! mode, status flags, the inode, and what kind of thing it is ([`Operations`]:
//! a seekable file, an end of a pipe, a device). It is always used as
//! `Arc<File>`, whose last owner closes it. The flags are atomic; each kind
//! has its own locks.

use abi::inotify::{IN_ACCESS, IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, IN_MODIFY};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use abi::Errno;
use abi::file::{O_ACCMODE, O_APPEND, O_DSYNC, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_SYNC, O_WRONLY};
use abi::file::{POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM};
use sync::{SpinLock, rank};

use super::allocate::try_arc;
use super::buffer::{Sink, Source};
use super::epoll::Entry;
use super::inode::{Inode, Position, Sought};
use super::inotify::{Named, Place, notify};
use super::locks::{self, Owner};
use super::watch::Watchers;

/// What `fcntl(F_SETFL)` changes.
const CHANGEABLE: u32 = (O_APPEND | O_NONBLOCK) as u32;

/// Where a seek counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    Start,
    Current,
    End,
    /// The first of these from an offset on.
    Next(Sought),
}

/// Lists a directory from a position on; where the next listing goes on.
pub type Fill<'f> = dyn FnMut(&dyn Inode, u64) -> Result<u64, Errno> + 'f;

/// What every open file has, whatever its kind.
pub struct Description {
    inode: Arc<dyn Inode>,
    flags: AtomicU32,
    /// By which name it was opened, for those who watch its directory.
    place: Option<Arc<Place>>,
    /// Whether it may have locks on the file, which go with it.
    locks: AtomicBool,
    /// The epolls that watch it: they forget it when it closes.
    watched: SpinLock<Vec<Weak<Entry>>, rank::OpenFile>,
}

impl Description {
    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.inode
    }

    pub fn place(&self) -> Option<&Arc<Place>> {
        self.place.as_ref()
    }

    /// Access mode and status flags, as `fcntl(F_GETFL)` gives them.
    pub fn flags(&self) -> u32 {
        self.flags.load(Ordering::Relaxed)
    }

    pub fn set_flags(&self, flags: u32) {
        let update = |old| Some(old & !CHANGEABLE | flags & CHANGEABLE);
        // The closure never refuses, so this cannot fail.
        let _ = self
            .flags
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
    }

    pub fn readable(&self) -> bool {
        self.flags() & O_ACCMODE as u32 != O_WRONLY as u32
    }

    pub fn writable(&self) -> bool {
        self.flags() & O_ACCMODE as u32 != O_RDONLY as u32
    }

    pub fn nonblocking(&self) -> bool {
        self.flags() & O_NONBLOCK as u32 != 0
    }

    /// It is to have a lock on the file.
    pub fn note_lock(&self) {
        self.locks.store(true, Ordering::Relaxed);
    }

    /// Where a plain write goes: the end if appending, else `offset`.
    pub fn position(&self, offset: u64) -> Position {
        match self.flags() & O_APPEND as u32 {
            0 => Position::At(offset),
            _ => Position::End,
        }
    }
}

/// What a kind of open file does. [`File`] has checked the access mode.
pub trait Operations: Any + Send + Sync {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno>;

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno>;

    /// Reads at an offset of its own: ESPIPE where there is no such thing.
    fn read_at(
        &self,
        _open: &Description,
        _offset: u64,
        _into: &mut Sink<'_>,
    ) -> Result<usize, Errno> {
        Err(Errno::ESPIPE)
    }

    fn write_at(
        &self,
        _open: &Description,
        _offset: u64,
        _from: &mut Source<'_>,
    ) -> Result<usize, Errno> {
        Err(Errno::ESPIPE)
    }

    /// Moves the offset; the new one.
    fn seek(&self, _open: &Description, _by: i64, _whence: Whence) -> Result<u64, Errno> {
        Err(Errno::ESPIPE)
    }

    /// Makes durable what was written (fsync(2), fdatasync(2)): EIO; EINVAL
    /// where there is nothing to sync.
    fn sync(&self, _open: &Description, _data_only: bool) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// Calls `fill` with the directory and the offset, which becomes what
    /// `fill` returns.
    fn list(&self, _open: &Description, _fill: &mut Fill<'_>) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Which of poll(2)'s conditions hold now. A kind that can wait has
    /// [`Operations::watchers`] and tells them when that changes.
    fn ready(&self, open: &Description) -> i16;

    /// Those to tell. None where the answer is always the same.
    fn watchers(&self) -> Option<&Watchers> {
        None
    }

    /// The running process has closed one of its descriptors of the file.
    fn descriptor_closed(&self) {}

    fn ioctl(
        &self,
        _open: &Description,
        _request: usize,
        _argument: usize,
    ) -> Result<usize, Errno> {
        Err(Errno::ENOTTY)
    }
}

/// An open file. See the module.
pub struct File<O: Operations + ?Sized = dyn Operations> {
    open: Description,
    operations: O,
}

impl File {
    /// A new open file on `inode`; `flags` as `open` takes them, reduced to
    /// what `fcntl(F_GETFL)` shows.
    pub fn new<O: Operations + 'static>(
        inode: Arc<dyn Inode>,
        flags: u32,
        operations: O,
    ) -> Result<Arc<File>, Errno> {
        let file: Arc<File<O>> = try_arc(File {
            open: Description {
                inode,
                flags: AtomicU32::new(flags & !(O_NOCTTY as u32)),
                place: None,
                locks: AtomicBool::new(false),
                watched: SpinLock::new(Vec::new()),
            },
            operations,
        })?;
        Ok(file)
    }

    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.open.inode
    }

    /// What it is open on.
    pub fn named(&self) -> Named {
        Named::new(self.inode().clone(), self.open.place.clone())
    }

    /// It was opened by this name.
    pub fn set_place(&mut self, place: Arc<Place>) {
        self.open.place = Some(place);
    }

    /// Flags and access mode.
    pub fn description(&self) -> &Description {
        &self.open
    }

    /// EBADF if not open for reading.
    #[inline]
    pub fn read(&self, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.may_read()?;
        let count = self.operations.read(&self.open, into)?;
        self.note(count, IN_ACCESS);
        transferred(count, into.faulted())
    }

    /// EBADF if not open for writing.
    #[inline]
    pub fn write(&self, from: &mut Source<'_>) -> Result<usize, Errno> {
        self.may_write()?;
        let count = self.operations.write(&self.open, from)?;
        self.note(count, IN_MODIFY);
        self.sync_written(count)?;
        transferred(count, from.faulted())
    }

    pub fn read_at(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.may_read()?;
        let count = self.operations.read_at(&self.open, offset, into)?;
        self.note(count, IN_ACCESS);
        transferred(count, into.faulted())
    }

    pub fn write_at(&self, offset: u64, from: &mut Source<'_>) -> Result<usize, Errno> {
        self.may_write()?;
        let count = self.operations.write_at(&self.open, offset, from)?;
        self.note(count, IN_MODIFY);
        self.sync_written(count)?;
        transferred(count, from.faulted())
    }

    /// Writes to the end of a regular file, wherever its own place is; how much, and
    /// where that ended.
    pub fn append(&self, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        self.may_write()?;
        let (count, end) = self.inode().write_at(Position::End, from)?;
        self.note(count, IN_MODIFY);
        self.sync_written(count)?;
        Ok((transferred(count, from.faulted())?, end))
    }

    /// Tells those who watch it of a transfer.
    #[inline]
    fn note(&self, count: usize, what: u32) {
        if count > 0 {
            notify::done(&self.open, what);
        }
    }

    pub fn seek(&self, by: i64, whence: Whence) -> Result<u64, Errno> {
        self.operations.seek(&self.open, by, whence)
    }

    /// See [`Operations::sync`].
    pub fn sync(&self, data_only: bool) -> Result<(), Errno> {
        self.operations.sync(&self.open, data_only)
    }

    /// A write is over once it is durable, if the file was opened so.
    #[inline]
    fn sync_written(&self, count: usize) -> Result<(), Errno> {
        let flags = self.open.flags();
        if count == 0 || flags & O_DSYNC as u32 == 0 {
            return Ok(());
        }
        self.sync_write(flags & O_SYNC as u32 != O_SYNC as u32)
    }

    /// Makes a write durable, where there is such a thing.
    pub fn sync_write(&self, data_only: bool) -> Result<(), Errno> {
        match self.sync(data_only) {
            // A pipe or a terminal has nothing to sync.
            Err(Errno::EINVAL) => Ok(()),
            result => result,
        }
    }

    /// See [`Operations::list`].
    pub fn list(&self, fill: &mut Fill<'_>) -> Result<(), Errno> {
        self.operations.list(&self.open, fill)?;
        notify::done(&self.open, IN_ACCESS);
        Ok(())
    }

    /// Which of poll(2)'s conditions hold now.
    pub fn ready(&self) -> i16 {
        self.operations.ready(&self.open)
    }

    /// The same by all names: what is not urgent has two.
    pub fn conditions(&self) -> i16 {
        let ready = self.ready();
        let second = |what, name| if ready & what != 0 { name } else { 0 };
        ready | second(POLLIN, POLLRDNORM) | second(POLLOUT, POLLWRNORM)
    }

    /// What it does, if that is an `O`.
    pub fn kind_of<O: Operations>(&self) -> Option<&O> {
        let any: &dyn Any = &self.operations;
        any.downcast_ref()
    }

    /// Whether it can become ready.
    pub fn can_wait(&self) -> bool {
        self.operations.watchers().is_some()
    }

    /// Has `entry` told of what becomes ready, which it must look at afterwards:
    /// EPERM where nothing does, ENOMEM.
    pub fn attach(&self, entry: &Arc<Entry>) -> Result<(), Errno> {
        let watchers = self.operations.watchers().ok_or(Errno::EPERM)?;
        let mut watched = self.open.watched.lock();
        watched.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        watched.push(Arc::downgrade(entry));
        drop(watched);
        let weak = Arc::downgrade(entry);
        watchers.add(weak).inspect_err(|_| self.detach(entry))
    }

    /// Takes back what [`File::attach`] did.
    pub fn detach(&self, entry: &Arc<Entry>) {
        let entry = Arc::downgrade(entry);
        if let Some(watchers) = self.operations.watchers() {
            watchers.remove(&entry);
        }
        let mut watched = self.open.watched.lock();
        watched.retain(|other| !other.ptr_eq(&entry));
    }

    /// See [`Operations::descriptor_closed`].
    pub fn descriptor_closed(&self) {
        self.operations.descriptor_closed();
    }

    pub fn ioctl(&self, request: usize, argument: usize) -> Result<usize, Errno> {
        self.operations.ioctl(&self.open, request, argument)
    }

    fn may_read(&self) -> Result<(), Errno> {
        match self.open.readable() {
            true => Ok(()),
            false => Err(Errno::EBADF),
        }
    }

    fn may_write(&self) -> Result<(), Errno> {
        match self.open.writable() {
            true => Ok(()),
            false => Err(Errno::EBADF),
        }
    }
}

impl<O: Operations + ?Sized> Drop for File<O> {
    fn drop(&mut self) {
        let closed = match self.open.writable() {
            true => IN_CLOSE_WRITE,
            false => IN_CLOSE_NOWRITE,
        };
        notify::done(&self.open, closed);
        if *self.open.locks.get_mut() {
            locks::release(Owner::open(&self.open), Some(&self.open.inode));
        }
        for entry in core::mem::take(self.open.watched.get_mut()) {
            if let Some(watchers) = self.operations.watchers() {
                watchers.remove(&entry);
            }
            if let Some(entry) = entry.upgrade() {
                entry.file_closed();
            }
        }
    }
}

/// The result of a transfer: a bad address counts only if nothing was moved.
fn transferred(count: usize, faulted: bool) -> Result<usize, Errno> {
    match (count, faulted) {
        (0, true) => Err(Errno::EFAULT),
        _ => Ok(count),
    }
}
