//! Files: names, open files, descriptors, pipes, and the file system in memory.
//!
//! From the outside in: a descriptor of a [`FileTable`] stands for an open
//! [`File`], which has an [`Inode`] and what its kind does ([`Operations`]);
//! [`walk`] leads from a path to an inode; [`ramfs`] and the devices provide
//! inodes. Data moves through [`Sink`] and [`Source`], so that the same code
//! serves user memory and the kernel's own reads.
//!
//! Each type has its own locks, named in its module; nothing here holds two of
//! one kind at a time.

pub mod allocate;
pub mod anonymous;
pub mod buffer;
pub mod cache;
pub mod clock;
pub mod context;
mod cpio;
pub mod disk;
pub mod epoll;
pub mod event_fd;
pub mod ext4;
pub mod hooks;
pub mod inode;
pub mod inotify;
pub mod locks;
pub mod mounts;
pub mod names;
pub mod node_file;
pub mod open_file;
mod path;
pub mod path_buffer;
pub mod pipe;
pub mod poll;
pub mod ramfs;
pub mod reclaim;
mod slots;
pub mod table;
pub mod text;
pub mod timer_fd;
pub mod wait;
pub mod walk;
pub mod watch;

use alloc::sync::Arc;

use abi::Errno;
use core::sync::atomic::{AtomicU64, Ordering};
use sync::{Mutex, rank};

pub use self::buffer::{Sink, Source};
pub use self::context::{FsContext, Places};
pub use self::inode::{Inode, Kind, Metadata};
pub use self::open_file::{File, Operations};
pub use self::table::{FileTable, TableUse};
pub use self::walk::{At, Follow};

use self::inode::{Maker, New};

/// The root directory in memory, with the initial image (a cpio archive) in
/// it, and the devices under `/dev`.
pub fn open_root(initial_image: &'static [u8]) -> Result<Arc<dyn Inode>, Errno> {
    let root = ramfs::RamFs::make_root()?;
    ramfs::unpack(&root, initial_image)?;
    let node = root.clone();
    let root: Arc<dyn Inode> = root;
    mounts::add(None, root.clone(), b"rootfs", "ramfs", false)?;
    make_devices(&directory(&root, b"dev")?)?;
    node.limit_inodes();
    Ok(root)
}

/// The root directory of disk number `index`, with the devices in a file
/// system of their own, in memory, under `/dev`, and the initial image, which
/// says what to run, under `/boot`.
pub fn open_disk_root(index: usize, initial_image: &'static [u8]) -> Result<Arc<dyn Inode>, Errno> {
    let root: Arc<dyn Inode> = disk::mount(index, false)?;
    let source = [b"/dev/vd".as_slice(), &[b'a' + index as u8]].concat();
    mounts::add(None, root.clone(), &source, "ext4", false)?;
    let devices: Arc<dyn Inode> = ramfs::RamFs::make_root()?;
    make_devices(&devices)?;
    let covered = directory(&root, b"dev")?;
    mounts::add(Some(covered), devices, b"devices", "ramfs", false)?;
    let boot = ramfs::RamFs::make_root()?;
    ramfs::unpack(&boot, initial_image)?;
    let covered = directory(&root, b"boot")?;
    mounts::add(Some(covered), boot, b"initial-image", "ramfs", false)?;
    Ok(root)
}

/// Runs `act`, which looks at whose a file is and what it lets and changes one of the
/// two, or runs a program with its rights, while nobody else does that: who saw a
/// file as its own must not change it once it is another's.
pub fn in_one_step<R>(act: impl FnOnce() -> R) -> R {
    static CHANGES: Mutex<(), rank::Attributes> = Mutex::new(());
    let _alone = CHANGES.lock();
    act()
}

/// The number of a new file system that is on no disk.
pub fn new_device() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0x10);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The directory `name` of the root, made if it is not there.
pub fn directory(root: &Arc<dyn Inode>, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
    match root
        .clone()
        .create(name, New::Directory, Maker::root(0o755))
    {
        Err(Errno::EEXIST) => root.lookup(name),
        result => result,
    }
}

/// Makes the device inodes that are not there yet.
fn make_devices(directory: &Arc<dyn Inode>) -> Result<(), Errno> {
    let make = |name: &[u8], new, permissions| {
        let made = directory
            .clone()
            .create(name, new, Maker::root(permissions));
        match made {
            Ok(_) | Err(Errno::EEXIST) => Ok(()),
            Err(error) => Err(error),
        }
    };
    for &(name, number, permissions) in crate::device::NAMES {
        make(name.as_bytes(), New::Character(number), permissions)?;
    }
    // Shared memory of POSIX is files there (shm_overview(7)).
    make(b"shm", New::Directory, 0o1777)?;
    // Descriptors by their names, as shells write them (fd(4)).
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        make(name.as_bytes(), New::SymbolicLink(target.as_bytes()), 0o777)?;
    }
    let mut result = Ok(());
    crate::device::disk::for_each(|index, _| {
        let name = [b'v', b'd', b'a' + index as u8];
        let number = crate::device::disk::number(index);
        result = result.and(make(&name, New::Block(number), 0o660));
    });
    result
}

/// Ends the mount whose root is `root`: errors of [`mounts::leave`] and
/// [`disk::unmount`], and then it is as it was.
pub fn unmount(root: Arc<dyn Inode>) -> Result<(), Errno> {
    static ALONE: Mutex<(), rank::Unmount> = Mutex::new(());
    mounts::removable(&root)?;
    // Two at once would find the disk in use by each other. What this one has is
    // let go of before the next begins.
    let _alone = ALONE.lock();
    let root = root;
    // They would keep it in use; there is no way back from here.
    inotify::unmounted(root.metadata().device)?;
    // While walks still lead there: it takes time, and may be in vain.
    disk::check_idle(&mounts::removable(&root)?.root)?;
    let mount = mounts::leave(&root)?;
    drop(root);
    match disk::unmount(mount.root.clone()) {
        Ok(()) => mount.remove(),
        Err(error) => {
            mount.stay();
            return Err(error);
        }
    }
    Ok(())
}

/// Before the machine is turned off: all that is dirty goes to its disk, and
/// the disks are left clean.
pub fn shut_down() {
    disk::unmount_all();
    // Those that were written to without a file system.
    crate::device::disk::flush_all();
}

/// Writes back everything that file systems hold in memory only (sync(2)).
/// Errors are logged, or kept for those who sync the file.
pub fn sync_all() {
    cache::flush_all();
    disk::commit_all();
    // A write that no commit covers: to a disk as one file.
    crate::device::disk::flush_all();
}

/// Reads from a regular file into kernel memory; fewer bytes than `into` has
/// room for only at the end of the file.
pub fn read_at(inode: &Arc<dyn Inode>, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
    inode.read_at(offset, &mut Sink::kernel(into))
}

#[cfg(test)]
mod tests;
