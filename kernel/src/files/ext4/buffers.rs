//! Blocks of metadata in memory, and the changes that wait for a commit.
//!
//! [`Buffers`] holds blocks by number. Operations change them one operation at
//! a time: what a block was before is kept until the operation has succeeded,
//! so that one that fails leaves no trace. All changes since the last commit
//! are one transaction; [`Buffers::close`] ends it and hands out its blocks,
//! which nobody changes any more: who changes a block that others hold changes
//! a copy.
//!
//! Blocks of ended transactions are kept until [`Buffers::homeless`] has handed
//! them to a checkpoint: their content on the disk is old. No locks: all of it belongs
//! to the volume's state.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use hashbrown::HashMap;

use super::checksum::crc32c;
use super::seal::{self, Kind};
use super::storage::{Block, Storage};
use crate::files::allocate::{try_shrink, try_shrink_map};

struct Buffer {
    block: Arc<Block>,
    kind: Kind,
    /// Changed in the running transaction.
    dirty: bool,
    used: bool,
    /// The operation that has kept what was before.
    kept_by: u64,
}

/// What a block was before an operation; `None` if it was not in memory.
struct Before {
    number: u64,
    buffer: Option<(Arc<Block>, Kind, bool)>,
}

/// A transaction that has ended.
pub struct Closed {
    pub blocks: Vec<(u64, Arc<Block>)>,
    /// Blocks that hold no metadata any more: an older transaction must not be
    /// replayed over them.
    pub revoked: Vec<u64>,
    /// The bitmaps of blocks among them: group, number, content.
    pub bitmaps: Vec<(u32, u64, Arc<Block>)>,
}

/// See the module.
pub struct Buffers {
    storage: Arc<dyn Storage>,
    /// What checksums begin with, if there are any.
    seed: Option<u32>,
    map: HashMap<u64, Buffer>,
    /// A block could not be read: the disk is bad, not what is on it.
    has_failed: bool,
    /// In transactions that have ended, and not home yet.
    homeless: HashMap<u64, Arc<Block>>,
    /// Blocks of the running transaction; some may be clean again.
    dirty: Vec<u64>,
    revoked: Vec<u64>,
    operation: u64,
    before: Vec<Before>,
    /// Lengths at the beginning of the operation.
    dirty_before: usize,
    revoked_before: usize,
}

impl Buffers {
    pub fn new(storage: Arc<dyn Storage>, seed: Option<u32>) -> Buffers {
        Buffers {
            storage,
            seed,
            map: HashMap::new(),
            has_failed: false,
            homeless: HashMap::new(),
            dirty: Vec::new(),
            revoked: Vec::new(),
            operation: 0,
            before: Vec::new(),
            dirty_before: 0,
            revoked_before: 0,
        }
    }

    /// Blocks that the running transaction has changed, and revoked.
    pub fn changes(&self) -> usize {
        self.dirty.len() + self.revoked.len()
    }

    pub fn has(&self, number: u64) -> bool {
        let buffer = self.map.get(&number);
        buffer.is_some_and(|buffer| buffer.kind != Kind::Gone)
    }

    /// Whether the disk has ever refused to be read.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether the running transaction has changed it.
    pub fn is_dirty(&self, number: u64) -> bool {
        self.map.get(&number).is_some_and(|buffer| buffer.dirty)
    }

    /// The content of a block, if it is in memory.
    pub fn peek(&self, number: u64) -> Option<&Block> {
        self.map.get(&number).map(|buffer| &*buffer.block)
    }

    /// The content of a block: EIO if it cannot be read or its checksum is
    /// wrong, ENOMEM.
    pub fn get(&mut self, number: u64, kind: Kind) -> Result<Arc<Block>, Errno> {
        if let Some(buffer) = self.map.get_mut(&number)
            && buffer.kind != Kind::Gone
        {
            buffer.used = true;
            return Ok(buffer.block.clone());
        }
        if number >= self.storage.blocks() {
            return damaged(number, kind);
        }
        let block = match self.homeless.get(&number) {
            Some(block) => block.clone(),
            None => {
                let mut block = Block::new()?;
                if let Err(error) = self.storage.read(number, &mut block) {
                    self.has_failed = true;
                    return Err(error);
                }
                if let Some(seed) = self.seed
                    && !seal::is_intact(kind, number, &block, seed)
                {
                    return damaged(number, kind);
                }
                block.share()?
            }
        };
        self.put(number, block.clone(), kind)?;
        Ok(block)
    }

