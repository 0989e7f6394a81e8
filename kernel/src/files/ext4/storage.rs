//! [`Storage`]: what a file system lies on, in blocks.
//!
//! Blocks of metadata are moved as [`Block`]s, pages of files as frames. A
//! write that has returned is durable after the next flush only. All calls may
//! sleep.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use abi::Errno;
use machine::frames::Frame;

use crate::files::allocate::{try_arc, try_vec};

/// Bytes of a block: the only size that is supported.
pub const BLOCK: usize = 4096;

/// The content of a block of metadata.
pub struct Block(Box<[u8; BLOCK]>);

impl Block {
    /// All zero. ENOMEM.
    pub fn new() -> Result<Block, Errno> {
        let mut bytes: Vec<u8> = try_vec(BLOCK)?;
        bytes.resize(BLOCK, 0);
        let bytes = bytes.into_boxed_slice().try_into();
        bytes.map(Block).map_err(|_| Errno::ENOMEM)
    }

    /// A copy. ENOMEM.
    pub fn copy(&self) -> Result<Block, Errno> {
        let mut bytes: Vec<u8> = try_vec(BLOCK)?;
        bytes.extend_from_slice(&self.0[..]);
        let bytes = bytes.into_boxed_slice().try_into();
        bytes.map(Block).map_err(|_| Errno::ENOMEM)
    }

    /// Shared from now on. ENOMEM.
    pub fn share(self) -> Result<Arc<Block>, Errno> {
        try_arc(self)
    }
}

impl Deref for Block {
    type Target = [u8; BLOCK];

    fn deref(&self) -> &[u8; BLOCK] {
        &self.0
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8; BLOCK] {
        &mut self.0
    }
}

/// See the module.
pub trait Storage: Send + Sync {
    /// How many blocks there are.
    fn blocks(&self) -> u64;

    /// Whether nothing can be written.
    fn is_read_only(&self) -> bool {
        false
    }

    /// EIO.
    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno>;

    /// Writes blocks, in any order, and waits for all: EIO.
    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno>;

    /// Reads neighbouring blocks into frames: EIO.
    fn read_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno>;

    /// Writes frames to neighbouring blocks: EIO.
    fn write_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno>;

    /// Makes durable all writes that have returned: EIO.
    fn flush(&self) -> Result<(), Errno>;
}
