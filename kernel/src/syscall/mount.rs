//! mount(2) and umount2(2): ext4 from a disk, and the file systems in memory.

use abi::Errno;
use abi::file::*;
use alloc::sync::Arc;

use super::path::existing_at;
use crate::credentials::Capability;
use crate::files::inode::{Inode, Kind};
use crate::files::path_buffer::PathBuffer;
use crate::files::walk::Follow;
use crate::files::{self, disk, mounts, ramfs};
use crate::thread::Current;

/// Those that change nothing here are taken as given: times of access are kept by
/// the volume. MS_NODEV, MS_NOEXEC and MS_NOSUID keep nobody from devices and
/// programs yet.
const KNOWN: usize = MS_RDONLY
    | MS_NOSUID
    | MS_NODEV
    | MS_NOEXEC
    | MS_NOATIME
    | MS_NODIRATIME
    | MS_SILENT
    | MS_RELATIME;

/// The upper half may hold a mark of old times, which Linux ignores too.
const MAGIC: usize = 0xc0ed_0000;
const MAGIC_MASK: usize = 0xffff_0000;

/// ENODEV for an unknown type, ENOTBLK if the source is no disk; EINVAL for
/// flags that change mounts, which there are none of.
pub fn mount(
    current: &Current,
    source: usize,
    target: usize,
    kind: usize,
    flags: usize,
) -> Result<usize, Errno> {
    current.credentials().require(Capability::Administrate)?;
    let flags = match flags & MAGIC_MASK {
        MAGIC => flags & !MAGIC_MASK,
        _ => flags,
    };
    if flags & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let mut buffer = PathBuffer::new();
    let kind = match buffer.read(kind)? {
        b"ext4" => "ext4",
        b"tmpfs" => "tmpfs",
        b"ramfs" => "ramfs",
        _ => return Err(Errno::ENODEV),
    };
    let covered = existing_at(current, target, Follow::Always)?;
    if covered.kind() != Kind::Directory {
        return Err(Errno::ENOTDIR);
    }
    let read_only = flags & MS_RDONLY != 0;
    let mut buffer = PathBuffer::new();
    let name = match source {
        0 => kind.as_bytes(),
        _ => buffer.read(source)?,
    };
    let root: Arc<dyn Inode> = match kind {
        "ext4" => disk::mount(disk_at(current, source)?, read_only)?,
        // These cannot be read-only: there would be nothing to read.
        _ if read_only => return Err(Errno::EINVAL),
        _ => {
            let root = ramfs::RamFs::make_root()?;
            root.limit_inodes();
            root
        }
    };
    let added = mounts::add(Some(covered), root.clone(), name, kind, read_only);
    if added.is_err() {
        let _ = disk::unmount(root);
    }
    added?;
    Ok(0)
}

/// The number of the disk that a path names.
fn disk_at(current: &Current, path: usize) -> Result<usize, Errno> {
    let inode = existing_at(current, path, Follow::Always)?;
    if inode.kind() != Kind::Block {
        return Err(Errno::ENOTBLK);
    }
    crate::device::disk::index_of(inode.metadata().special).ok_or(Errno::ENXIO)
}

/// EBUSY while a file of it is open or someone works in it.
pub fn umount2(current: &Current, target: usize, flags: usize) -> Result<usize, Errno> {
    if flags & !UMOUNT_NOFOLLOW != 0 {
        return Err(Errno::EINVAL);
    }
    current.credentials().require(Capability::Administrate)?;
    let follow = match flags & UMOUNT_NOFOLLOW {
        0 => Follow::Always,
        _ => Follow::Never,
    };
    let root = existing_at(current, target, follow)?;
    files::unmount(root)?;
    Ok(0)
}
