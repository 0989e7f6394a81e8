//! File systems on disks: what the VFS keeps in memory of a [`Volume`].
//!
//! [`DiskFs`] is a mounted volume and [`Node`] one inode of it. Names that were
//! looked up stay with their directory ([`directory`]), pages with their file
//! ([`pages`]), so that what is known costs no call of the volume. Both give
//! memory back when it runs short. What need not be done at once is done by
//! the thread of [`caretaker`].
//!
//! Locks, outermost first: `tree`, shared by changes in one directory and
//! alone for those that need two to agree; a directory's names; `loading`, so
//! that an inode gets one node only; `releasing`, so that who frees inodes waits
//! for others who do. The table of nodes and a node's attributes have spin locks.
//! A volume's own locks come after all of these.

mod attributes;
pub mod caretaker;
mod directory;
mod failures;
mod inode;
mod node;
mod nodes;
mod pages;
mod rename;
#[cfg(test)]
mod tests;
pub mod volume;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use sync::{Mutex, RwLock, SpinLock, rank};

use super::allocate::try_arc;
use super::cache;
use super::ext4::{DiskStorage, Ext4};
use super::inode::{Inode, Statistics};
use super::reclaim;
use crate::device::disk;
use directory::shrink_names;
use failures::Failures;
pub use node::Node;
use nodes::{Left, Nodes};
use pages::Pages;
use volume::{Attributes, Number, Volume};

/// A mounted volume.
pub struct DiskFs {
    volume: Arc<dyn Volume>,
    device: u64,
    read_only: bool,
    /// Guards the agreement of several directories; see the module.
    tree: RwLock<(), rank::Tree>,
    loading: Mutex<(), rank::NodeLoading>,
    /// Held while inodes that were left are freed.
    releasing: Mutex<(), rank::NodeRelease>,
    nodes: SpinLock<Nodes, rank::NodeTable>,
    /// Something was changed that no commit has covered yet.
    changed: AtomicBool,
    failures: Failures,
}

/// `EXT4_SUPER_MAGIC` (statfs(2)).
const MAGIC: u32 = 0xef53;

/// Mounts the file system on disk number `index`; its root directory: ENXIO if
/// there is no such disk, EBUSY if it is mounted already, EINVAL if no file
/// system is found there, EROFS if the disk cannot be written.
pub fn mount(index: usize, read_only: bool) -> Result<Arc<Node>, Errno> {
    let disk = disk::find(index).ok_or(Errno::ENXIO)?;
    if disk.read_only() && !read_only {
        return Err(Errno::EROFS);
    }
    let device = disk::number(index);
    // One mount at a time, so that nobody mounts the same disk meanwhile.
    let _mounting = MOUNTING.lock();
    if caretaker::knows(device) {
        return Err(Errno::EBUSY);
    }
    let storage = try_arc(DiskStorage::new(disk)?)?;
    let volume = try_arc(Ext4::open(storage, read_only)?)?;
    DiskFs::mount(volume, device, read_only)
}

/// Makes durable what was changed on any disk (sync(2)).
pub fn commit_all() {
    caretaker::for_each(|fs| {
        fs.settle_kept();
        // The volume has logged what is wrong with it.
        let _ = fs.commit();
    });
}

/// Frees the space of files that nobody uses any more, on any disk.
pub fn release_all() {
    caretaker::for_each(|fs| fs.release_left());
}

/// Gives back memory that names and metadata of disks take: what was not used
/// since the last call, or `all` that can be. How much was forgotten.
pub fn shrink(all: bool) -> usize {
    let mut count = 0;
    caretaker::for_each(|fs| {
        count += shrink_names(fs, all) + fs.volume.shrink(all);
        fs.shrink_nodes();
    });
    count
}

/// Writes everything home and leaves the file systems clean. Whoever uses one
/// later gets EIO.
pub fn unmount_all() {
    cache::flush_all();
    caretaker::for_each(|fs| {
        fs.release_left();
        fs.settle_kept();
        fs.close();
    });
}

