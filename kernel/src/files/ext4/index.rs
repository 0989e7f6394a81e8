//! An index of a large directory's names, in memory only: a hash leads to the
//! block that may hold the name. It is made from the blocks when it is first
//! needed, and may be dropped at any time.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use abi::Errno;
use hashbrown::{DefaultHashBuilder, HashTable};

/// A name's hash and its block.
struct Slot {
    hash: u32,
    block: u32,
}

/// See the module.
pub struct Index {
    slots: HashTable<Slot>,
    builder: DefaultHashBuilder,
    /// The largest gap of each block, or more: in bytes.
    pub gaps: Vec<u16>,
    /// The last operation that has changed it, or in which it was made: if that
    /// one fails, it is wrong.
    pub changed_by: u64,
}

impl Index {
    pub fn new(operation: u64) -> Index {
        Index {
            slots: HashTable::new(),
            builder: DefaultHashBuilder::default(),
            gaps: Vec::new(),
            changed_by: operation,
        }
    }

    pub fn hash(&self, name: &[u8]) -> u32 {
        self.builder.hash_one(name) as u32
    }

    /// ENOMEM.
    pub fn add(&mut self, name: &[u8], block: u32) -> Result<(), Errno> {
        let hash = self.hash(name);
        self.slots
            .try_reserve(1, |slot| u64::from(slot.hash) << 32 | u64::from(slot.hash))
            .map_err(|_| Errno::ENOMEM)?;
        let wide = u64::from(hash) << 32 | u64::from(hash);
        self.slots
            .insert_unique(wide, Slot { hash, block }, |slot| {
                u64::from(slot.hash) << 32 | u64::from(slot.hash)
            });
        Ok(())
    }

    /// The name is not in the block any more.
    pub fn remove(&mut self, name: &[u8], block: u32) {
        let hash = self.hash(name);
        let wide = u64::from(hash) << 32 | u64::from(hash);
        let same = |slot: &Slot| slot.hash == hash && slot.block == block;
        if let Ok(entry) = self.slots.find_entry(wide, same) {
            entry.remove();
        }
    }

    /// The blocks that may hold the name, each once.
    pub fn blocks(&self, name: &[u8]) -> Result<Vec<u32>, Errno> {
        let hash = self.hash(name);
        let wide = u64::from(hash) << 32 | u64::from(hash);
        let mut blocks = Vec::new();
        for slot in self.slots.iter_hash(wide).filter(|slot| slot.hash == hash) {
            if !blocks.contains(&slot.block) {
                blocks.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                blocks.push(slot.block);
            }
        }
        Ok(blocks)
    }
}
