//! Calls on what an inode says of itself: stat and its kin, access, modes,
//! owners and times. Who may change them is for [`crate::credentials::access`] to say.

use abi::Errno;
use abi::file::*;
use abi::inotify::{IN_ACCESS, IN_ATTRIB, IN_MODIFY};
use abi::time::Timespec;

use super::file::open_file;
use super::path::{CWD, existing_or_own, is_cwd};
use crate::credentials::Credentials;
use crate::files;
use crate::files::clock;
use crate::files::inode::{Inode, Kind, Metadata};
use crate::files::inotify::Named;
use crate::files::path_buffer::PathBuffer;
use crate::files::walk::Follow;
use crate::memory::user;
use crate::thread::Current;

/// What the path at `address` names under `flags`, of which `allowed` (besides
/// AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW) say nothing here: EINVAL for others.
pub(super) fn named(
    current: &Current,
    directory: usize,
    address: usize,
    flags: usize,
    allowed: usize,
) -> Result<Named, Errno> {
    named_for(
        current,
        directory,
        address,
        flags,
        allowed,
        current.credentials(),
    )
}

/// The same as seen by others than the caller.
fn named_for(
    current: &Current,
    directory: usize,
    address: usize,
    flags: usize,
    allowed: usize,
    by: &Credentials,
) -> Result<Named, Errno> {
    // An int: a sign-extended upper half says nothing.
    let flags = flags as u32 as usize;
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | allowed) != 0 {
        return Err(Errno::EINVAL);
    }
    let follow = match flags & AT_SYMLINK_NOFOLLOW {
        0 => Follow::Always,
        _ => Follow::IfSlash,
    };
    let mut path_buffer = PathBuffer::new();
    let path = path_buffer.read(address)?;
    let empty_is_own = flags & AT_EMPTY_PATH != 0;
    existing_or_own(current, directory, path, follow, empty_is_own, by)
}

/// What a descriptor stands for: EBADF.
fn opened(current: &Current, descriptor: usize) -> Result<Named, Errno> {
    Ok(open_file(current, descriptor)?.named())
}

pub fn stat(current: &Current, path: usize, buffer: usize) -> Result<usize, Errno> {
    newfstatat(current, CWD, path, buffer, 0)
}

pub fn lstat(current: &Current, path: usize, buffer: usize) -> Result<usize, Errno> {
    newfstatat(current, CWD, path, buffer, AT_SYMLINK_NOFOLLOW)
}

pub fn fstat(current: &Current, descriptor: usize, buffer: usize) -> Result<usize, Errno> {
    let inode = opened(current, descriptor)?;
    user::write_value(buffer, &inode.metadata().to_stat())?;
    Ok(0)
}

pub fn newfstatat(
    current: &Current,
    directory: usize,
    path: usize,
    buffer: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let inode = named(current, directory, path, flags, AT_NO_AUTOMOUNT)?;
    user::write_value(buffer, &inode.metadata().to_stat())?;
    Ok(0)
}

pub fn statx(
    current: &Current,
    directory: usize,
    path: usize,
    flags: usize,
    mask: usize,
    buffer: usize,
) -> Result<usize, Errno> {
    const SYNC: usize = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
    if mask as u32 & STATX_RESERVED != 0 || flags & SYNC == SYNC {
        return Err(Errno::EINVAL);
    }
    let inode = named(current, directory, path, flags, AT_NO_AUTOMOUNT | SYNC)?;
    user::write_value(buffer, &to_statx(&inode.metadata()))?;
    Ok(0)
}

/// All that is known, whatever was asked for, as Linux may do.
fn to_statx(metadata: &Metadata) -> Statx {
    let stat = metadata.to_stat();
    let time = |sec, nsec: i64| StatxTime {
        sec,
        nsec: nsec as u32,
        pad: 0,
    };
    // makedev(3), backwards.
    let major = |device: u64| (device >> 8 & 0xfff | device >> 32 & 0xffff_f000) as u32;
    let minor = |device: u64| (device & 0xff | device >> 12 & 0xffff_ff00) as u32;
    Statx {
        mask: STATX_BASIC_STATS,
        blksize: stat.blksize as u32,
        nlink: stat.nlink as u32,
        uid: stat.uid,
        gid: stat.gid,
        mode: stat.mode as u16,
        ino: stat.ino,
        size: stat.size as u64,
        blocks: stat.blocks as u64,
        atime: time(stat.atime, stat.atime_nsec),
        ctime: time(stat.ctime, stat.ctime_nsec),
        mtime: time(stat.mtime, stat.mtime_nsec),
        rdev_major: major(stat.rdev),
        rdev_minor: minor(stat.rdev),
        dev_major: major(stat.dev),
        dev_minor: minor(stat.dev),
        ..Statx::default()
    }
}

