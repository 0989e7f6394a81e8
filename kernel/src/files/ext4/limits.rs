//! The limits of boot options on a disk: `limit.disk` and `limit.inodes` count
//! from what it has when it is mounted, so they say what has to stay free.
//!
//! Data and new inodes are held to them, and the first block of a directory;
//! other metadata is not, for it must not fail once its data were promised room.

use abi::Errno;

use super::Ext4;
use super::state::State;
use super::storage::BLOCK;
use crate::limits;

/// What is not given out.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeptFree {
    pub blocks: u64,
    pub inodes: u64,
}

impl Ext4 {
    /// What the limits leave untouched of all that is free now.
    pub(super) fn room_to_keep(&self) -> KeptFree {
        let state = self.state.lock();
        KeptFree {
            blocks: state
                .free_blocks
                .saturating_sub((limits::disk() / BLOCK) as u64),
            inodes: state.free_inodes.saturating_sub(limits::inodes() as u64),
        }
    }

    /// Blocks that nobody is promised and no limit keeps.
    pub(super) fn blocks_to_have(&self, state: &State) -> u64 {
        let kept = self.promised() + self.kept_free.blocks;
        state.free_blocks.saturating_sub(kept)
    }

    /// ENOSPC if a limit forbids a new inode.
    pub(super) fn check_limits(&self, state: &State, is_directory: bool) -> Result<(), Errno> {
        let KeptFree { blocks, inodes } = self.kept_free;
        let no_inode = inodes > 0 && state.free_inodes <= inodes;
        let no_block = is_directory && blocks > 0 && self.blocks_to_have(state) == 0;
        match no_inode || no_block {
            true => Err(Errno::ENOSPC),
            false => Ok(()),
        }
    }
}
