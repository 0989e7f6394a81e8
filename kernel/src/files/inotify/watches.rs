//! The table of all watches, by the inode they are on.
//!
//! A watch keeps its inode in memory as long as that has a name. Then the table
//! has no more than its address, until the last user goes, and tells of it: [`gone`].

use abi::Errno;
use abi::inotify::*;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use hashbrown::HashMap;
use sync::{OnceCell, SpinLock, rank};

use super::notify::flag;
use super::{Core, Inotify, MAX_USER_WATCHES};
use crate::files::allocate::try_vec;
use crate::files::inode::{Inode, Metadata};

struct Watch {
    core: Arc<Core>,
    number: i32,
    mask: u32,
}

impl Watch {
    fn tell(&self, mask: u32, cookie: u32, name: &[u8]) {
        self.core.tell(self.number, mask, cookie, name);
    }

    /// It tells no more.
    fn end(&self) {
        self.core.state.lock().places.remove(&self.number);
        WATCHES.fetch_sub(1, Relaxed);
    }
}

struct Watched {
    /// Keeps the address from being another's.
    _address: Weak<dyn Inode>,
    /// Keeps the inode in memory while it has a name.
    named: Option<Arc<dyn Inode>>,
    /// Of its file system.
    device: u64,
    /// IN_ISDIR if it is a directory.
    directory: u32,
    watches: Vec<Watch>,
}

impl Watched {
    /// All its watches end, for this.
    fn end(&self, why: u32) {
        for watch in &self.watches {
            watch.end();
            if (watch.mask | IN_UNMOUNT) & why != 0 {
                watch.tell(why, 0, b"");
            }
            watch.tell(IN_IGNORED, 0, b"");
        }
    }
}

type Table = HashMap<usize, Watched>;

static TABLE: OnceCell<SpinLock<Table, rank::Inotify>> = OnceCell::new();

/// How many inodes are watched: a mirror of the table, written with its lock held.
static WATCHED: AtomicUsize = AtomicUsize::new(0);
/// How many watches there are; counted with the lock held.
static WATCHES: AtomicUsize = AtomicUsize::new(0);

/// Whether anything is watched.
#[inline]
pub fn any() -> bool {
    WATCHED.load(Relaxed) != 0
}

/// What the table knows an inode by.
pub fn address(inode: &Arc<dyn Inode>) -> usize {
    Arc::as_ptr(inode).addr()
}

/// Does `act` with the table, if there has ever been a watch. What it returns is
/// dropped without the lock.
fn with_table<R>(act: impl FnOnce(&mut Table) -> R) -> Option<R> {
    let mut table = TABLE.get()?.lock();
    let result = act(&mut table);
    WATCHED.store(table.len(), Relaxed);
    Some(result)
}

/// Takes the watch that `core` has on an inode out of the table, and what is held of
/// the inode if it was the only one.
fn take(table: &mut Table, key: usize, core: &Arc<Core>) -> Option<(Watch, Option<Watched>)> {
    let watches = &mut table.get_mut(&key)?.watches;
    let at = watches
        .iter()
        .position(|watch| Arc::ptr_eq(&watch.core, core))?;
    let watch = watches.swap_remove(at);
    watch.end();
    let watched = match watches.is_empty() {
        true => table.remove(&key),
        false => None,
    };
    Some((watch, watched))
}

