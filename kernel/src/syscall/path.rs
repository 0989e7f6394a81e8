//! Calls on names. The rules are in [`crate::files::names`]; here the
//! arguments are taken in.

use abi::Errno;
use abi::file::*;
use alloc::sync::Arc;

use super::file::open_file;
use crate::credentials::access::EXECUTE;
use crate::credentials::{Capability, Credentials};
use crate::files::Sink;
use crate::files::context::Places;
use crate::files::inode::{Inode, Kind, New, Replace, device_number};
use crate::files::inotify::Named;
use crate::files::names::At;
use crate::files::path_buffer::PathBuffer;
use crate::files::walk::{Follow, path_of};
use crate::thread::Current;

pub(super) const CWD: usize = AT_FDCWD as usize;

/// A path as an argument, with the places it is about.
struct Argument<'p> {
    places: Places,
    /// The directory that a descriptor stands for.
    directory: Option<Arc<dyn Inode>>,
    path: &'p [u8],
    by: &'p Credentials,
}

impl<'p> Argument<'p> {
    /// `path` relative to `directory`: EBADF or ENOTDIR if it is relative.
    fn new(current: &'p Current, directory: usize, path: &'p [u8]) -> Result<Self, Errno> {
        let directory = match path.starts_with(b"/") || is_cwd(directory) {
            true => None,
            false => Some(directory_of(current, directory)?),
        };
        Ok(Argument {
            places: current.fs().places(),
            directory,
            path,
            by: current.credentials(),
        })
    }

    fn at(&self) -> At<'_> {
        At {
            root: &self.places.root,
            start: self.directory.as_ref().unwrap_or(&self.places.working),
            path: self.path,
            by: self.by,
        }
    }

    /// Permission bits for something new: those asked for without the umask's.
    fn masked(&self, mode: usize) -> u32 {
        mode as u32 & 0o7777 & !self.places.umask
    }
}

/// Descriptors are C's `int`.
pub(super) fn is_cwd(directory: usize) -> bool {
    directory as i32 == AT_FDCWD as i32
}

/// The directory behind a descriptor: EBADF, ENOTDIR.
fn directory_of(current: &Current, descriptor: usize) -> Result<Arc<dyn Inode>, Errno> {
    let file = open_file(current, descriptor)?;
    match file.inode().kind() {
        Kind::Directory => Ok(file.inode().clone()),
        _ => Err(Errno::ENOTDIR),
    }
}

/// What the path names.
fn existing(
    current: &Current,
    directory: usize,
    path: &[u8],
    follow: Follow,
) -> Result<Arc<dyn Inode>, Errno> {
    let argument = Argument::new(current, directory, path)?;
    argument.at().existing(follow)
}

/// As [`existing`] for `by`; an empty path means what `directory` itself is if
/// `empty_is_own` (AT_EMPTY_PATH), which may be any file.
pub(super) fn existing_or_own(
    current: &Current,
    directory: usize,
    path: &[u8],
    follow: Follow,
    empty_is_own: bool,
    by: &Credentials,
) -> Result<Named, Errno> {
    match path.is_empty() && empty_is_own {
        true if is_cwd(directory) => Ok(Named::new(current.fs().working(), None)),
        true => Ok(open_file(current, directory)?.named()),
        false => {
            let mut argument = Argument::new(current, directory, path)?;
            argument.by = by;
            argument.at().named(follow)
        }
    }
}

/// What the path at `address` names.
pub(super) fn existing_at(
    current: &Current,
    address: usize,
    follow: Follow,
) -> Result<Arc<dyn Inode>, Errno> {
    existing(current, CWD, PathBuffer::new().read(address)?, follow)
}

pub fn open(current: &Current, path: usize, flags: usize, mode: usize) -> Result<usize, Errno> {
    openat(current, CWD, path, flags, mode)
}

pub fn creat(current: &Current, path: usize, mode: usize) -> Result<usize, Errno> {
    openat(current, CWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode)
}

pub fn openat(
    current: &Current,
    directory: usize,
    path: usize,
    flags: usize,
    mode: usize,
) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    let mut path_buffer = PathBuffer::new();
    let path = Argument::new(current, directory, path_buffer.read(path)?)?;
    // Reserved first: without a descriptor left, no file is made or cut off.
    let descriptor = current.files().reserve(flags & O_CLOEXEC != 0)?;
    let file = path.at().open(flags, path.masked(mode))?;
    Ok(descriptor.fill(file))
}

pub fn mkdir(current: &Current, path: usize, mode: usize) -> Result<usize, Errno> {
    mkdirat(current, CWD, path, mode)
}

pub fn mkdirat(
    current: &Current,
    directory: usize,
    path: usize,
    mode: usize,
) -> Result<usize, Errno> {
    let mut path_buffer = PathBuffer::new();
    let path = Argument::new(current, directory, path_buffer.read(path)?)?;
    path.at()
        .create(New::Directory, path.masked(mode & 0o1777))?;
    Ok(0)
}

pub fn mknod(current: &Current, path: usize, mode: usize, device: usize) -> Result<usize, Errno> {
    mknodat(current, CWD, path, mode, device)
}

