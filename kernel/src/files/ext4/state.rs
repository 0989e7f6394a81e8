//! [`State`]: what a mounted volume knows, all under one lock.
//!
//! Operations run one at a time between [`State::begin`] and its end; one that
//! fails is undone as a whole.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;
use hashbrown::HashMap;

use super::buffers::Buffers;
use super::bytes::{put_u16, put_u32, u32_at};
use super::extents::{self, Tree};
use super::index::Index;
use super::inode::Inode;
use super::orphans::Orphans;
use super::seal::Kind;
use super::storage::{BLOCK, Block, Storage};
use super::superblock::{self, Geometry};
use crate::files::disk::volume::Number;

/// Inodes and directory indices that are remembered at most.
const MOST_REMEMBERED: usize = 1024;

/// An inode with what its blocks say.
pub struct Loaded {
    pub inode: Inode,
    pub tree: Tree,
}

pub struct State {
    pub geometry: Geometry,
    pub buffers: Buffers,
    /// Derived from what is in the buffers, to be found sooner.
    pub loaded: HashMap<Number, Loaded>,
    pub indices: HashMap<Number, Index>,
    /// Of groups whose bitmap has changed: the blocks in use in the states that
    /// a crash may bring back. They are not given out though they may be free
    /// now: their old owner would come back with somebody else's bytes.
    pub bases: HashMap<u32, Arc<Block>>,
    /// Blocks that are being written, before they belong to their file, or though it
    /// may lose them meanwhile.
    pub reserved: Vec<Range<u64>>,
    /// Inodes in use without a name.
    pub orphans: Orphans,
    /// The running transaction.
    pub running: u64,
    pub free_blocks: u64,
    pub free_inodes: u64,
    /// Free blocks that the running operation must leave.
    pub left: u64,
    free_before: (u64, u64),
}

impl State {
    pub fn new(storage: Arc<dyn Storage>, geometry: Geometry) -> State {
        State {
            buffers: Buffers::new(storage, geometry.seed),
            geometry,
            loaded: HashMap::new(),
            indices: HashMap::new(),
            bases: HashMap::new(),
            reserved: Vec::new(),
            orphans: Orphans::new(),
            running: 1,
            free_blocks: 0,
            free_inodes: 0,
            free_before: (0, 0),
            left: 0,
        }
    }

    /// Begins an operation, which must leave so many free blocks.
    pub fn begin(&mut self, left: u64) {
        self.left = left;
        if self.loaded.len() > MOST_REMEMBERED {
            self.loaded.clear();
        }
        if self.indices.len() > MOST_REMEMBERED {
            self.indices.clear();
        }
        self.free_before = (self.free_blocks, self.free_inodes);
        self.orphans.begin();
        self.buffers.begin();
    }

    /// Ends the operation: keeps what it did, or nothing of it.
    pub fn end(&mut self, succeeded: bool) {
        if succeeded {
            self.buffers.finish();
            return;
        }
        self.buffers.undo();
        self.loaded.clear();
        let failed = self.buffers.operation();
        self.indices.retain(|_, index| index.changed_by != failed);
        (self.free_blocks, self.free_inodes) = self.free_before;
        self.orphans.undo();
    }

    /// The head of the chain of orphans.
    pub fn set_first_orphan(&mut self, number: Number) -> Result<(), Errno> {
        let first = self.buffers.change(0, Kind::Superblock)?;
        put_u32(&mut first[..], superblock::LAST_ORPHAN, number);
        Ok(())
    }

    pub fn first_orphan(&mut self) -> Result<Number, Errno> {
        let first = self.buffers.get(0, Kind::Superblock)?;
        Ok(u32_at(&first[..], superblock::LAST_ORPHAN))
    }