/// Watches `inode` for `mask`, or changes for what it is watched; the watch's number.
///
/// # Errors
/// `EEXIST` if it is watched already and must not be; `ENOSPC` if there are too many
/// watches; `ENOMEM`.
pub fn add(inotify: &Inotify, inode: &Arc<dyn Inode>, mask: u32) -> Result<i32, Errno> {
    let core = &inotify.core;
    let key = address(inode);
    let Metadata { device, kind, .. } = inode.metadata();
    TABLE.get_or_init(|| SpinLock::new(HashMap::new()));
    let add = |table: &mut Table| {
        let wanted = mask & (IN_ALL_EVENTS | IN_ONESHOT);
        let watched = table.get_mut(&key);
        let mut watches = watched.into_iter().flat_map(|watched| &mut watched.watches);
        if let Some(watch) = watches.find(|watch| Arc::ptr_eq(&watch.core, core)) {
            if mask & IN_MASK_CREATE != 0 {
                return Err(Errno::EEXIST);
            }
            let kept = match mask & IN_MASK_ADD {
                0 => 0,
                _ => watch.mask,
            };
            watch.mask = kept | wanted;
            return Ok(watch.number);
        }
        if WATCHES.load(Relaxed) >= MAX_USER_WATCHES.get() {
            return Err(Errno::ENOSPC);
        }
        let mut state = core.state.lock();
        let number = state.last.checked_add(1).ok_or(Errno::ENOSPC)?;
        let reserved = state.places.try_reserve(1);
        reserved.map_err(|_| Errno::ENOMEM)?;
        let watch = Watch {
            core: core.clone(),
            number,
            mask: wanted,
        };
        match table.get_mut(&key) {
            Some(watched) => {
                let reserved = watched.watches.try_reserve(1);
                reserved.map_err(|_| Errno::ENOMEM)?;
                watched.watches.push(watch);
            }
            None => {
                table.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                let mut watches = try_vec(1)?;
                watches.push(watch);
                let watched = Watched {
                    _address: Arc::downgrade(inode),
                    named: Some(inode.clone()),
                    device,
                    directory: flag(kind),
                    watches,
                };
                table.insert(key, watched);
            }
        }
        state.places.insert(number, key);
        state.last = number;
        WATCHES.fetch_add(1, Relaxed);
        Ok(number)
    };
    let number = with_table(add).unwrap_or(Err(Errno::ENOMEM))?;
    if inode.metadata().links == 0 {
        // Who took the last name may have seen no watch.
        nameless(inode);
    }
    Ok(number)
}

/// Ends a watch: EINVAL if there is none of that number.
pub fn remove(inotify: &Inotify, number: i32) -> Result<(), Errno> {
    let core = &inotify.core;
    let remove = |table: &mut Table| {
        let key = core.state.lock().places.get(&number).copied()?;
        let taken = take(table, key, core)?;
        taken.0.tell(IN_IGNORED, 0, b"");
        Some(taken)
    };
    with_table(remove).flatten().map(drop).ok_or(Errno::EINVAL)
}

/// Ends all watches of an inotify.
pub(super) fn remove_all(core: &Arc<Core>) {
    let places = core::mem::take(&mut core.state.lock().places);
    for key in places.into_values() {
        drop(with_table(|table| take(table, key, core)));
    }
}

/// Tells those who watch an inode for some of `mask`.
pub fn tell(key: usize, mask: u32, cookie: u32, name: &[u8]) {
    let tell = |table: &mut Table| {
        let watches = &table.get(&key)?.watches;
        let wants = |watch: &&Watch| watch.mask & mask & IN_ALL_EVENTS != 0;
        let mut ends = false;
        for watch in watches.iter().filter(wants) {
            watch.tell(mask, cookie, name);
            ends |= watch.mask & IN_ONESHOT != 0;
        }
        match ends {
            true => end_oneshots(table, key, mask),
            false => None,
        }
    };
    drop(with_table(tell));
}

/// Ends those that were told once; what was held of the inode if there are no others.
#[cold]
fn end_oneshots(table: &mut Table, key: usize, mask: u32) -> Option<Watched> {
    let watched = table.get_mut(&key)?;
    let told = |watch: &mut Watch| watch.mask & IN_ONESHOT != 0 && watch.mask & mask != 0;
    for watch in watched.watches.extract_if(.., told) {
        watch.end();
        watch.tell(IN_IGNORED, 0, b"");
    }
    match watched.watches.is_empty() {
        true => table.remove(&key),
        false => None,
    }
}

/// Whether an inode is watched.
pub fn is_watched(inode: &Arc<dyn Inode>) -> bool {
    with_table(|table| table.contains_key(&address(inode))).unwrap_or(false)
}

/// An inode has lost its last name.
pub fn nameless(inode: &Arc<dyn Inode>) {
    let named = with_table(|table| table.get_mut(&address(inode))?.named.take());
    drop(named);
}

/// A file system is unmounted: none of its inodes is watched, or kept for it, any
/// more. ENOMEM.
pub fn unmounted(device: u64) -> Result<(), Errno> {
    let end = |table: &mut Table| {
        let mut ended: Vec<Watched> = try_vec(table.len())?;
        ended.extend(
            table
                .extract_if(|_, watched| watched.device == device)
                .map(|(_, watched)| watched),
        );
        for watched in &ended {
            watched.end(IN_UNMOUNT | watched.directory);
        }
        Ok(ended)
    };
    with_table(end).transpose().map(drop)
}

/// An inode, at `key`, goes with its last user.
#[cold]
pub(super) fn gone(key: usize) {
    drop(with_table(|table| {
        let watched = table.remove(&key)?;
        watched.end(IN_DELETE_SELF);
        Some(watched)
    }));
}