pub fn mknodat(
    current: &Current,
    directory: usize,
    path: usize,
    mode: usize,
    device: usize,
) -> Result<usize, Errno> {
    let device = device as u32;
    let (major, minor) = (
        (device >> 8) & 0xfff,
        device & 0xff | (device >> 12) & 0xf_ff00,
    );
    let new = match mode as u32 & S_IFMT {
        0 | S_IFREG => New::Regular,
        S_IFCHR => New::Character(device_number(major, minor)),
        S_IFBLK => New::Block(device_number(major, minor)),
        S_IFIFO => New::Fifo,
        S_IFSOCK => New::Socket,
        S_IFDIR => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    let mut path_buffer = PathBuffer::new();
    let path = Argument::new(current, directory, path_buffer.read(path)?)?;
    path.at().create(new, path.masked(mode))?;
    Ok(0)
}

pub fn symlink(current: &Current, target: usize, path: usize) -> Result<usize, Errno> {
    symlinkat(current, target, CWD, path)
}

pub fn symlinkat(
    current: &Current,
    target: usize,
    directory: usize,
    path: usize,
) -> Result<usize, Errno> {
    let mut target_buffer = PathBuffer::new();
    let target = target_buffer.read(target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    let mut path_buffer = PathBuffer::new();
    let path = Argument::new(current, directory, path_buffer.read(path)?)?;
    path.at().create(New::SymbolicLink(target), 0o777)?;
    Ok(0)
}

pub fn readlink(
    current: &Current,
    path: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    readlinkat(current, CWD, path, buffer, length)
}

pub fn readlinkat(
    current: &Current,
    directory: usize,
    path: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    let room = usize::try_from(length as i32).map_err(|_| Errno::EINVAL)?;
    if room == 0 {
        return Err(Errno::EINVAL);
    }
    let mut path_buffer = PathBuffer::new();
    let path = path_buffer.read(path)?;
    let inode = existing(current, directory, path, Follow::IfSlash)?;
    let target = inode.read_link()?;
    let mut sink = Sink::user(buffer, room);
    match sink.put(&target) {
        _ if sink.faulted() => Err(Errno::EFAULT),
        count => Ok(count),
    }
}

pub fn link(current: &Current, old: usize, new: usize) -> Result<usize, Errno> {
    linkat(current, CWD, old, CWD, new, 0)
}

pub fn linkat(
    current: &Current,
    old_directory: usize,
    old: usize,
    new_directory: usize,
    new: usize,
    flags: usize,
) -> Result<usize, Errno> {
    // An int, as all flags of calls on names.
    let flags = flags as u32 as usize;
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let follow = match flags & AT_SYMLINK_FOLLOW {
        0 => Follow::Never,
        _ => Follow::Always,
    };
    let mut buffers = [PathBuffer::new(), PathBuffer::new()];
    let [old_buffer, new_buffer] = &mut buffers;
    let empty_is_own = flags & AT_EMPTY_PATH != 0;
    let old = old_buffer.read(old)?;
    let by = current.credentials();
    if empty_is_own && old.is_empty() && !by.may(Capability::ReadSearch) {
        return Err(Errno::ENOENT);
    }
    let target = existing_or_own(current, old_directory, old, follow, empty_is_own, by)?;
    let new = Argument::new(current, new_directory, new_buffer.read(new)?)?;
    new.at().link(target.clone())?;
    Ok(0)
}

pub fn unlink(current: &Current, path: usize) -> Result<usize, Errno> {
    unlinkat(current, CWD, path, 0)
}

pub fn rmdir(current: &Current, path: usize) -> Result<usize, Errno> {
    unlinkat(current, CWD, path, AT_REMOVEDIR)
}

pub fn unlinkat(
    current: &Current,
    directory: usize,
    path: usize,
    flags: usize,
) -> Result<usize, Errno> {
    if flags & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL);
    }
    let mut path_buffer = PathBuffer::new();
    let path = Argument::new(current, directory, path_buffer.read(path)?)?;
    match flags & AT_REMOVEDIR {
        0 => path.at().unlink()?,
        _ => path.at().remove_directory()?,
    }
    Ok(0)
}

pub fn rename(current: &Current, old: usize, new: usize) -> Result<usize, Errno> {
    renameat2(current, CWD, old, CWD, new, 0)
}

pub fn renameat2(
    current: &Current,
    old_directory: usize,
    old: usize,
    new_directory: usize,
    new: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let replace = match flags as u32 as usize {
        0 => Replace::Yes,
        RENAME_NOREPLACE => Replace::No,
        RENAME_EXCHANGE => Replace::Exchange,
        _ => return Err(Errno::EINVAL),
    };
    let mut buffers = [PathBuffer::new(), PathBuffer::new()];
    let [old_buffer, new_buffer] = &mut buffers;
    let old = Argument::new(current, old_directory, old_buffer.read(old)?)?;
    let new = Argument::new(current, new_directory, new_buffer.read(new)?)?;
    old.at().rename_to(new.at(), replace)?;
    Ok(0)
}

pub fn chdir(current: &Current, path: usize) -> Result<usize, Errno> {
    let inode = existing_at(current, path, Follow::Always)?;
    if inode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    enter(current, inode)
}

pub fn fchdir(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    enter(current, directory_of(current, descriptor)?)
}

/// Makes `directory`, which must let itself be searched, the working directory.
fn enter(current: &Current, directory: Arc<dyn Inode>) -> Result<usize, Errno> {
    directory.check_access(current.credentials(), EXECUTE)?;
    current.fs().set_working(directory);
    Ok(0)
}

pub fn getcwd(current: &Current, buffer: usize, length: usize) -> Result<usize, Errno> {
    let places = current.fs().places();
    let mut path = path_of(&places.root, &places.working)?;
    path.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    path.push(0);
    if path.len() > length {
        return Err(Errno::ERANGE);
    }
    let mut sink = Sink::user(buffer, length);
    match sink.put(&path) {
        _ if sink.faulted() => Err(Errno::EFAULT),
        count => Ok(count),
    }
}

pub fn umask(current: &Current, mask: usize) -> Result<usize, Errno> {
    Ok(current.fs().set_umask(mask as u32) as usize)
}
