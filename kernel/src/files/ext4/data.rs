//! The blocks of files: which ones a read or a write moves, and what a write
//! changes once they have moved.

use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;

use super::extents::{Extent, Mapped, Tree};
use super::state::{Loaded, State};
use super::storage::BLOCK;
use crate::files::disk::volume::Number;
use crate::files::inode::{Kind, Sought};

const BLOCK_U64: u64 = BLOCK as u64;
/// The format counts a file's blocks with 32 bits.
pub const MOST_BLOCKS: u64 = u32::MAX as u64;
/// Extents that one operation takes away at most.
pub const CUT: usize = 64;

/// A part of a write: blocks of the file, and where they go. They are reserved.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub extent: Extent,
    /// They do not belong to the file yet.
    pub is_new: bool,
}

/// What pages need to be written besides what they have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lack {
    /// Pages without a block.
    pub holes: u64,
    /// A block for an extent more: some are of one that is unwritten and goes on
    /// behind the end of the file, where it has to be split, and its leaf is full.
    pub split: bool,
}

/// How many blocks hold so many bytes.
fn blocks_of(size: u64) -> u32 {
    size.div_ceil(BLOCK_U64).min(MOST_BLOCKS) as u32
}

impl Piece {
    /// Whether what the plan was made for is still there: a hole, or the blocks.
    fn is_as_planned(&self, tree: &Tree) -> bool {
        let Extent {
            length, physical, ..
        } = self.extent;
        match tree.map(self.extent.logical..self.extent.end()) {
            Mapped::Hole(count) => self.is_new && count == length,
            Mapped::Blocks(now) => !self.is_new && (now.physical, now.length) == (physical, length),
        }
    }
}

impl State {
    /// Where the blocks of `range` are: pieces of extents, without the holes.
    /// ENOMEM.
    pub fn map_range(&mut self, number: Number, range: Range<u32>) -> Result<Vec<Extent>, Errno> {
        self.with(number, |_, loaded| {
            let mut found = Vec::new();
            let mut at = range.start;
            while at < range.end {
                match loaded.tree.map(at..range.end) {
                    Mapped::Blocks(extent) => {
                        found.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                        found.push(extent);
                        at = extent.end();
                    }
                    Mapped::Hole(count) => at += count,
                }
            }
            Ok(found)
        })
    }

    /// What blocks of `range` lack. ENOMEM.
    pub fn count_lack(&mut self, number: Number, range: Range<u32>) -> Result<Lack, Errno> {
        self.with(number, |_, Loaded { inode, tree }| {
            let end = blocks_of(inode.size());
            let mut lack = Lack::default();
            let mut at = range.start;
            while at < range.end {
                at += match tree.map(at..range.end) {
                    Mapped::Hole(count) => {
                        lack.holes += u64::from(count);
                        count
                    }
                    Mapped::Blocks(extent) => {
                        let is_split = extent.unwritten && tree.whole(&extent).end() > end;
                        lack.split |= is_split && tree.is_full_at(extent.logical);
                        extent.length
                    }
                };
            }
            Ok(lack)
        })
    }

    /// Where a write of `range` goes. Blocks for holes are found; all blocks are
    /// reserved, so that nobody else is given them though the file may lose them:
    /// [`State::unreserve`] ends that. With `whole`, no extent is split for it, but
    /// at the end of the file, which is so many bytes long: the pieces are more than
    /// `range`, and what lies around it has to be written as zeroes. ENOSPC, ENOMEM.
    pub fn plan_write(
        &mut self,
        number: Number,
        range: Range<u32>,
        whole: Option<u64>,
    ) -> Result<Vec<Piece>, Errno> {
        let mut pieces = Vec::new();
        let result = self.with(number, |state, loaded| {
            state.plan_pieces(loaded, range, whole, &mut pieces)
        });
        if result.is_err() {
            self.unreserve(&pieces);
        }
        result.map(|()| pieces)
    }