/// Whether [`unmount`] of `root`, which the caller and its mount hold, would be
/// refused: what can be written and freed before is.
pub fn check_idle(root: &Arc<dyn Inode>) -> Result<(), Errno> {
    let any: Arc<dyn core::any::Any + Send + Sync> = root.clone();
    match any.downcast::<Node>() {
        // A reference more than `unmount` has.
        Ok(root) => root.fs().settle(&root, 3),
        Err(_) => Ok(()),
    }
}

/// The opposite of [`mount`], for a root that no walk leads to any more: EBUSY
/// if something of the file system is in use, EIO if some of a file cannot be
/// written: it can still be read, or removed. One that is in no disk goes by
/// itself.
pub fn unmount(root: Arc<dyn Inode>) -> Result<(), Errno> {
    let any: Arc<dyn core::any::Any + Send + Sync> = root;
    let Ok(root) = any.downcast::<Node>() else {
        return Ok(());
    };
    let _mounting = MOUNTING.lock();
    let fs = root.fs();
    // The caller has one, and its mount.
    fs.settle(&root, 2)?;
    fs.close();
    caretaker::dismiss(fs);
    Ok(())
}

/// Directories that may lie in each other where all names are forgotten, from
/// below: as many as a path can have. Others may remember more meanwhile.
const DEPTH: usize = abi::file::PATH_MAX / 2;

static MOUNTING: Mutex<(), rank::Tree> = Mutex::new(());

impl DiskFs {
    fn mount(volume: Arc<dyn Volume>, device: u64, read_only: bool) -> Result<Arc<Node>, Errno> {
        let root = volume.root();
        let fs = try_arc(DiskFs {
            volume,
            device,
            read_only,
            tree: RwLock::new(()),
            loading: Mutex::new(()),
            releasing: Mutex::new(()),
            nodes: SpinLock::new(Nodes::new()),
            changed: AtomicBool::new(false),
            failures: Failures::new(),
        })?;
        let root = fs.node(root, None)?;
        caretaker::adopt(&fs)?;
        Ok(root)
    }

    /// Writes and frees what can be: EBUSY if anything is in use then but `root`
    /// with so many references, EIO if that is for want of writing it.
    fn settle(self: &Arc<Self>, root: &Arc<Node>, references: usize) -> Result<(), Errno> {
        // What is dirty is not forgotten, nor a directory before those below it.
        cache::flush_all();
        for _ in 0..DEPTH {
            if shrink_names(self, true) == 0 {
                break;
            }
        }
        self.release_left();
        self.settle_kept();
        let in_use = self.nodes_in_use() > 1 || Arc::strong_count(root) > references;
        match in_use || self.has_kept() {
            false => Ok(()),
            true if self.has_unwritten() => Err(Errno::EIO),
            true => Err(Errno::EBUSY),
        }
    }

    /// Whether there is a file that nobody uses and that could not be written
    /// just now.
    fn has_unwritten(&self) -> bool {
        if self.has_kept() {
            return true;
        }
        let mut from = 0;
        while from < self.nodes_in_memory() {
            for node in self.some_nodes(from) {
                // Its names have one reference each, and one is taken here.
                if let Some(node) = node.upgrade()
                    && Arc::strong_count(&node) <= node.most_names() + 1
                    && node.pages().is_some_and(|pages| !pages.is_settled())
                {
                    return true;
                }
            }
            from += 64;
        }
        false
    }

    /// Ends all use of the volume.
    fn close(&self) {
        let result = match self.read_only {
            true => Ok(()),
            false => self.volume.unmount(),
        };
        if let Err(error) = result {
            log::error!("a disk cannot be left clean: {error}; the next mount replays its journal");
        }
    }

    /// EROFS if nothing may be changed.
    fn check_writable(&self) -> Result<(), Errno> {
        match self.read_only {
            true => Err(Errno::EROFS),
            false => Ok(()),
        }
    }

