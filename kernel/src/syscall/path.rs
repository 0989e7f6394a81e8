//! Calls on names. The rules are in [`crate::files::names`]; here the
//! arguments are taken in.

use abi::Errno;
use abi::file::*;
use alloc::sync::Arc;

use super::descriptor::number;
use crate::files::Sink;
use crate::files::inode::{Inode, Kind, New, device_number};
use crate::files::names::At;
use crate::files::walk::{Follow, path_of};
use crate::memory::user;
use crate::thread::Current;

const CWD: usize = AT_FDCWD as usize;
const AT_NO_AUTOMOUNT: usize = 0x800;

/// The path at `address`, relative to `directory`.
fn at(current: &Current, directory: usize, address: usize) -> Result<At, Errno> {
    let path = user::read_string(address, PATH_MAX - 1)?;
    let start = match path.starts_with(b"/") {
        true => current.fs().root(),
        false => start(current, directory)?,
    };
    Ok(At {
        root: current.fs().root(),
        start,
        path,
    })
}

/// Where a relative path begins: EBADF, ENOTDIR.
fn start(current: &Current, directory: usize) -> Result<Arc<dyn Inode>, Errno> {
    if directory as i32 == CWD as i32 {
        return Ok(current.fs().working());
    }
    let file = current.files().get(number(directory))?;
    match file.inode().kind() {
        Kind::Directory => Ok(file.inode().clone()),
        _ => Err(Errno::ENOTDIR),
    }
}

/// Permission bits for something new: those asked for without the umask's.
fn masked(current: &Current, mode: usize) -> u32 {
    mode as u32 & 0o7777 & !current.fs().umask()
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
    let at = at(current, directory, path)?;
    // Reserved first: without a descriptor left, no file is made or cut off.
    let descriptor = current.files().reserve(flags & O_CLOEXEC != 0)?;
    let file = at.open(flags, masked(current, mode))?;
    Ok(descriptor.fill(file))
}

pub fn stat(current: &Current, path: usize, buffer: usize) -> Result<usize, Errno> {
    newfstatat(current, CWD, path, buffer, 0)
}

pub fn lstat(current: &Current, path: usize, buffer: usize) -> Result<usize, Errno> {
    newfstatat(current, CWD, path, buffer, AT_SYMLINK_NOFOLLOW)
}

pub fn newfstatat(
    current: &Current,
    directory: usize,
    path: usize,
    buffer: usize,
    flags: usize,
) -> Result<usize, Errno> {
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT) != 0 {
        return Err(Errno::EINVAL);
    }
    let follow = match flags & AT_SYMLINK_NOFOLLOW {
        0 => Follow::Always,
        _ => Follow::IfSlash,
    };
    let path = user::read_string(path, PATH_MAX - 1)?;
    let inode = if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
        match directory as i32 == CWD as i32 {
            true => current.fs().working(),
            false => current.files().get(number(directory))?.inode().clone(),
        }
    } else {
        let root = current.fs().root();
        let start = match path.starts_with(b"/") {
            true => root.clone(),
            false => start(current, directory)?,
        };
        At { root, start, path }.existing(follow)?
    };
    user::write_value(buffer, &inode.metadata().to_stat())?;
    Ok(0)
}

pub fn access(current: &Current, path: usize, mode: usize) -> Result<usize, Errno> {
    const EXECUTE: usize = 1;
    if mode & !7 != 0 {
        return Err(Errno::EINVAL);
    }
    let inode = at(current, CWD, path)?.existing(Follow::Always)?;
    // Everybody is root, who may do all but execute what nobody may.
    let executable = inode.kind() == Kind::Directory || inode.metadata().permissions & 0o111 != 0;
    match mode & EXECUTE != 0 && !executable {
        true => Err(Errno::EACCES),
        false => Ok(0),
    }
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
    let at = at(current, directory, path)?;
    at.create(New::Directory, masked(current, mode & 0o1777))?;
    Ok(0)
}

pub fn mknod(current: &Current, path: usize, mode: usize, device: usize) -> Result<usize, Errno> {
    let device = device as u32;
    let (major, minor) = (
        (device >> 8) & 0xfff,
        device & 0xff | (device >> 12) & 0xf_ff00,
    );
    let new = match mode as u32 & S_IFMT {
        0 | S_IFREG => New::Regular,
        S_IFCHR => New::Character(device_number(major, minor)),
        S_IFIFO => New::Fifo,
        S_IFDIR => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    at(current, CWD, path)?.create(new, masked(current, mode))?;
    Ok(0)
}

pub fn symlink(current: &Current, target: usize, path: usize) -> Result<usize, Errno> {
    let target = user::read_string(target, PATH_MAX - 1)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    at(current, CWD, path)?.create(New::SymbolicLink(&target), 0o777)?;
    Ok(0)
}

pub fn readlink(
    current: &Current,
    path: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    let room = usize::try_from(length as i32).map_err(|_| Errno::EINVAL)?;
    if room == 0 {
        return Err(Errno::EINVAL);
    }
    let inode = at(current, CWD, path)?.existing(Follow::Never)?;
    let target = inode.read_link()?;
    let mut sink = Sink::user(buffer, room);
    match sink.put(&target) {
        _ if sink.faulted() => Err(Errno::EFAULT),
        count => Ok(count),
    }
}

pub fn link(current: &Current, old: usize, new: usize) -> Result<usize, Errno> {
    let old = at(current, CWD, old)?;
    old.link_to(&at(current, CWD, new)?)?;
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
    let at = at(current, directory, path)?;
    match flags & AT_REMOVEDIR {
        0 => at.unlink()?,
        _ => at.remove_directory()?,
    }
    Ok(0)
}

pub fn rename(current: &Current, old: usize, new: usize) -> Result<usize, Errno> {
    let old = at(current, CWD, old)?;
    old.rename_to(&at(current, CWD, new)?)?;
    Ok(0)
}

pub fn chdir(current: &Current, path: usize) -> Result<usize, Errno> {
    let inode = at(current, CWD, path)?.existing(Follow::Always)?;
    if inode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    current.fs().set_working(inode);
    Ok(0)
}

pub fn getcwd(current: &Current, buffer: usize, length: usize) -> Result<usize, Errno> {
    let fs = current.fs();
    let mut path = path_of(&fs.root(), &fs.working())?;
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
