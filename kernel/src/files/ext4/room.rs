//! Who may take what is free.
//!
//! Data are promised room when they become dirty, and take it when they are
//! written back. A promise must hold: the program has been told that its data
//! were taken. So there are always [`NEED`] free blocks for each page that is
//! promised room: its own, and what its extent may need at worst, a new leaf and
//! an index block above it. Nobody else may take those:
//! - data get no promise that leaves less, and [`SPARE`] besides;
//! - names and allocations do not either ([`State::left`]);
//! - pages that have blocks need no promise. An extent that is allocated and not
//!   written is split for them only if that leaves enough; else it stays whole, and
//!   the rest of it is written with zeroes ([`State::plan_write`]).
//!
//! The limits of boot options on a disk, `limit.disk` and `limit.inodes`, count
//! from what it has when it is mounted, so they say what has to stay free. Data
//! and new inodes are held to them, and the first block of a directory.
//!
//! [`State::left`]: super::state::State::left
//! [`State::plan_write`]: super::state::State::plan_write

use core::ops::Range;
use core::sync::atomic::Ordering;

use abi::Errno;

use super::Ext4;
use super::data::Lack;
use super::state::State;
use super::storage::BLOCK;
use crate::files::disk::volume::Number;
use crate::limits;

/// Blocks that a page in a hole may take.
const NEED: u64 = 3;
/// Blocks that are not promised: for trees that get a level more, and files that
/// grow into what was allocated behind their end.
const SPARE: u64 = 64;

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

    /// Pages that are promised room.
    pub(super) fn promised(&self) -> u64 {
        self.promised.load(Ordering::Acquire)
    }

    /// Blocks that nobody is promised and no limit keeps.
    pub(super) fn blocks_to_have(&self, state: &State) -> u64 {
        let kept = self.promised() + self.kept_free.blocks;
        state.free_blocks.saturating_sub(kept)
    }

    /// Free blocks that only data may take which were promised them.
    pub(super) fn kept_for_data(&self) -> u64 {
        self.promised() * NEED + SPARE
    }

    /// Whether extents had better stay whole.
    pub(super) fn is_tight(&self, state: &State) -> bool {
        state.free_blocks < self.kept_for_data()
    }

    /// ENOSPC unless so many blocks can be allocated besides those that are
    /// promised.
    pub(super) fn check_allocation(&self, state: &State, blocks: u64) -> Result<(), Errno> {
        let fits = self.blocks_to_have(state) >= blocks
            && state.free_blocks >= self.kept_for_data() + blocks;
        check(blocks == 0 || fits)
    }

    /// Promises room for pages, if any of them needs it: ENOSPC, EIO, ENOMEM, EFBIG.
    pub(super) fn promise(&self, inode: Number, pages: Range<u64>) -> Result<bool, Errno> {
        // Held until the promise counts: nobody else is promised the same.
        let mut state = self.state.lock();
        let count = pages.end - pages.start;
        let need = self.kept_for_data() + count * NEED;
        // Where there is plenty, nobody looks which pages have blocks.
        let is_plenty = self.blocks_to_have(&state) >= count && state.free_blocks >= 2 * need;
        if !is_plenty {
            let [start, end] = [pages.start, pages.end].map(u32::try_from);
            let (Ok(start), Ok(end)) = (start, end) else {
                return Err(Errno::EFBIG);
            };
            let Lack { holes, split } = state.count_lack(inode, start..end)?;
            if holes > 0 {
                let fits = self.blocks_to_have(&state) >= holes && state.free_blocks >= need;
                check(fits)?;
            } else if split {
                check(state.free_blocks >= (self.promised() + count) * NEED)?;
            } else {
                return Ok(false);
            }
        }
        self.promised.fetch_add(count, Ordering::AcqRel);
        Ok(true)
    }

    /// Free blocks that a write of so many pages has to leave to others.
    pub(super) fn left_by(&self, pages: usize) -> u64 {
        self.promised().saturating_sub(pages as u64) * NEED
    }

    /// ENOSPC if a limit forbids a new inode.
    pub(super) fn check_limits(&self, state: &State, is_directory: bool) -> Result<(), Errno> {
        let KeptFree { blocks, inodes } = self.kept_free;
        let no_inode = inodes > 0 && state.free_inodes <= inodes;
        let no_block = is_directory && blocks > 0 && self.blocks_to_have(state) == 0;
        check(!(no_inode || no_block))
    }
}

fn check(fits: bool) -> Result<(), Errno> {
    match fits {
        true => Ok(()),
        false => Err(Errno::ENOSPC),
    }
}
