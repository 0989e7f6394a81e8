//! Calls on descriptors: close, duplicates, pipes, fcntl.

use abi::Errno;
use abi::file::*;
use abi::lock::*;
use alloc::sync::Arc;

use super::{lock, storage};
use crate::credentials::Capability;
use crate::files::File;
use crate::files::pipe::{self, Pipe, PipeEnd, open_pair};
use crate::memory::user;
use crate::thread::{Current, own_files};

/// Descriptors are C's `int`: only the lower half of the register counts, and
/// a negative one is one that is never open.
pub(super) fn number(argument: usize) -> usize {
    argument as u32 as usize
}

pub fn close(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    current.files().close(number(descriptor))?;
    Ok(0)
}

/// close_range(2).
pub fn close_range(
    current: &mut Current,
    first: usize,
    last: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let (first, last, flags) = (number(first), number(last), flags as u32 as usize);
    if flags & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 || first > last {
        return Err(Errno::EINVAL);
    }
    if flags & CLOSE_RANGE_UNSHARE != 0 {
        own_files(current)?;
    }
    match flags & CLOSE_RANGE_CLOEXEC {
        0 => current.files().close_range(first, last),
        _ => current.files().mark_range(first, last),
    }
    Ok(0)
}

pub fn dup(current: &Current, descriptor: usize) -> Result<usize, Errno> {
    let file = current.files().get(number(descriptor))?;
    current.files().insert(file, 0, false)
}

pub fn dup2(current: &Current, old: usize, new: usize) -> Result<usize, Errno> {
    let (old, new) = (number(old), number(new));
    let file = current.files().get(old)?;
    if old != new {
        current.files().replace(new, file, false)?;
    }
    Ok(new)
}

pub fn dup3(current: &Current, old: usize, new: usize, flags: usize) -> Result<usize, Errno> {
    let (old, new) = (number(old), number(new));
    if flags & !O_CLOEXEC != 0 || old == new {
        return Err(Errno::EINVAL);
    }
    let file = current.files().get(old)?;
    current.files().replace(new, file, flags & O_CLOEXEC != 0)?;
    Ok(new)
}

pub fn fcntl(
    current: &Current,
    descriptor: usize,
    command: usize,
    argument: usize,
) -> Result<usize, Errno> {
    let descriptor = number(descriptor);
    let files = current.files();
    let file = files.get(descriptor)?;
    match command {
        F_DUPFD | F_DUPFD_CLOEXEC => files.insert(file, argument, command == F_DUPFD_CLOEXEC),
        F_GETFD => match files.closes_on_exec(descriptor)? {
            true => Ok(FD_CLOEXEC),
            false => Ok(0),
        },
        F_SETFD => {
            files.set_close_on_exec(descriptor, argument & FD_CLOEXEC != 0)?;
            Ok(0)
        }
        F_GETFL => Ok(file.description().flags() as usize),
        F_SETFL => {
            file.description().set_flags(argument as u32);
            Ok(0)
        }
        F_GET_SEALS => storage::seals(&file),
        F_ADD_SEALS => storage::add_seals(&file, argument),
        F_GETPIPE_SZ => Ok(pipe_of(&file)?.size()),
        F_SETPIPE_SZ => {
            let size = pipe::size_for(argument as u32 as usize)?;
            let pipe = pipe_of(&file)?;
            if size > pipe::MAX_SIZE && size > pipe.size() {
                current.credentials().require(Capability::Resource)?;
            }
            pipe.set_size(size)?;
            Ok(size)
        }
        F_GETLK | F_OFD_GETLK => lock::find(current, &file, command, argument),
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW => {
            lock::change(current, descriptor, &file, command, argument)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// The pipe that `file` is an end of: EBADF.
pub(super) fn pipe_of(file: &File) -> Result<&Arc<Pipe>, Errno> {
    let end = file.kind_of::<PipeEnd>();
    end.map(PipeEnd::pipe).ok_or(Errno::EBADF)
}

pub fn pipe(current: &Current, descriptors: usize) -> Result<usize, Errno> {
    pipe2(current, descriptors, 0)
}

pub fn pipe2(current: &Current, descriptors: usize, flags: usize) -> Result<usize, Errno> {
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    give_two(current, open_pair(flags as u32)?, flags, descriptors)
}

/// Gives the program a file, with O_CLOEXEC of `flags`; its number.
pub(super) fn give(current: &Current, file: Arc<File>, flags: usize) -> Result<usize, Errno> {
    current.files().insert(file, 0, flags & O_CLOEXEC != 0)
}

/// Gives the program two files, with O_CLOEXEC of `flags`, whose numbers go to
/// `out`. They are told before a peer could see the files: if that fails, nothing
/// has happened.
pub(super) fn give_two(
    current: &Current,
    [one, other]: [Arc<File>; 2],
    flags: usize,
    out: usize,
) -> Result<usize, Errno> {
    let close_on_exec = flags & O_CLOEXEC != 0;
    let first = current.files().reserve(close_on_exec)?;
    let second = current.files().reserve(close_on_exec)?;
    user::write_value(out, &[first.number() as i32, second.number() as i32])?;
    first.fill(one);
    second.fill(other);
    Ok(0)
}
