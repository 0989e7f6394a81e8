//! The file system in memory: what the initial image is unpacked into.
//!
//! [`RamFs`] is one tree of [`Node`]s. Directory entries own their nodes, so a
//! file lives until its last name and its last open file are gone.
//!
//! Locks: every change of names holds the tree lock, shared if it changes one
//! directory, alone if it needs two to agree (rename, removal of a directory);
//! then the locks of the directories, one after the other. A path walk takes
//! only directory locks. A file's content has its cache's locks. Sizes of names and data are bounded by the memory
//! that is to spare: what is missing then is space (ENOSPC).

mod content;
mod directory;
mod entries;
mod node;
mod numbers;
mod room;
mod unnamed;
mod unpack;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames;
use sync::{RwLock, SpinLock, rank};

pub use self::node::Node;
use self::numbers::Numbers;
pub use self::unnamed::unnamed;
pub use self::unpack::unpack;
use super::allocate::{memory_to_spare, spare_frames, try_arc};
use super::clock;
use super::inode::{Maker, Statistics};
use crate::limits;

/// One file system in memory.
pub struct RamFs {
    /// Guards the agreement of several directories; see the module.
    tree: RwLock<(), rank::Tree>,
    numbers: SpinLock<Numbers, rank::InodeNumbers>,
    seed: AtomicU64,
    device: u64,
}

/// `RAMFS_MAGIC` (statfs(2)).
const MAGIC: u32 = 0x8584_58f6;

impl RamFs {
    /// An empty file system, without a root.
    fn new() -> Result<Arc<RamFs>, Errno> {
        try_arc(RamFs {
            tree: RwLock::new(()),
            numbers: SpinLock::new(Numbers::new()),
            seed: AtomicU64::new(0),
            device: crate::files::new_device(),
        })
    }

    /// An empty file system; its root directory.
    pub fn make_root() -> Result<Arc<Node>, Errno> {
        try_arc(Node::directory(RamFs::new()?, Maker::root(0o755), None)?)
    }

    /// All memory counts as its space, and what is to spare as free.
    fn statistics(&self) -> Statistics {
        let blocks = frames::total_count() as u64;
        let free_blocks = spare_frames() as u64;
        // There is no table of inodes: as many fit as there is memory for.
        let per_block = PAGE_SIZE as u64 / size_of::<Node>() as u64;
        let free_inodes = (free_blocks * per_block).min(self.numbers.lock().left() as u64);
        Statistics {
            magic: MAGIC,
            block_size: PAGE_SIZE as u64,
            blocks,
            free_blocks,
            available_blocks: free_blocks,
            inodes: blocks * per_block,
            free_inodes,
            id: self.device,
            read_only: false,
        }
    }

    /// A seed for a directory's hash: the time to the nanosecond, stirred.
    fn next_seed(&self) -> u64 {
        let old = self.seed.load(Ordering::Relaxed);
        let seed = entries::mix(old ^ clock::now());
        self.seed.store(seed, Ordering::Relaxed);
        seed
    }
}

impl Node {
    /// From here on `limit.inodes` says how many more its file system can have.
    pub fn limit_inodes(&self) {
        self.fs.numbers.lock().allow(limits::inodes());
    }
}

/// ENOSPC unless there is memory that files may take.
fn spare_memory() -> Result<(), Errno> {
    match memory_to_spare() {
        true => Ok(()),
        false => Err(Errno::ENOSPC),
    }
}

#[cfg(test)]
mod tests;
