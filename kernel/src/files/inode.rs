//! What every file system and device puts behind a name: [`Inode`].
//!
//! An inode is shared (`Arc<dyn Inode>`) by the names that lead to it and the
//! open files on it, and lives as long as one of them. Methods that do not fit
//! a kind of inode answer with Linux's error for it. Each implementation has
//! its own locks; callers hold none.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use abi::Errno;
use abi::file::{DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG, DT_SOCK, DT_UNKNOWN};
use abi::file::{NAME_MAX, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK};
use abi::file::{Stat, StatFs};
use abi::memory::PAGE_SIZE;

use super::buffer::{Sink, Source};
use super::cache::{ErrorMark, PageCache};
use super::open_file::File;
use crate::credentials::Credentials;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Regular,
    Directory,
    SymbolicLink,
    Character,
    Block,
    Fifo,
    Socket,
    /// What has no type: see [`super::anonymous`].
    Anonymous,
}

impl Kind {
    /// The type bits of `stat`'s mode.
    pub fn mode(self) -> u32 {
        match self {
            Kind::Regular => S_IFREG,
            Kind::Directory => S_IFDIR,
            Kind::SymbolicLink => S_IFLNK,
            Kind::Character => S_IFCHR,
            Kind::Block => S_IFBLK,
            Kind::Fifo => S_IFIFO,
            Kind::Socket => S_IFSOCK,
            Kind::Anonymous => 0,
        }
    }

    /// The type byte of a directory entry.
    pub fn entry_type(self) -> u8 {
        match self {
            Kind::Regular => DT_REG,
            Kind::Directory => DT_DIR,
            Kind::SymbolicLink => DT_LNK,
            Kind::Character => DT_CHR,
            Kind::Block => DT_BLK,
            Kind::Fifo => DT_FIFO,
            Kind::Socket => DT_SOCK,
            Kind::Anonymous => DT_UNKNOWN,
        }
    }
}

/// To whom a file belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
}

impl Owner {
    pub const ROOT: Owner = Owner { user: 0, group: 0 };
}

/// Whose a new inode is, and its permissions.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    pub permissions: u32,
    pub owner: Owner,
}

impl Maker {
    /// The kernel itself.
    pub const fn root(permissions: u32) -> Maker {
        Maker {
            permissions,
            owner: Owner::ROOT,
        }
    }
}

/// What `stat` tells. Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Metadata {
    pub device: u64,
    pub number: u64,
    pub kind: Kind,
    /// Permission bits, without the type.
    pub permissions: u32,
    pub owner: Owner,
    pub links: u32,
    /// What a device inode stands for; see [`device_number`].
    pub special: u64,
    pub size: u64,
    /// Bytes of memory or disk it takes.
    pub allocated: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

impl Metadata {
    /// Of what holds no bytes of its own and belongs to nobody.
    pub fn without_content(
        device: u64,
        number: u64,
        kind: Kind,
        permissions: u32,
        made: u64,
    ) -> Metadata {
        Metadata {
            device,
            number,
            kind,
            permissions,
            owner: Owner::ROOT,
            links: 1,
            special: 0,
            size: 0,
            allocated: 0,
            accessed: made,
            modified: made,
            changed: made,
        }
    }

    /// In the layout of `stat`.
    pub fn to_stat(&self) -> Stat {
        const SECOND: u64 = 1_000_000_000;
        Stat {
            dev: self.device,
            ino: self.number,
            nlink: self.links.into(),
            mode: self.kind.mode() | self.permissions,
            uid: self.owner.user,
            gid: self.owner.group,
            rdev: self.special,
            size: self.size as i64,
            blksize: 4096,
            blocks: self.allocated.div_ceil(512) as i64,
            atime: (self.accessed / SECOND) as i64,
            atime_nsec: (self.accessed % SECOND) as i64,
            mtime: (self.modified / SECOND) as i64,
            mtime_nsec: (self.modified % SECOND) as i64,
            ctime: (self.changed / SECOND) as i64,
            ctime_nsec: (self.changed % SECOND) as i64,
            ..Stat::default()
        }
    }
}