pub fn access(current: &Current, path: usize, mode: usize) -> Result<usize, Errno> {
    faccessat2(current, CWD, path, mode, 0)
}

pub fn faccessat2(
    current: &Current,
    directory: usize,
    path: usize,
    mode: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let mode = mode as u32;
    if mode & !7 != 0 {
        return Err(Errno::EINVAL);
    }
    let real;
    let by = match flags & AT_EACCESS {
        0 => {
            real = current.credentials().real();
            &real
        }
        _ => current.credentials(),
    };
    named_for(current, directory, path, flags, AT_EACCESS, by)?.check_access(by, mode)?;
    Ok(0)
}

pub fn chmod(current: &Current, path: usize, mode: usize) -> Result<usize, Errno> {
    fchmodat2(current, CWD, path, mode, 0)
}

pub fn fchmod(current: &Current, descriptor: usize, mode: usize) -> Result<usize, Errno> {
    set_mode(current, &opened(current, descriptor)?, mode)
}

pub fn fchmodat2(
    current: &Current,
    directory: usize,
    path: usize,
    mode: usize,
    flags: usize,
) -> Result<usize, Errno> {
    set_mode(current, &named(current, directory, path, flags, 0)?, mode)
}

fn set_mode(current: &Current, inode: &Named, mode: usize) -> Result<usize, Errno> {
    // The mode of a symbolic link means nothing and is not kept.
    if inode.kind() == Kind::SymbolicLink {
        return Err(Errno::EOPNOTSUPP);
    }
    let by = current.credentials();
    files::in_one_step(|| {
        let permissions = by.change_mode(&inode.metadata(), mode as u32 & 0o7777)?;
        inode.set_permissions(permissions)
    })?;
    inode.changed(IN_ATTRIB);
    Ok(0)
}

pub fn chown(current: &Current, path: usize, user: usize, group: usize) -> Result<usize, Errno> {
    fchownat(current, CWD, path, user, group, 0)
}

pub fn lchown(current: &Current, path: usize, user: usize, group: usize) -> Result<usize, Errno> {
    fchownat(current, CWD, path, user, group, AT_SYMLINK_NOFOLLOW)
}

pub fn fchown(
    current: &Current,
    descriptor: usize,
    user: usize,
    group: usize,
) -> Result<usize, Errno> {
    set_owner(current, &opened(current, descriptor)?, user, group)
}

pub fn fchownat(
    current: &Current,
    directory: usize,
    path: usize,
    user: usize,
    group: usize,
    flags: usize,
) -> Result<usize, Errno> {
    set_owner(
        current,
        &named(current, directory, path, flags, 0)?,
        user,
        group,
    )
}

fn set_owner(current: &Current, inode: &Named, user: usize, group: usize) -> Result<usize, Errno> {
    // Minus one leaves it as it is (chown(2)).
    let id = |id: usize| (id as u32 != u32::MAX).then_some(id as u32);
    let (user, group) = (id(user), id(group));
    let by = current.credentials();
    let changed = files::in_one_step(|| {
        let metadata = inode.metadata();
        by.check_new_owner(&metadata, user, group)?;
        // What ran with the old owner's rights never runs with the new one's.
        let kept = match metadata.kind {
            Kind::Directory | Kind::SymbolicLink => metadata.permissions,
            _ => by.without_setid(&metadata),
        };
        let loses = kept != metadata.permissions;
        if loses {
            by.check_owner(&metadata)?;
            inode.set_permissions(kept)?;
        }
        inode.set_owner(user, group)?;
        Ok(loses || user.is_some() || group.is_some())
    })?;
    if changed {
        inode.changed(IN_ATTRIB);
    }
    Ok(0)
}