    fn put(&mut self, number: u64, block: Arc<Block>, kind: Kind) -> Result<(), Errno> {
        self.map.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let buffer = Buffer {
            block,
            kind,
            dirty: false,
            used: true,
            kept_by: 0,
        };
        self.map.insert(number, buffer);
        Ok(())
    }

    /// A clean block whose content is known otherwise.
    pub fn put_clean(&mut self, number: u64, block: Arc<Block>, kind: Kind) -> Result<(), Errno> {
        self.put(number, block, kind)
    }

    /// Begins an operation.
    pub fn begin(&mut self) {
        self.operation += 1;
        self.dirty_before = self.dirty.len();
        self.revoked_before = self.revoked.len();
    }

    /// The number of the operation, or of the last one.
    pub fn operation(&self) -> u64 {
        self.operation
    }

    /// The operation has succeeded.
    pub fn finish(&mut self) {
        self.before.clear();
    }

    /// The operation has failed: everything is as it was at its beginning.
    pub fn undo(&mut self) {
        while let Some(Before { number, buffer }) = self.before.pop() {
            match (buffer, self.map.get_mut(&number)) {
                (Some((block, kind, dirty)), Some(now)) => {
                    now.block = block;
                    now.kind = kind;
                    now.dirty = dirty;
                    now.kept_by = 0;
                }
                (None, Some(_)) => {
                    self.map.remove(&number);
                }
                // What was kept stays in the map.
                (_, None) => {}
            }
        }
        self.dirty.truncate(self.dirty_before);
        self.revoked.truncate(self.revoked_before);
    }

    /// Keeps what block `number`, which is in the map, is now.
    fn keep(&mut self, number: u64) -> Result<(), Errno> {
        self.before.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.dirty.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let Some(buffer) = self.map.get_mut(&number) else {
            return Ok(());
        };
        if buffer.kept_by != self.operation {
            buffer.kept_by = self.operation;
            let was = (buffer.block.clone(), buffer.kind, buffer.dirty);
            self.before.push(Before {
                number,
                buffer: Some(was),
            });
        }
        Ok(())
    }

    /// The content, to be changed by the current operation: as `get`.
    pub fn change(&mut self, number: u64, kind: Kind) -> Result<&mut Block, Errno> {
        // Held until the copy is made, which it makes necessary.
        let _content = self.get(number, kind)?;
        self.keep(number)?;
        drop(_content);
        let buffer = self.map.get_mut(&number).ok_or(Errno::EIO)?;
        if Arc::get_mut(&mut buffer.block).is_none() {
            buffer.block = buffer.block.copy()?.share()?;
        }
        if !buffer.dirty {
            buffer.dirty = true;
            self.dirty.push(number);
        }
        buffer.kind = kind;
        Arc::get_mut(&mut buffer.block).ok_or(Errno::EIO)
    }

    /// A block that becomes metadata now: all zero. ENOMEM.
    pub fn fresh(&mut self, number: u64, kind: Kind) -> Result<&mut Block, Errno> {
        let block = Block::new()?.share()?;
        match self.map.contains_key(&number) {
            true => {
                self.keep(number)?;
            }
            false => {
                self.before.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                self.dirty.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                self.put(number, block.clone(), kind)?;
                self.before.push(Before {
                    number,
                    buffer: None,
                });
            }
        }
        let buffer = self.map.get_mut(&number).ok_or(Errno::EIO)?;
        buffer.block = block;
        buffer.kind = kind;
        buffer.kept_by = self.operation;
        if !buffer.dirty {
            buffer.dirty = true;
            self.dirty.push(number);
        }
        Arc::get_mut(&mut buffer.block).ok_or(Errno::EIO)
    }