    fn plan_pieces(
        &mut self,
        loaded: &Loaded,
        range: Range<u32>,
        whole: Option<u64>,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), Errno> {
        let whole = whole.map(|size| blocks_of(size.max(loaded.inode.size())));
        let mut at = range.start;
        while at < range.end {
            pieces.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.reserved.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            let (extent, is_new) = match loaded.tree.map(at..range.end) {
                Mapped::Blocks(extent) => {
                    at = extent.end();
                    let extent = match whole {
                        Some(end) if extent.unwritten => loaded.tree.whole(&extent).within(0..end),
                        _ => extent,
                    };
                    (extent, false)
                }
                Mapped::Hole(count) => {
                    // Behind what this write has got already, if anything.
                    let goal = match pieces.last() {
                        Some(piece) => piece.extent.physical + u64::from(piece.extent.length),
                        None => loaded.tree.goal(at, self.home_of(loaded.inode.number)),
                    };
                    let blocks = self.find_blocks(goal, count)?;
                    let extent = Extent {
                        logical: at,
                        length: (blocks.end - blocks.start) as u32,
                        physical: blocks.start,
                        unwritten: false,
                    };
                    at = extent.end();
                    (extent, true)
                }
            };
            self.reserved.push(extent.blocks());
            pieces.push(Piece { extent, is_new });
        }
        Ok(())
    }