    /// Notes a change, for the next commit.
    fn note_change(&self) {
        if !self.changed.swap(true, Ordering::AcqRel) {
            caretaker::call();
        }
    }

    /// Makes durable what was changed.
    fn commit(&self) -> Result<(), Errno> {
        // Cleared first: what is changed meanwhile may miss this commit.
        self.changed.store(false, Ordering::Release);
        let result = self.volume.commit();
        if result == Err(Errno::ENOMEM) {
            // Nothing is lost; it has to be tried again.
            self.note_change();
        }
        result
    }

    /// Writes back all that is dirty, and commits it. EIO also if a page of any
    /// file cannot be written.
    fn sync(self: &Arc<Self>) -> Result<(), Errno> {
        let before = self.failures.counts();
        cache::flush_all();
        self.settle_kept();
        self.commit()?;
        self.failures.check_since(before)
    }

    /// Before the answer is that there is no space or memory: writes what is
    /// dirty, whose blocks are reserved with caution and whose pages can then be
    /// dropped, and frees what nobody uses.
    fn make_room(self: &Arc<Self>) {
        self.release_left();
        // An error is found again by whoever needs the room.
        let _ = self.sync();
        reclaim::take_back();
    }

    /// The same before there are no blocks, or no inodes, for names.
    fn make_space(self: &Arc<Self>) {
        self.release_left();
        // Writing makes no inodes.
        if self.volume.room().free_inodes > 0 {
            let _ = self.sync();
        }
    }

    fn statistics(&self) -> Statistics {
        let room = self.volume.room();
        Statistics {
            magic: MAGIC,
            block_size: room.block_size,
            blocks: room.blocks,
            free_blocks: room.free_blocks,
            available_blocks: room.free_blocks,
            inodes: room.inodes,
            free_inodes: room.free_inodes,
            id: self.device,
            read_only: self.read_only,
        }
    }

    /// The node of `inode`, which `place` names if it is a directory.
    fn node(
        self: &Arc<Self>,
        inode: Number,
        place: Option<directory::Place>,
    ) -> Result<Arc<Node>, Errno> {
        if let Some(node) = self.loaded(inode) {
            return Ok(node);
        }
        let _loading = self.loading.lock();
        // Someone else may have loaded it while this thread waited.
        if let Some(node) = self.loaded(inode) {
            return Ok(node);
        }
        let attributes = self.volume.attributes(inode)?;
        let pages = self.pages_alive(inode);
        self.enter(inode, attributes, place, pages)
    }

    /// The node of an inode that was just made.
    fn new_node(
        self: &Arc<Self>,
        inode: Number,
        attributes: Attributes,
        place: Option<directory::Place>,
    ) -> Result<Arc<Node>, Errno> {
        let _loading = self.loading.lock();
        self.enter(inode, attributes, place, None)
    }

    /// Makes the node of an inode that has none. The caller holds `loading`.
    fn enter(
        self: &Arc<Self>,
        inode: Number,
        attributes: Attributes,
        place: Option<directory::Place>,
        pages: Option<Pages>,
    ) -> Result<Arc<Node>, Errno> {
        let node = Node::new(self.clone(), inode, attributes, place, pages)?;
        self.add_node(inode, &node)?;
        Ok(node)
    }

    /// Frees the inodes that were left. Who removes a name does this too: its
    /// space is there again when the call returns, and the list stays short.
    /// Also what another thread is freeing is free then: it may be the room that
    /// is missing, and the volume must not be closed before.
    fn release_left(&self) {
        let _releasing = self.releasing.lock();
        while let Some(Left { number, pages }) = self.next_left() {
            if let Some(pages) = pages {
                // No page is written from here on.
                pages.cache().discard();
            }
            let released = self.volume.release(number);
            if released == Err(Errno::ENOMEM) {
                self.leave_again(number);
                return;
            }
            if let Err(error) = released {
                log::error!("inode {number} cannot be freed: {error}");
            }
            self.note_change();
        }
    }
}
