//! The calls of inotify(7).

use abi::Errno;
use abi::file::{O_CLOEXEC, O_NONBLOCK};
use abi::inotify::*;

use super::descriptor::{give, number};
use super::file::open_file;
use super::path::existing_at;
use crate::credentials::access::READ;
use crate::files::inode::Kind;
use crate::files::inotify::{self, Inotify};
use crate::files::walk::Follow;
use crate::thread::Current;

/// All that can be asked for.
const KNOWN: u32 = IN_ALL_EVENTS
    | IN_UNMOUNT
    | IN_Q_OVERFLOW
    | IN_IGNORED
    | IN_ONLYDIR
    | IN_DONT_FOLLOW
    | IN_EXCL_UNLINK
    | IN_MASK_CREATE
    | IN_MASK_ADD
    | IN_ISDIR
    | IN_ONESHOT;

pub fn inotify_init1(current: &Current, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    give(current, inotify::open(flags & O_NONBLOCK)?, flags)
}

pub fn inotify_add_watch(
    current: &Current,
    descriptor: usize,
    path: usize,
    mask: usize,
) -> Result<usize, Errno> {
    const BOTH: u32 = IN_MASK_ADD | IN_MASK_CREATE;
    let mask = mask as u32;
    if mask & KNOWN == 0 || mask & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let file = open_file(current, descriptor)?;
    let inotify = file.kind_of::<Inotify>().ok_or(Errno::EINVAL)?;
    if mask & BOTH == BOTH {
        return Err(Errno::EINVAL);
    }
    let follow = match mask & IN_DONT_FOLLOW {
        0 => Follow::Always,
        _ => Follow::IfSlash,
    };
    let inode = existing_at(current, path, follow)?;
    if mask & IN_ONLYDIR != 0 && inode.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    inode.check_access(current.credentials(), READ)?;
    Ok(inotify::add(inotify, &inode, mask)? as usize)
}

pub fn inotify_rm_watch(
    current: &Current,
    descriptor: usize,
    watch: usize,
) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    let inotify = file.kind_of::<Inotify>().ok_or(Errno::EINVAL)?;
    inotify::remove(inotify, number(watch) as i32)?;
    Ok(0)
}
