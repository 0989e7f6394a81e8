//! Calls on the space that files take: sizes, holes, what a file system has
//! left, and what is safely on the medium.

use abi::Errno;
use abi::file::*;
use abi::inotify::IN_MODIFY;

use super::attributes::{drop_setid, named};
use super::file::{open_file, open_to_write};
use super::path::{CWD, existing_at};
use crate::credentials::access::WRITE;
use crate::files::inode::{Inode, Kind, Owner};
use crate::files::inotify::notify;
use crate::files::walk::Follow;
use crate::files::{self, File, cache, ramfs};
use crate::memory::user;
use crate::thread::Current;

/// Offsets and sizes are signed: EINVAL if negative.
pub(super) fn offset(argument: usize) -> Result<u64, Errno> {
    match i64::try_from(argument) {
        Ok(_) => Ok(argument as u64),
        Err(_) => Err(Errno::EINVAL),
    }
}

/// A file that is to have `size` bytes must not get larger than the process may make
/// any: EFBIG, with a signal.
fn check_growth(inode: &dyn Inode, size: u64) -> Result<(), Errno> {
    match size > inode.metadata().size {
        true => cache::allowed(size - 1).map(drop),
        false => Ok(()),
    }
}

pub fn truncate(current: &Current, path: usize, size: usize) -> Result<usize, Errno> {
    let size = offset(size)?;
    let inode = named(current, CWD, path, 0, 0)?;
    match inode.kind() {
        Kind::Regular => {
            inode.check_access(current.credentials(), WRITE)?;
            let _access = inode.pages_to_map()?.access_to_write()?;
            drop_setid(current, &**inode)?;
            check_growth(&**inode, size)?;
            inode.set_size(size)?;
            inode.changed(IN_MODIFY);
        }
        Kind::Directory => return Err(Errno::EISDIR),
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

pub fn ftruncate(current: &Current, descriptor: usize, size: usize) -> Result<usize, Errno> {
    let size = offset(size)?;
    let file = open_to_write(current, descriptor)?;
    if !file.description().writable() || file.inode().kind() != Kind::Regular {
        return Err(Errno::EINVAL);
    }
    check_growth(&**file.inode(), size)?;
    file.inode().set_size(size)?;
    notify::done(file.description(), IN_MODIFY);
    Ok(0)
}

/// fallocate(2), without the modes that make holes.
pub fn fallocate(
    current: &Current,
    descriptor: usize,
    mode: usize,
    start: usize,
    length: usize,
) -> Result<usize, Errno> {
    let file = open_to_write(current, descriptor)?;
    let (start, length) = (offset(start)?, offset(length)?);
    if length == 0 {
        return Err(Errno::EINVAL);
    }
    let extends = match mode as u32 as usize {
        0 => true,
        FALLOC_FL_KEEP_SIZE => false,
        _ => return Err(Errno::EOPNOTSUPP),
    };
    if !file.description().writable() {
        return Err(Errno::EBADF);
    }
    match file.inode().kind() {
        Kind::Regular => {}
        Kind::Fifo => return Err(Errno::ESPIPE),
        Kind::Directory => return Err(Errno::EISDIR),
        _ => return Err(Errno::ENODEV),
    }
    // Both are below 2^63, so the sum is below 2^64.
    if start + length > i64::MAX as u64 {
        return Err(Errno::EFBIG);
    }
    if extends {
        check_growth(&**file.inode(), start + length)?;
    }
    file.inode().allocate(start, length, extends)?;
    notify::done(file.description(), IN_MODIFY);
    Ok(0)
}

pub fn statfs(current: &Current, path: usize, buffer: usize) -> Result<usize, Errno> {
    let inode = existing_at(current, path, Follow::Always)?;
    store_statistics(&*inode, buffer)
}

pub fn fstatfs(current: &Current, descriptor: usize, buffer: usize) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    store_statistics(&**file.inode(), buffer)
}

fn store_statistics(inode: &dyn Inode, buffer: usize) -> Result<usize, Errno> {
    user::write_value(buffer, &inode.statistics()?.to_statfs())?;
    Ok(0)
}

pub fn fsync(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    open_file(current, descriptor)?.sync(false)?;
    Ok(0)
}

pub fn fdatasync(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    open_file(current, descriptor)?.sync(true)?;
    Ok(0)
}

/// sync(2): everything. It has no way to report an error.
pub fn sync(_current: &Current) -> Result<usize, Errno> {
    files::sync_all();
    Ok(0)
}

pub fn syncfs(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    open_file(current, descriptor)?.inode().sync_file_system()?;
    Ok(0)
}

/// sync_file_range(2): a part of a file's data. All of it is synced, which
/// promises more.
pub fn sync_file_range(
    current: &Current,
    descriptor: usize,
    start: usize,
    length: usize,
    flags: usize,
) -> Result<usize, Errno> {
    /// WAIT_BEFORE, WRITE and WAIT_AFTER.
    const KNOWN: usize = 7;
    let file = open_file(current, descriptor)?;
    let (start, length) = (offset(start)?, offset(length)?);
    if flags as u32 as usize & !KNOWN != 0 || start + length > i64::MAX as u64 {
        return Err(Errno::EINVAL);
    }
    match file.inode().kind() {
        Kind::Regular | Kind::Block | Kind::Directory => {}
        _ => return Err(Errno::ESPIPE),
    }
    if flags as u32 != 0 {
        file.sync(true)?;
    }
    Ok(0)
}

/// posix_fadvise(2): advice that is taken, and changes nothing.
pub fn fadvise64(
    current: &Current,
    descriptor: usize,
    length: usize,
    advice: usize,
) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    if file.inode().kind() == Kind::Fifo {
        return Err(Errno::ESPIPE);
    }
    offset(length)?;
    match advice as u32 as usize {
        0..=POSIX_FADV_NOREUSE => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// readahead(2): what will be read is read when it is.
pub fn readahead(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    if !file.description().readable() {
        return Err(Errno::EBADF);
    }
    match file.inode().kind() {
        Kind::Regular | Kind::Block => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// memfd_create(2): EINVAL for huge pages, which there are none of.
pub fn memfd_create(current: &Current, name: usize, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(MFD_CLOEXEC | MFD_ALLOW_SEALING) != 0 {
        return Err(Errno::EINVAL);
    }
    // It is shown to nobody.
    user::read_string(name, MFD_NAME_MAX).map_err(|error| match error {
        Errno::ENAMETOOLONG => Errno::EINVAL,
        error => error,
    })?;
    let inode = ramfs::unnamed(0)?;
    inode.set_permissions(0o777)?;
    let Owner { user, group } = current.credentials().file_owner();
    inode.set_owner(Some(user), Some(group))?;
    if flags & MFD_ALLOW_SEALING != 0 {
        inode.pages_to_map()?.allow_seals();
    }
    let closes = flags & MFD_CLOEXEC != 0;
    let file = inode.open((O_RDWR | O_LARGEFILE) as u32)?;
    current.files().insert(file, 0, closes)
}

/// F_GET_SEALS: EINVAL for what is no file in memory.
pub(super) fn seals(file: &File) -> Result<usize, Errno> {
    let cache = file.inode().pages_to_map().map_err(|_| Errno::EINVAL)?;
    Ok(cache.seals()? as usize)
}

/// F_ADD_SEALS.
pub(super) fn add_seals(file: &File, seals: usize) -> Result<usize, Errno> {
    if !file.description().writable() {
        return Err(Errno::EPERM);
    }
    let cache = file.inode().pages_to_map().map_err(|_| Errno::EINVAL)?;
    cache.add_seals(u32::try_from(seals).map_err(|_| Errno::EINVAL)?)?;
    Ok(0)
}