/// What statfs(2) tells of a file system. Counts of blocks are in units of
/// `block_size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Linux's magic number of the type.
    pub magic: u32,
    pub block_size: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    /// What of the free blocks is not reserved for root.
    pub available_blocks: u64,
    pub inodes: u64,
    pub free_inodes: u64,
    /// Identifies the file system while it is mounted.
    pub id: u64,
    pub read_only: bool,
}

impl Statistics {
    /// Of what is no place to keep files.
    pub fn without_room(magic: u32, id: u64) -> Statistics {
        Statistics {
            magic,
            block_size: PAGE_SIZE as u64,
            blocks: 0,
            free_blocks: 0,
            available_blocks: 0,
            inodes: 0,
            free_inodes: 0,
            id,
            read_only: false,
        }
    }

    /// In the layout of `statfs`.
    pub fn to_statfs(&self) -> StatFs {
        /// The flags are valid; read-only (statfs(2), `ST_*`).
        const VALID: i64 = 0x20;
        const READ_ONLY: i64 = 1;
        StatFs {
            kind: self.magic.into(),
            block_size: self.block_size as i64,
            blocks: self.blocks,
            free_blocks: self.free_blocks,
            available_blocks: self.available_blocks,
            files: self.inodes,
            free_files: self.free_inodes,
            id: [self.id as i32, (self.id >> 32) as i32],
            name_length: NAME_MAX as i64,
            fragment_size: self.block_size as i64,
            flags: VALID | if self.read_only { READ_ONLY } else { 0 },
            spare: [0; 4],
        }
    }
}

/// A device's number from its major and minor part (makedev(3)).
pub const fn device_number(major: u32, minor: u32) -> u64 {
    let (major, minor) = (major as u64, minor as u64);
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32
}

/// What [`Inode::create`] makes.
#[derive(Clone, Copy, Debug)]
pub enum New<'a> {
    Regular,
    Directory,
    SymbolicLink(&'a [u8]),
    /// With the device's number.
    Character(u64),
    /// With the device's number.
    Block(u64),
    Fifo,
    Socket,
}

impl New<'_> {
    pub fn kind(&self) -> Kind {
        match self {
            New::Regular => Kind::Regular,
            New::Directory => Kind::Directory,
            New::SymbolicLink(_) => Kind::SymbolicLink,
            New::Character(_) => Kind::Character,
            New::Block(_) => Kind::Block,
            New::Fifo => Kind::Fifo,
            New::Socket => Kind::Socket,
        }
    }
}

/// What a rename does to what is there (renameat2(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// It goes.
    Yes,
    /// It stays, and the rename fails: EEXIST.
    No,
    /// It takes the other's name in one step: ENOENT if it is not there.
    Exchange,
}

/// What a seek looks for (lseek(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    Data,
    Hole,
}

/// One name of a directory, as a listing gives it.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    pub number: u64,
    pub kind: Kind,
    pub name: &'a [u8],
    /// Where a later listing goes on after this entry.
    pub next: u64,
}

/// Where a write goes.
#[derive(Clone, Copy, Debug)]
pub enum Position {
    At(u64),
    /// To the end, wherever that is by then.
    End,
}

/// See the module.
pub trait Inode: Any + Send + Sync {
    fn kind(&self) -> Kind;

    fn metadata(&self) -> Metadata;

    /// Whether `by` may do to it what is `wanted`, as [`crate::credentials::access`]
    /// has the bits: EACCES.
    fn check_access(&self, by: &Credentials, wanted: u32) -> Result<(), Errno> {
        by.check_access(&self.metadata(), wanted)
    }

    /// A new open file on this inode. May sleep (a FIFO waits for its peer).
    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno>;

