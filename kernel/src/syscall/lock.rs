//! Calls on locks of files: fcntl(2)'s, and flock(2).

use abi::Errno;
use abi::file::{SEEK_CUR, SEEK_END, SEEK_SET};
use abi::lock::*;
use alloc::sync::Arc;

use super::descriptor::number;
use super::file::open_file;
use crate::files::File;
use crate::files::locks::{self, Kind, Lock, Owner, Range, Scope};
use crate::files::open_file::Whence;
use crate::memory::user;
use crate::thread::Current;

/// `None` to unlock: EINVAL.
fn kind(kind: i16) -> Result<Option<Kind>, Errno> {
    match kind {
        F_RDLCK => Ok(Some(Kind::Shared)),
        F_WRLCK => Ok(Some(Kind::Exclusive)),
        F_UNLCK => Ok(None),
        _ => Err(Errno::EINVAL),
    }
}

/// Which bytes a program means: EINVAL, EOVERFLOW.
fn range(file: &File, asked: &Flock) -> Result<Range, Errno> {
    let origin = match asked.whence as usize {
        SEEK_SET => 0,
        // What has no place is at its beginning.
        SEEK_CUR => file.seek(0, Whence::Current).unwrap_or(0) as i64,
        SEEK_END => file.inode().metadata().size as i64,
        _ => return Err(Errno::EINVAL),
    };
    bytes(origin, asked.start, asked.length)
}

/// The same from where `start` counts from.
fn bytes(origin: i64, start: i64, length: i64) -> Result<Range, Errno> {
    let start = origin.checked_add(start).ok_or(Errno::EOVERFLOW)?;
    let start = u64::try_from(start).map_err(|_| Errno::EINVAL)?;
    let (first, last) = match length {
        0 => (start, Range::END),
        1.. => (start, start + (length as u64 - 1)),
        _ => {
            let first = start.checked_sub(length.unsigned_abs());
            (first.ok_or(Errno::EINVAL)?, start - 1)
        }
    };
    match last <= Range::END {
        true => Ok(Range { first, last }),
        false => Err(Errno::EOVERFLOW),
    }
}

/// The lock that a program asks for, by an fcntl of an open file (`F_OFD_`) or of
/// its process.
fn asked(current: &Current, file: &File, of_open: bool, kind: Kind, range: Range) -> Lock {
    let (owner, pid) = match of_open {
        true => (Owner::open(file.description()), -1),
        false => (Owner::table(current.files()), current.tgid() as i32),
    };
    Lock {
        owner,
        kind,
        range,
        pid,
    }
}

/// F_GETLK, F_OFD_GETLK: tells of a lock that is against the one asked for.
pub fn find(
    current: &Current,
    file: &Arc<File>,
    command: usize,
    argument: usize,
) -> Result<usize, Errno> {
    let mut told: Flock = user::read_value(argument)?;
    let kind = kind(told.kind)?.ok_or(Errno::EINVAL)?;
    let range = range(file, &told)?;
    let of_open = command == F_OFD_GETLK;
    if of_open && told.pid != 0 {
        return Err(Errno::EINVAL);
    }
    let wanted = asked(current, file, of_open, kind, range);
    match locks::conflict(file.inode(), &wanted) {
        None => told.kind = F_UNLCK,
        Some(lock) => {
            let Range { first, last } = lock.range;
            told = Flock {
                kind: match lock.kind {
                    Kind::Shared => F_RDLCK,
                    Kind::Exclusive => F_WRLCK,
                },
                whence: SEEK_SET as i16,
                start: first as i64,
                length: match last {
                    Range::END => 0,
                    last => (last - first + 1) as i64,
                },
                pid: lock.pid,
                ..told
            };
        }
    }
    user::write_value(argument, &told)?;
    Ok(0)
}

/// F_SETLK and the like.
pub fn change(
    current: &Current,
    descriptor: usize,
    file: &Arc<File>,
    command: usize,
    argument: usize,
) -> Result<usize, Errno> {
    let told: Flock = user::read_value(argument)?;
    let kind = kind(told.kind)?;
    let range = range(file, &told)?;
    let may = match kind {
        Some(Kind::Shared) => file.description().readable(),
        Some(Kind::Exclusive) => file.description().writable(),
        None => true,
    };
    if !may {
        return Err(Errno::EBADF);
    }
    let of_open = matches!(command, F_OFD_SETLK | F_OFD_SETLKW);
    if of_open && told.pid != 0 {
        return Err(Errno::EINVAL);
    }
    let wanted = asked(current, file, of_open, kind.unwrap_or(Kind::Shared), range);
    let inode = file.inode();
    let unlock = || locks::unlock(inode, Scope::Bytes, wanted.owner, range);
    if kind.is_none() {
        unlock()?;
        return Ok(0);
    }
    // Before there is a lock: who closes from then on looks for it.
    match of_open {
        true => file.description().note_lock(),
        false => current.files().note_lock(),
    }
    let waits = matches!(command, F_SETLKW | F_OFD_SETLKW);
    locks::lock(inode, Scope::Bytes, wanted, waits)?;
    // A peer that has closed it meanwhile may have found no lock yet.
    let is_open = |open: Arc<File>| Arc::ptr_eq(&open, file);
    if !of_open && !current.files().get(descriptor).is_ok_and(is_open) {
        unlock()?;
        return Err(Errno::EBADF);
    }
    Ok(0)
}

/// flock(2).
pub fn flock(current: &Current, descriptor: usize, operation: usize) -> Result<usize, Errno> {
    let operation = operation as u32 as usize;
    let kind = match operation & !LOCK_NB {
        LOCK_SH => Some(Kind::Shared),
        LOCK_EX => Some(Kind::Exclusive),
        LOCK_UN => None,
        _ => return Err(Errno::EINVAL),
    };
    let file = open_file(current, number(descriptor))?;
    let owner = Owner::open(file.description());
    let Some(kind) = kind else {
        locks::unlock(file.inode(), Scope::Whole, owner, Range::ALL)?;
        return Ok(0);
    };
    file.description().note_lock();
    let lock = Lock {
        owner,
        kind,
        range: Range::ALL,
        pid: current.tgid() as i32,
    };
    let waits = operation & LOCK_NB == 0;
    locks::lock(file.inode(), Scope::Whole, lock, waits)?;
    Ok(0)
}