    /// A block that holds no metadata any more. ENOMEM.
    pub fn forget(&mut self, number: u64) -> Result<(), Errno> {
        self.revoked.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        if self.map.contains_key(&number) {
            self.keep(number)?;
        }
        if let Some(buffer) = self.map.get_mut(&number) {
            buffer.kind = Kind::Gone;
            buffer.dirty = false;
        }
        // What is not in the journal cannot be replayed; and may be given out
        // again in this very transaction.
        if self.homeless.contains_key(&number) {
            self.revoked.push(number);
        }
        Ok(())
    }

    /// The blocks of the running transaction, by kind.
    pub fn dirty(&self) -> impl Iterator<Item = (u64, Kind)> {
        self.dirty.iter().filter_map(|number| {
            let buffer = self.map.get(number)?;
            buffer.dirty.then_some((*number, buffer.kind))
        })
    }

    /// Ends the transaction, with all checksums set. No operation is under way.
    /// ENOMEM, and then it goes on.
    pub fn close(&mut self) -> Result<Closed, Errno> {
        let mut blocks = Vec::new();
        blocks
            .try_reserve_exact(self.dirty.len())
            .map_err(|_| Errno::ENOMEM)?;
        let mut bitmaps = Vec::new();
        for number in &self.dirty {
            let Some(buffer) = self.map.get_mut(number).filter(|buffer| buffer.dirty) else {
                continue;
            };
            if let Some(seed) = self.seed {
                if Arc::get_mut(&mut buffer.block).is_none() {
                    buffer.block = buffer.block.copy()?.share()?;
                }
                if let Some(block) = Arc::get_mut(&mut buffer.block) {
                    seal::seal(buffer.kind, *number, block, seed);
                }
            }
            blocks.push((*number, buffer.block.clone()));
            if let Kind::BlockBitmap { group } = buffer.kind {
                bitmaps.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                bitmaps.push((group, *number, buffer.block.clone()));
            }
        }
        self.homeless
            .try_reserve(blocks.len())
            .map_err(|_| Errno::ENOMEM)?;
        for number in &self.revoked {
            self.homeless.remove(number);
        }
        for (number, block) in &blocks {
            if let Some(buffer) = self.map.get_mut(number) {
                buffer.dirty = false;
            }
            self.homeless.insert(*number, block.clone());
        }
        self.dirty.clear();
        Ok(Closed {
            blocks,
            revoked: core::mem::take(&mut self.revoked),
            bitmaps,
        })
    }

    /// The first blocks from `next` on that are not home, by number: as many as
    /// `part` has room for. No transaction is being written.
    pub fn homeless(&self, next: u64, part: &mut Vec<(u64, Arc<Block>)>) {
        part.clear();
        for (&number, block) in &self.homeless {
            let at = part.partition_point(|&(other, _)| other < number);
            let is_full = part.len() == part.capacity();
            if number < next || is_full && at == part.len() {
                continue;
            }
            if is_full {
                part.pop();
            }
            part.insert(at, (number, block.clone()));
        }
    }

    pub fn homeless_count(&self) -> usize {
        self.homeless.len()
    }

    /// What `homeless` gave has come home.
    pub fn arrived(&mut self) {
        self.homeless.clear();
    }

    /// Drops clean blocks that were not used since the last call; all that can
    /// be if `all`. How many.
    pub fn shrink(&mut self, all: bool) -> usize {
        let before = self.map.len();
        self.map.retain(|_, buffer| {
            let used = core::mem::take(&mut buffer.used);
            buffer.dirty || used && !all
        });
        let dropped = before - self.map.len();
        if all {
            try_shrink_map(&mut self.map);
            try_shrink_map(&mut self.homeless);
            try_shrink(&mut self.dirty, 0);
        }
        dropped
    }

    /// Blocks in memory.
    pub fn count(&self) -> usize {
        self.map.len()
    }

    /// The checksum of part of a block, with the volume's seed.
    pub fn checksum(&self, bytes: &[u8]) -> Option<u32> {
        self.seed.map(|seed| crc32c(seed, bytes))
    }
}

fn damaged<T>(number: u64, kind: Kind) -> Result<T, Errno> {
    log::error!("ext4: block {number}, read as {kind:?}, is damaged: run e2fsck on the disk");
    Err(Errno::EIO)
}
