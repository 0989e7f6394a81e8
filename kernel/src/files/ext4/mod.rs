//! ext4, the file system that Linux's own tools make and check (kernel
//! documentation, filesystems/ext4), with a journal.
//!
//! From the bottom up: [`storage`] is what it lies on; [`buffers`] holds blocks
//! of metadata, changes of which are one transaction; [`state`] adds inodes
//! ([`inode`]), their [`extents`], the [`groups`] with what is free
//! ([`allocate`]), and directories ([`directory`]); [`names`] and [`data`] are
//! the operations; [`commit`] makes transactions durable through the
//! [`journal`]. [`Ext4`] is the whole, as the VFS wants it ([`Volume`]).
//!
//! Data go between pages and the disk without a copy, and before the
//! transaction that makes them part of their file (what Linux calls ordered).
//!
//! Locks: see [`commit`].

mod allocate;
mod buffers;
mod bytes;
mod checksum;
mod commit;
mod data;
mod directory;
mod disk;
mod entries;
mod extents;
mod groups;
mod index;
mod inode;
mod journal;
mod names;
mod orphans;
mod release;
mod room;
mod seal;
mod state;
mod storage;
mod superblock;
#[cfg(test)]
pub mod tests;
mod volume;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64};

use abi::Errno;
use machine::frames::Frame;
use sync::{Mutex, RwLock, WaitQueue, rank};

pub use disk::DiskStorage;
pub use storage::{BLOCK, Block, Storage};

use self::commit::Log;
use self::extents::Tree;
use self::inode::Inode;
use self::journal::Journal;
use self::room::KeptFree;
use self::state::State;
use self::superblock::Geometry;

/// A mounted file system.
pub struct Ext4 {
    storage: Arc<dyn Storage>,
    log: Mutex<Log, rank::VolumeJournal>,
    /// Those who wait for a commit, or for the log.
    commits: WaitQueue<(), rank::ThreadQueue>,
    gate: RwLock<(), rank::VolumeGate>,
    state: Mutex<State, rank::Volume>,
    read_only: bool,
    /// Pages that are promised room, for they may need it when they are written.
    /// Grows with the state locked.
    promised: AtomicU64,
    /// A page of zeroes, to be written.
    zeroes: Frame,
    /// What limits keep free.
    kept_free: KeptFree,
    /// Blocks that a transaction may have.
    most_blocks: usize,
    /// The last transaction that is durable.
    committed: AtomicU64,
    /// The journal has failed: nothing is written any more.
    aborted: AtomicBool,
}

impl Ext4 {
    /// Mounts the file system that lies on `storage`, after bringing home what
    /// its journal holds: EINVAL if it is none that is known, EROFS if it
    /// cannot be written and that is asked for, EIO, ENOMEM.
    pub fn open(storage: Arc<dyn Storage>, read_only: bool) -> Result<Ext4, Errno> {
        let first = read_first(&*storage)?;
        let mut geometry = Geometry::read(&first, storage.blocks())?;
        if geometry.read_only && !read_only {
            log::error!("the disk has features that forbid writing: mount it read-only");
            return Err(Errno::EROFS);
        }
        let mut journal = open_journal(&storage, &geometry)?;
        // Also if it is not to be written afterwards: what it holds is part of it.
        if journal.needs_recovery() && !storage.is_read_only() {
            log::info!("ext4: bringing home what the journal holds");
            journal.recover()?;
            geometry = Geometry::read(&read_first(&*storage)?, storage.blocks())?;
        }
        if !geometry.is_intact {
            log::error!("the disk cannot be mounted: its superblock is damaged: run e2fsck on it");
            return Err(Errno::EINVAL);
        }
        if !read_only {
            journal.start()?;
        }
        let mut state = State::new(storage.clone(), geometry);
        state.count_free()?;
        let mut ext4 = Ext4 {
            storage,
            most_blocks: commit::most_blocks(&journal),
            commits: WaitQueue::new(),
            log: Mutex::new(Log {
                journal,
                unfinished: None,
            }),
            gate: RwLock::new(()),
            state: Mutex::new(state),
            read_only,
            promised: AtomicU64::new(0),
            zeroes: Frame::alloc_zeroed().ok_or(Errno::ENOMEM)?,
            kept_free: KeptFree::default(),
            committed: AtomicU64::new(0),
            aborted: AtomicBool::new(false),
        };
        if !read_only {
            ext4.mark(true)?;
            ext4.free_orphans()?;
        }
        ext4.kept_free = ext4.room_to_keep();
        Ok(ext4)
    }
}

/// Block 0, which holds the superblock.
fn read_first(storage: &dyn Storage) -> Result<Block, Errno> {
    let mut first = Block::new()?;
    storage.read(0, &mut first)?;
    Ok(first)
}

/// Finds the journal's blocks.
fn open_journal(storage: &Arc<dyn Storage>, geometry: &Geometry) -> Result<Journal, Errno> {
    // What the journal holds may be newer than what is read here, but the
    // journal's own inode never changes.
    let mut state = State::new(storage.clone(), geometry.clone());
    let inode: Inode = state.read_inode(geometry.journal_inode)?;
    if !inode.has_extents() {
        log::error!("the disk cannot be mounted: its journal has no extents");
        return Err(Errno::EINVAL);
    }
    let tree = Tree::read(&mut state, &inode)?;
    let mut runs: Vec<Range<u64>> = Vec::new();
    for extent in tree.extents() {
        runs.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        runs.push(extent.physical..extent.physical + u64::from(extent.length));
    }
    Journal::open(storage.clone(), runs)
}