    /// The entry `name` of this directory: ENOENT, ENOTDIR. `.` and `..` are the
    /// path walk's business.
    fn lookup(&self, _name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// The directory above this one; `None` at the root of its file system.
    fn parent(&self) -> Option<Arc<dyn Inode>> {
        None
    }

    /// Under which name [`Inode::parent`] knows this directory; ENOENT once removed.
    fn name(&self) -> Result<Box<[u8]>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Calls `act`, which looks at places and names only, while no directory of
    /// this file system is moved or removed.
    fn keep_names(&self, act: &mut dyn FnMut()) {
        act();
    }

    /// Makes `name` in this directory: EEXIST, ENOSPC; ENOENT if it is removed.
    fn create(
        self: Arc<Self>,
        _name: &[u8],
        _new: New<'_>,
        _maker: Maker,
    ) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Gives `target` one more name: EEXIST, EXDEV, EPERM for a directory.
    fn link(&self, _name: &[u8], _target: Arc<dyn Inode>) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Removes a name of something that is not a directory: ENOENT, EISDIR.
    fn unlink(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Removes an empty directory: ENOENT, ENOTDIR, ENOTEMPTY.
    fn remove_directory(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Moves `name` to `new_name` in `to` (rename(2)).
    fn rename(
        self: Arc<Self>,
        _name: &[u8],
        _to: Arc<dyn Inode>,
        _new_name: &[u8],
        _replace: Replace,
    ) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// Calls `emit` for each entry from position `from` on until it returns
    /// false; 0 is the beginning. Includes `.` and `..`.
    fn list(&self, _from: u64, _emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        Err(Errno::ENOTDIR)
    }

    /// The target of a symbolic link.
    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        Err(Errno::EINVAL)
    }

    /// Where a symbolic link leads if that is not for its text to say.
    fn jump(&self) -> Result<Option<Arc<dyn Inode>>, Errno> {
        Ok(None)
    }

    /// Reads from `offset`; 0 at and past the end.
    fn read_at(&self, _offset: u64, _into: &mut Sink<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    /// Writes; the number of bytes, and the offset behind them. Fewer than
    /// asked for if memory or the user's buffer ends.
    fn write_at(&self, _at: Position, _from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        Err(Errno::EINVAL)
    }

    /// The pages that a mapping shows: ENODEV where there are none.
    fn pages_to_map(&self) -> Result<Arc<PageCache>, Errno> {
        Err(Errno::ENODEV)
    }

    /// A page is going to be written through a mapping.
    fn note_mapped_write(&self) {}

    /// Cuts off or extends with zeros.
    fn set_size(&self, _size: u64) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// Sets the permission bits.
    fn set_permissions(&self, _permissions: u32) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Sets the times of last access and modification where given.
    fn set_times(&self, _accessed: Option<u64>, _modified: Option<u64>) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Sets owner and group where given.
    fn set_owner(&self, _user: Option<u32>, _group: Option<u32>) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    /// Makes sure that writes to `length` bytes at `offset` do not run out of
    /// space: ENOSPC, and then the size has not changed. The file grows if
    /// `extends`.
    fn allocate(&self, _offset: u64, _length: u64, _extends: bool) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// The first byte of data or of a hole from `offset` on: ENXIO at and past
    /// the end. The end counts as a hole, and what cannot tell has no other.
    fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        let size = self.metadata().size;
        match sought {
            _ if offset >= size => Err(Errno::ENXIO),
            Sought::Data => Ok(offset),
            Sought::Hole => Ok(size),
        }
    }

    /// What its file system says of itself.
    fn statistics(&self) -> Result<Statistics, Errno> {
        Err(Errno::ENOSYS)
    }

    /// Returns once what was written to this inode is on its medium: data and
    /// what is needed to read it if `data_only` (fdatasync(2)), else all
    /// attributes as well (fsync(2)). EIO, also for what failed earlier and the
    /// owner of `told` does not know of; EINVAL where there is nothing to sync.
    fn sync(&self, _data_only: bool, _told: Option<&ErrorMark>) -> Result<(), Errno> {
        Err(Errno::EINVAL)
    }

    /// Of which errors of write-back a file that is opened now counts as told.
    fn error_mark(&self) -> Option<ErrorMark> {
        None
    }

    /// Makes durable everything in its file system (syncfs(2)).
    fn sync_file_system(&self) -> Result<(), Errno> {
        Ok(())
    }
}