/// A file is going to be written to by the caller: without a right to keep them, the
/// bits that lend its owner's rights go.
pub(super) fn drop_setid(current: &Current, inode: &dyn Inode) -> Result<(), Errno> {
    let by = current.credentials();
    if !by.clear_setid() || inode.kind() != Kind::Regular {
        return Ok(());
    }
    let lost = |metadata: &Metadata| by.without_setid(metadata) != metadata.permissions;
    if !lost(&inode.metadata()) {
        return Ok(());
    }
    files::in_one_step(|| {
        let metadata = inode.metadata();
        match lost(&metadata) {
            true => inode.set_permissions(by.without_setid(&metadata)),
            false => Ok(()),
        }
    })
}

pub fn utimensat(
    current: &Current,
    directory: usize,
    path: usize,
    times: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let mut to_now = times == 0;
    let times = match times {
        0 => [Some(clock::now()); 2],
        address => {
            let [accessed, modified]: [Timespec; 2] = user::read_value(address)?;
            to_now = [accessed.nsec, modified.nsec] == [UTIME_NOW; 2];
            [file_time(accessed)?, file_time(modified)?]
        }
    };
    if times == [None; 2] {
        // Nothing to do; the path is not even looked at.
        return Ok(0);
    }
    let inode = match path {
        // The descriptor itself (futimens(3)).
        0 if !is_cwd(directory) => match flags as u32 {
            0 => opened(current, directory)?,
            _ => return Err(Errno::EINVAL),
        },
        path => named(current, directory, path, flags, 0)?,
    };
    set_times(current, &inode, times, to_now)
}

/// A time as utimensat(2) takes it; `None` to leave it alone. EINVAL.
fn file_time(time: Timespec) -> Result<Option<u64>, Errno> {
    match time.nsec {
        UTIME_OMIT => Ok(None),
        UTIME_NOW => Ok(Some(clock::now())),
        0..1_000_000_000 => Ok(Some(since_1970(time.sec, time.nsec as u64))),
        _ => Err(Errno::EINVAL),
    }
}

/// In nanoseconds since 1970, what lies before or too far after cut off.
fn since_1970(seconds: i64, nanoseconds: u64) -> u64 {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

/// `to_now`: both times, and without saying which.
fn set_times(
    current: &Current,
    inode: &Named,
    [accessed, modified]: [Option<u64>; 2],
    to_now: bool,
) -> Result<usize, Errno> {
    current
        .credentials()
        .check_times(&inode.metadata(), to_now)?;
    inode.set_times(accessed, modified)?;
    inode.changed(match (accessed, modified) {
        (Some(_), None) => IN_ACCESS,
        (None, Some(_)) => IN_MODIFY,
        _ => IN_ATTRIB,
    });
    Ok(0)
}

/// utime(2): in whole seconds.
pub fn utime(current: &Current, path: usize, times: usize) -> Result<usize, Errno> {
    let to_now = times == 0;
    let times = match times {
        0 => [clock::now(); 2],
        address => user::read_value::<[i64; 2]>(address)?.map(|seconds| since_1970(seconds, 0)),
    };
    let inode = named(current, CWD, path, 0, 0)?;
    set_times(current, &inode, times.map(Some), to_now)
}

pub fn utimes(current: &Current, path: usize, times: usize) -> Result<usize, Errno> {
    futimesat(current, CWD, path, times)
}

/// utimes(2): in seconds and microseconds.
pub fn futimesat(
    current: &Current,
    directory: usize,
    path: usize,
    times: usize,
) -> Result<usize, Errno> {
    let to_now = times == 0;
    const MILLION: i64 = 1_000_000;
    let times = match times {
        0 => [clock::now(); 2],
        address => {
            let times: [[i64; 2]; 2] = user::read_value(address)?;
            if times
                .iter()
                .any(|[_, micros]| !(0..MILLION).contains(micros))
            {
                return Err(Errno::EINVAL);
            }
            times.map(|[seconds, micros]| since_1970(seconds, micros as u64 * 1000))
        }
    };
    let inode = match path {
        0 if !is_cwd(directory) => opened(current, directory)?,
        path => named(current, directory, path, 0, 0)?,
    };
    set_times(current, &inode, times.map(Some), to_now)
}
