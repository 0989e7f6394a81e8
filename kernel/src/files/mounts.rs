//! Mounts: the directories that the root of another file system stands in for
//! (mount(2)).
//!
//! A mount holds the directory that it covers, and a file system has one node
//! for each of its directories, so that a walk knows both by their identity.
//!
//! Locks: a spin lock over the list, held to look through it. While nothing is
//! mounted a walk does not take it. A readers-writer lock keeps directories where
//! they are while something is mounted on one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use abi::Errno;
use sync::{ReadGuard, RwLock, SpinLock, rank};

use super::allocate::{try_arc, try_bytes};
use super::inode::{Inode, Kind};

/// One file system at its place.
pub struct Mount {
    /// `None` for the root of all.
    covered: Option<Arc<dyn Inode>>,
    /// The file system that is mounted, and the one around it.
    device: u64,
    outer_device: Option<u64>,
    pub root: Arc<dyn Inode>,
    /// The device, or what stands for it.
    pub source: Box<[u8]>,
    /// The type of file system.
    pub kind: &'static str,
    pub read_only: bool,
    /// No walk goes in any more, and it may end.
    leaving: AtomicBool,
}

static MOUNTS: SpinLock<Vec<Arc<Mount>>, rank::Mounts> = SpinLock::new(Vec::new());

/// How many mounts cover a directory.
static COVERING: AtomicUsize = AtomicUsize::new(0);

/// Held alone while a mount is made.
static PLACES: RwLock<(), rank::MountPlaces> = RwLock::new(());

/// As long as it is held, nothing is mounted anywhere: for whoever takes away a
/// directory, from before the walk that finds it to be no mount point.
pub fn keep_out() -> ReadGuard<'static, (), rank::MountPlaces> {
    PLACES.read()
}

/// Lets `root` stand in for `covered`: ENOTDIR; ENOENT if that is removed; EINVAL
/// if its file system is not mounted (any more); EBUSY if something stands in for
/// it already.
pub fn add(
    covered: Option<Arc<dyn Inode>>,
    root: Arc<dyn Inode>,
    source: &[u8],
    kind: &'static str,
    read_only: bool,
) -> Result<(), Errno> {
    if covered
        .as_ref()
        .is_some_and(|at| at.kind() != Kind::Directory)
    {
        return Err(Errno::ENOTDIR);
    }
    let _places = PLACES.write();
    if let Some(covered) = &covered {
        covered.name()?;
    }
    let mount = try_arc(Mount {
        device: root.metadata().device,
        outer_device: covered.as_ref().map(|at| at.metadata().device),
        covered,
        root,
        source: try_bytes(source)?,
        kind,
        read_only,
        leaving: AtomicBool::new(false),
    })?;
    let mut mounts = MOUNTS.lock();
    let is_same = |a: &Option<Arc<dyn Inode>>| match (a, &mount.covered) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    let is_around = |other: &Arc<Mount>| {
        Some(other.device) == mount.outer_device && !other.leaving.load(Ordering::Relaxed)
    };
    if mount.covered.is_some() && !mounts.iter().any(is_around) {
        return Err(Errno::EINVAL);
    }
    if mounts.iter().any(|other| is_same(&other.covered)) {
        return Err(Errno::EBUSY);
    }
    mounts.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    COVERING.fetch_add(usize::from(mount.covered.is_some()), Ordering::Release);
    mounts.push(mount);
    Ok(())
}

/// The mount that may end whose root is `root`: EINVAL if there is none, or if it
/// is the root of all; EBUSY if something is mounted inside.
pub fn removable(root: &Arc<dyn Inode>) -> Result<Arc<Mount>, Errno> {
    find_removable(&MOUNTS.lock(), root)
}

/// The same, and lets no walk go in any more, until it is removed or
/// [`Mount::stay`].
pub fn leave(root: &Arc<dyn Inode>) -> Result<Arc<Mount>, Errno> {
    let mounts = MOUNTS.lock();
    let mount = find_removable(&mounts, root)?;
    mount.leaving.store(true, Ordering::Relaxed);
    Ok(mount)
}

fn find_removable(mounts: &[Arc<Mount>], root: &Arc<dyn Inode>) -> Result<Arc<Mount>, Errno> {
    let mount = mounts
        .iter()
        .find(|mount| mount.covered.is_some() && Arc::ptr_eq(&mount.root, root))
        .ok_or(Errno::EINVAL)?;
    let is_inside = |other: &Arc<Mount>| other.outer_device == Some(mount.device);
    match mounts.iter().any(is_inside) {
        true => Err(Errno::EBUSY),
        false => Ok(mount.clone()),
    }
}

impl Mount {
    /// Takes [`leave`] back.
    pub fn stay(&self) {
        let _mounts = MOUNTS.lock();
        self.leaving.store(false, Ordering::Relaxed);
    }

    /// Ends it. It is dropped by the caller, not with the list locked.
    pub fn remove(&self) {
        let mut mounts = MOUNTS.lock();
        let index = mounts
            .iter()
            .position(|mount| core::ptr::eq(&**mount, self));
        let gone = index.map(|index| mounts.remove(index));
        COVERING.fetch_sub(usize::from(gone.is_some()), Ordering::Release);
        drop(mounts);
    }
}

/// The mount number `index`, in the order they were made.
pub fn get(index: usize) -> Option<Arc<Mount>> {
    MOUNTS.lock().get(index).cloned()
}

/// What a walk that comes to `directory` goes on with: the root that is
/// mounted there, if any.
pub fn enter(directory: Arc<dyn Inode>) -> Arc<dyn Inode> {
    let mut at = directory;
    if COVERING.load(Ordering::Acquire) == 0 || at.kind() != Kind::Directory {
        return at;
    }
    let mounts = MOUNTS.lock();
    let covers = |mount: &&Arc<Mount>, at: &Arc<dyn Inode>| {
        let covered = mount.covered.as_ref();
        let is_at = covered.is_some_and(|covered| Arc::ptr_eq(covered, at));
        is_at && !mount.leaving.load(Ordering::Relaxed)
    };
    while let Some(mount) = mounts.iter().find(|mount| covers(mount, &at)) {
        // The old one is held by its mount, so it is not freed here.
        at = mount.root.clone();
    }
    at
}

/// Where `directory` is in the tree of names: itself, or, for a mounted root,
/// the directory that it covers.
pub fn place(directory: &Arc<dyn Inode>) -> Arc<dyn Inode> {
    let mut at = directory.clone();
    if COVERING.load(Ordering::Acquire) == 0 {
        return at;
    }
    let mounts = MOUNTS.lock();
    let covered = |at: &Arc<dyn Inode>| {
        let mount = mounts.iter().find(|mount| Arc::ptr_eq(&mount.root, at));
        mount.and_then(|mount| mount.covered.clone())
    };
    while let Some(below) = covered(&at) {
        // As in `enter`.
        at = below;
    }
    at
}

/// Whether something is mounted on this directory, or it is a mounted root.
pub fn is_mount_point(inode: &Arc<dyn Inode>) -> bool {
    let is = |mount: &Arc<Mount>| {
        let covered = mount.covered.as_ref();
        Arc::ptr_eq(&mount.root, inode) || covered.is_some_and(|at| Arc::ptr_eq(at, inode))
    };
    COVERING.load(Ordering::Acquire) > 0 && MOUNTS.lock().iter().any(is)
}