    /// The superblock, which no transaction has changed, with what tells Linux
    /// and e2fsck how the volume was left: to be written.
    pub fn mark(&mut self, needs_recovery: bool, now: u64) -> Result<Arc<Block>, Errno> {
        let (blocks, inodes) = (self.free_blocks, self.free_inodes);
        let mut first = self.buffers.get(0, Kind::Superblock)?.copy()?;
        let features = u32_at(&first[..], superblock::INCOMPATIBLE);
        let features = match needs_recovery {
            true => features | superblock::NEEDS_RECOVERY,
            false => features & !superblock::NEEDS_RECOVERY,
        };
        put_u32(&mut first[..], superblock::INCOMPATIBLE, features);
        put_u32(&mut first[..], superblock::FREE_BLOCKS, blocks as u32);
        put_u32(
            &mut first[..],
            superblock::FREE_BLOCKS_HIGH,
            (blocks >> 32) as u32,
        );
        put_u32(&mut first[..], superblock::FREE_INODES, inodes as u32);
        put_u32(
            &mut first[..],
            superblock::WRITE_TIME,
            (now / 1_000_000_000) as u32,
        );
        // Clean; errors are not noted there.
        put_u16(&mut first[..], superblock::STATE, 1);
        if self.geometry.seed.is_some() {
            superblock::seal(&mut first);
        }
        let first = first.share()?;
        self.buffers.put_clean(0, first.clone(), Kind::Superblock)?;
        Ok(first)
    }

    /// Where an inode's record is: block and offset.
    fn place_of(&mut self, number: Number) -> Result<(u64, usize), Errno> {
        if number == 0 || number > self.geometry.inodes {
            log::error!("ext4: there is no inode {number}: run e2fsck on the disk");
            return Err(Errno::EIO);
        }
        let group = (number - 1) / self.geometry.inodes_per_group;
        let index = (number - 1) % self.geometry.inodes_per_group;
        let table = self.descriptor(group)?.inode_table;
        let offset = index as usize * self.geometry.inode_size;
        Ok((table + (offset / BLOCK) as u64, offset % BLOCK))
    }

    /// Reads an inode's record: EIO if it is damaged or not in use.
    pub fn read_inode(&mut self, number: Number) -> Result<Inode, Errno> {
        let (block, at) = self.place_of(number)?;
        let size = self.geometry.inode_size;
        let content = self.buffers.get(block, Kind::InodeTable)?;
        let inode = Inode::from_bytes(number, &content[at..at + size]);
        let intact = self
            .geometry
            .seed
            .is_none_or(|seed| inode.is_intact(seed, size));
        if !intact || inode.kind().is_none() {
            log::error!("ext4: inode {number} is damaged: run e2fsck on the disk");
            return Err(Errno::EIO);
        }
        Ok(inode)
    }

    /// Writes it.
    pub fn write_inode(&mut self, inode: &mut Inode) -> Result<(), Errno> {
        let (block, at) = self.place_of(inode.number)?;
        let size = self.geometry.inode_size;
        if let Some(seed) = self.geometry.seed {
            inode.seal(seed, size);
        }
        let content = self.buffers.change(block, Kind::InodeTable)?;
        content[at..at + size].copy_from_slice(inode.bytes(size));
        Ok(())
    }

    /// Takes an inode and its tree out of what is remembered, or reads them.
    /// Whoever has not spoilt it gives it back with `put`.
    pub fn take(&mut self, number: Number) -> Result<Loaded, Errno> {
        if let Some(loaded) = self.loaded.remove(&number) {
            return Ok(loaded);
        }
        let mut inode = self.read_inode(number)?;
        if !extents::claim_body(&mut inode) {
            log::error!("ext4: inode {number} has a map of blocks, as of ext3, which is not known");
            return Err(Errno::EIO);
        }
        let tree = match inode.has_extents() {
            true => Tree::read(self, &inode)?,
            false => Tree::empty(),
        };
        Ok(Loaded { inode, tree })
    }

    pub fn put(&mut self, loaded: Loaded) {
        // Without memory it is read again.
        if self.loaded.try_reserve(1).is_ok() {
            self.loaded.insert(loaded.inode.number, loaded);
        }
    }

    /// Calls `act` with an inode, and remembers it if that succeeds.
    pub fn with<R>(
        &mut self,
        number: Number,
        act: impl FnOnce(&mut State, &mut Loaded) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let mut loaded = self.take(number)?;
        let result = act(self, &mut loaded)?;
        self.put(loaded);
        Ok(result)
    }

    /// As `with`, and writes the inode's record.
    pub fn edit<R>(
        &mut self,
        number: Number,
        act: impl FnOnce(&mut State, &mut Loaded) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.with(number, |state, loaded| {
            let result = act(state, loaded)?;
            state.write_inode(&mut loaded.inode)?;
            Ok(result)
        })
    }

    /// What checksums of an inode's blocks begin with.
    pub fn seed_of(&self, inode: &Inode) -> u32 {
        self.geometry.seed.map_or(0, |seed| inode.seed(seed))
    }
}