    /// The blocks of a plan are not on their way any more.
    pub fn unreserve(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            let blocks = piece.extent.blocks();
            if let Some(index) = self.reserved.iter().position(|range| *range == blocks) {
                self.reserved.swap_remove(index);
            }
        }
    }

    /// The blocks of a plan have been written: they belong to the file now,
    /// which is `size` bytes long at least. EAGAIN if the file has got other
    /// blocks there since the plan was made: the pages are not in those.
    pub fn finish_write(
        &mut self,
        number: Number,
        pieces: &[Piece],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno> {
        self.edit(number, |state, Loaded { inode, tree }| {
            for piece in pieces {
                if !piece.is_as_planned(tree) {
                    return Err(Errno::EAGAIN);
                }
                let extent = Extent {
                    unwritten: false,
                    ..piece.extent
                };
                if piece.is_new {
                    state.mark_run(&extent)?;
                    inode.add_blocks(extent.length.into());
                }
                if piece.is_new || piece.extent.unwritten {
                    tree.insert(state, inode, extent)?;
                }
            }
            if size > inode.size() {
                inode.set_size(size);
            }
            inode.set_modified(modified);
            inode.set_changed(modified);
            Ok(())
        })
    }

    /// Marks the blocks of an extent as in use; they may be of several groups.
    fn mark_run(&mut self, extent: &Extent) -> Result<(), Errno> {
        let per_group = u64::from(self.geometry.blocks_per_group);
        let end = extent.physical + u64::from(extent.length);
        let mut at = extent.physical;
        while at < end {
            let stop = end.min((at / per_group + 1) * per_group);
            self.mark_blocks(at, (stop - at) as u32, true)?;
            at = stop;
        }
        Ok(())
    }

    /// Cuts a file at `size` bytes, or extends it with a hole. One with many
    /// pieces takes several operations: false if there are more to come.
    pub fn resize(&mut self, number: Number, size: u64, now: u64) -> Result<bool, Errno> {
        let from = size.div_ceil(BLOCK_U64);
        if from > MOST_BLOCKS {
            return Err(Errno::EFBIG);
        }
        self.edit(number, |state, Loaded { inode, tree }| {
            inode.set_size(size);
            inode.set_modified(now);
            inode.set_changed(now);
            let done = tree.cut(state, inode, from as u32, CUT)?;
            // A crash in between leaves the rest to the next mount.
            match (done, state.is_orphan(inode.number)) {
                (false, false) => state.add_orphan(inode)?,
                (true, true) if inode.links() > 0 => state.remove_orphan(inode)?,
                _ => {}
            }
            Ok(done)
        })
    }

    /// Takes blocks from an inode without names; false if there are more.
    pub fn cut_all(&mut self, number: Number) -> Result<bool, Errno> {
        self.edit(number, |state, Loaded { inode, tree }| {
            let is_metadata = inode.kind() != Some(Kind::Regular);
            if is_metadata {
                // They must not be replayed over what comes to be there.
                for extent in tree.extents().rev().take(CUT) {
                    for block in extent.blocks() {
                        state.buffers.forget(block)?;
                    }
                }
            }
            tree.cut(state, inode, 0, CUT)
        })
    }

    /// Frees an inode without names, which `resize` has emptied, and all that
    /// belongs to it.
    pub fn free_inode(&mut self, number: Number, now: u64) -> Result<(), Errno> {
        let mut loaded = self.take(number)?;
        self.indices.remove(&number);
        let inode = &mut loaded.inode;
        let is_directory = inode.kind() == Some(Kind::Directory);
        self.free_attributes(inode.attribute_block())?;
        inode.clear_attribute_block();
        self.remove_orphan(inode)?;
        inode.set_blocks(0);
        inode.set_flags(0);
        inode.body_mut().fill(0);
        inode.set_deleted((now / 1_000_000_000) as u32);
        self.write_inode(inode)?;
        self.mark_inode(number, is_directory, false)
    }

    /// Lets go of a block of extended attributes, which files may share.
    fn free_attributes(&mut self, block: u64) -> Result<(), Errno> {
        use super::bytes::{put_u32, u32_at};
        const REFERENCES: usize = 4;
        if block == 0 {
            return Ok(());
        }
        let kind = super::seal::Kind::Attributes;
        let references = u32_at(&self.buffers.get(block, kind)?[..], REFERENCES);
        if references <= 1 {
            return self.free_metadata(block);
        }
        let content = self.buffers.change(block, kind)?;
        put_u32(&mut content[..], REFERENCES, references - 1);
        Ok(())
    }

    /// Gives the holes in `range` blocks that read as zeroes, some of them per
    /// operation; where the next one goes on.
    pub fn allocate(
        &mut self,
        number: Number,
        range: Range<u32>,
        size: Option<u64>,
        now: u64,
    ) -> Result<u32, Errno> {
        let home = self.home_of(number);
        self.edit(number, |state, Loaded { inode, tree }| {
            let mut at = range.start;
            let mut pieces = 0;
            while at < range.end && pieces < CUT {
                match tree.map(at..range.end) {
                    Mapped::Blocks(extent) => at = extent.end(),
                    Mapped::Hole(count) => {
                        // An unwritten extent is no longer than this.
                        let count = count.min((1 << 15) - 1);
                        let goal = tree.goal(at, home);
                        let blocks = state.find_blocks(goal, count)?;
                        let extent = Extent {
                            logical: at,
                            length: (blocks.end - blocks.start) as u32,
                            physical: blocks.start,
                            unwritten: true,
                        };
                        state.mark_run(&extent)?;
                        inode.add_blocks(extent.length.into());
                        tree.insert(state, inode, extent)?;
                        at = extent.end();
                        pieces += 1;
                    }
                }
            }
            if let Some(size) = size
                && at >= range.end
                && size > inode.size()
            {
                inode.set_size(size);
            }
            inode.set_changed(now);
            Ok(at)
        })
    }

    /// The first byte of data or of a hole from `offset` on, which is before
    /// `size`: ENXIO if there is no data.
    pub fn seek(
        &mut self,
        number: Number,
        offset: u64,
        sought: Sought,
        size: u64,
    ) -> Result<u64, Errno> {
        let end = blocks_of(size);
        self.with(number, |_, loaded| {
            let mut at = (offset / BLOCK_U64) as u32;
            while at < end {
                let (is_data, next) = match loaded.tree.map(at..end) {
                    Mapped::Blocks(extent) => (!extent.unwritten, extent.end()),
                    Mapped::Hole(count) => (false, at + count),
                };
                if is_data == (sought == Sought::Data) {
                    return Ok(offset.max(u64::from(at) * BLOCK_U64));
                }
                at = next;
            }
            match sought {
                Sought::Data => Err(Errno::ENXIO),
                Sought::Hole => Ok(size),
            }
        })
    }

    /// The target of a symbolic link.
    pub fn read_link(&mut self, number: Number) -> Result<Vec<u8>, Errno> {
        self.with(number, |state, loaded| {
            let length = loaded.inode.size() as usize;
            let mut target = Vec::new();
            if length > BLOCK {
                return Err(Errno::EIO);
            }
            target
                .try_reserve_exact(length)
                .map_err(|_| Errno::ENOMEM)?;
            if !loaded.inode.has_extents() {
                let body = loaded.inode.body().get(..length).ok_or(Errno::EIO)?;
                target.extend_from_slice(body);
                return Ok(target);
            }
            let Mapped::Blocks(extent) = loaded.tree.map(0..1) else {
                return Err(Errno::EIO);
            };
            let block = state
                .buffers
                .get(extent.physical, super::seal::Kind::Target)?;
            target.extend_from_slice(&block[..length]);
            Ok(target)
        })
    }
}
