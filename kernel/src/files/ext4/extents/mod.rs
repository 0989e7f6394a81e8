//! Which blocks of the disk a file has: its extents (kernel documentation,
//! ext4/ifork.rst).
//!
//! A [`Tree`] is the whole of it in memory, in the order of the file. It is
//! changed leaf by leaf: a leaf is what one block of the disk holds, or the
//! inode itself while it is enough. Above the leaves there are, if the inode
//! cannot point to all of them, levels of index blocks.

mod format;
mod settle;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;

use super::inode::Inode;
use super::seal::Kind;
use super::state::State;
use format::{IN_BLOCK, IN_INODE, LONGEST, head, parse_leaf, push_children};
use settle::free_node;

pub use format::{claim_body, clear_body};

/// Longest extent that is unwritten.
const LONGEST_UNWRITTEN: u32 = LONGEST - 1;

/// Neighbouring blocks of a file that are neighbours on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first block of the file.
    pub logical: u32,
    pub length: u32,
    pub physical: u64,
    /// Allocated, but reads as zeroes.
    pub unwritten: bool,
}

impl Extent {
    pub fn end(&self) -> u32 {
        self.logical + self.length
    }

    /// Where it is on the disk.
    pub fn blocks(&self) -> Range<u64> {
        self.physical..self.physical + u64::from(self.length)
    }

    /// The part of it that lies in `range`, which it touches.
    pub fn within(&self, range: Range<u32>) -> Extent {
        let start = self.logical.max(range.start);
        Extent {
            logical: start,
            length: self.end().min(range.end) - start,
            physical: self.physical + u64::from(start - self.logical),
            ..*self
        }
    }

    /// Whether `next` goes on where this one ends, and one extent can be both.
    fn joins(&self, next: &Extent) -> bool {
        let longest = match self.unwritten {
            true => LONGEST_UNWRITTEN,
            false => LONGEST,
        };
        self.end() == next.logical
            && self.physical + u64::from(self.length) == next.physical
            && self.unwritten == next.unwritten
            && self.length + next.length <= longest
    }
}

struct Leaf {
    /// Where it is; 0 in the inode or nowhere yet.
    block: u64,
    extents: Vec<Extent>,
}

/// See the module.
pub struct Tree {
    /// Never empty; only a single leaf can be.
    leaves: Vec<Leaf>,
    /// The index blocks, in any order.
    nodes: Vec<u64>,
}

/// What a block of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// Up to the end of the extent or of the range.
    Blocks(Extent),
    /// So many blocks are not there.
    Hole(u32),
}

impl Tree {
    /// Of an inode without blocks.
    pub const fn empty() -> Tree {
        Tree {
            leaves: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// Reads the tree of an inode: EIO if it is damaged.
    pub fn read(state: &mut State, inode: &Inode) -> Result<Tree, Errno> {
        let mut tree = Tree::empty();
        let seed = state.seed_of(inode);
        let (depth, entries) = head(inode.body(), IN_INODE).ok_or_else(|| damaged(inode))?;
        if depth == 0 {
            let extents = parse_leaf(inode.body(), entries)?;
            tree.push_leaf(Leaf { block: 0, extents })?;
        } else {
            // Blocks to read, the next one last, with the depth they must have.
            let mut open = Vec::new();
            push_children(inode.body(), entries, depth, &mut open)?;
            while let Some((number, depth)) = open.pop() {
                let block = state.buffers.get(number, Kind::Extents { seed })?;
                let (real, entries) = head(&block[..], IN_BLOCK).ok_or_else(|| damaged(inode))?;
                if real != depth {
                    return Err(damaged(inode));
                }
                // Else nodes that lead to each other would be read nearly for ever.
                if entries == 0 {
                    return Err(damaged(inode));
                }
                if depth == 0 {
                    let extents = parse_leaf(&block[..], entries)?;
                    let before = tree.leaves.last().and_then(|leaf| leaf.extents.last());
                    if before.is_some_and(|before| extents[0].logical <= before.logical) {
                        return Err(damaged(inode));
                    }
                    tree.push_leaf(Leaf {
                        block: number,
                        extents,
                    })?;
                } else {
                    tree.nodes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                    tree.nodes.push(number);
                    push_children(&block[..], entries, depth, &mut open)?;
                }
            }
        }
        match tree.is_sane(state.geometry.blocks) {
            true => Ok(tree),
            false => Err(damaged(inode)),
        }
    }

    fn push_leaf(&mut self, leaf: Leaf) -> Result<(), Errno> {
        self.leaves.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.leaves.push(leaf);
        Ok(())
    }

    /// In order, without overlap, on the disk; and not so many that some must
    /// be there twice, which would make a directory as good as endless.
    fn is_sane(&self, blocks: u64) -> bool {
        let mut end = 0;
        let mut total = 0;
        self.extents().all(|extent| {
            let follows = extent.logical >= end && extent.length > 0;
            let fits = extent.logical.checked_add(extent.length).is_some();
            end = extent.logical.saturating_add(extent.length);
            total += u64::from(extent.length);
            let behind = extent.physical.saturating_add(extent.length.into());
            follows && fits && extent.physical > 0 && behind <= blocks && total <= blocks
        })
    }

    /// All extents in order.
    pub fn extents(&self) -> impl DoubleEndedIterator<Item = &Extent> {
        self.leaves.iter().flat_map(|leaf| &leaf.extents)
    }

    /// The leaf for block `logical`: the last that begins at or before it.
    fn leaf_of(&self, logical: u32) -> usize {
        let begins_later = |leaf: &Leaf| {
            let first = leaf.extents.first();
            first.is_some_and(|extent| extent.logical > logical)
        };
        let later = self.leaves.partition_point(|leaf| !begins_later(leaf));
        later.saturating_sub(1)
    }

    /// What the blocks from `range.start` on are.
    pub fn map(&self, range: Range<u32>) -> Mapped {
        let index = self.leaf_of(range.start);
        let Some(leaf) = self.leaves.get(index) else {
            return Mapped::Hole(range.end - range.start);
        };
        let at = leaf
            .extents
            .partition_point(|extent| extent.end() <= range.start);
        let next = match leaf.extents.get(at) {
            Some(extent) => Some(extent),
            None => self
                .leaves
                .get(index + 1)
                .and_then(|leaf| leaf.extents.first()),
        };
        match next {
            Some(extent) if extent.logical <= range.start => Mapped::Blocks(extent.within(range)),
            Some(extent) => Mapped::Hole(extent.logical.min(range.end) - range.start),
            None => Mapped::Hole(range.end - range.start),
        }
    }

    /// The whole extent that `part` is of.
    pub fn whole(&self, part: &Extent) -> Extent {
        let leaf = self.leaves.get(self.leaf_of(part.logical));
        let whole = leaf.and_then(|leaf| {
            let before = |extent: &Extent| extent.end() <= part.logical;
            leaf.extents.get(leaf.extents.partition_point(before))
        });
        whole.copied().unwrap_or(*part)
    }

    /// Whether one more extent there takes a block.
    pub fn is_full_at(&self, logical: u32) -> bool {
        let extents = match self.leaves.get(self.leaf_of(logical)) {
            Some(leaf) => leaf.extents.len(),
            None => 0,
        };
        extents == IN_INODE && self.leaves.len() == 1 || extents >= IN_BLOCK
    }

    /// Where the next block of the file had best be.
    pub fn goal(&self, logical: u32, otherwise: u64) -> u64 {
        let leaf = self.leaves.get(self.leaf_of(logical));
        let before = leaf.and_then(|leaf| {
            let at = leaf
                .extents
                .partition_point(|extent| extent.logical <= logical);
            leaf.extents.get(at.checked_sub(1)?)
        });
        before.map_or(otherwise, |extent| {
            extent.physical + u64::from(logical.saturating_sub(extent.logical))
        })
    }

    /// Lets the blocks of `new`, which is where a hole or an unwritten part is,
    /// belong to the file.
    pub fn insert(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        new: Extent,
    ) -> Result<(), Errno> {
        let index = self.leaf_of(new.logical);
        let old = match self.leaves.get_mut(index) {
            Some(leaf) => core::mem::take(&mut leaf.extents),
            None => Vec::new(),
        };
        let mut extents: Vec<Extent> = Vec::new();
        extents
            .try_reserve_exact(old.len() + 3)
            .map_err(|_| Errno::ENOMEM)?;
        let range = new.logical..new.end();
        let at = old.partition_point(|extent| extent.end() <= range.start);
        extents.extend_from_slice(&old[..at]);
        let rest = &old[at..];
        let covered = rest.partition_point(|extent| extent.logical < range.end);
        // What is left of those that it replaces.
        if let Some(first) = rest[..covered].first()
            && first.logical < range.start
        {
            push_joined(&mut extents, first.within(0..range.start));
        }
        push_joined(&mut extents, new);
        if let Some(last) = rest[..covered].last()
            && last.end() > range.end
        {
            push_joined(&mut extents, last.within(range.end..u32::MAX));
        }
        for extent in &rest[covered..] {
            push_joined(&mut extents, *extent);
        }
        self.replace(state, inode, index, extents)
    }

    /// Takes blocks from `from` on away, the last ones first, at most `most`
    /// extents of them; whether that was all.
    pub fn cut(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        from: u32,
        most: usize,
    ) -> Result<bool, Errno> {
        for _ in 0..most {
            let index = self.leaves.len().saturating_sub(1);
            let Some(leaf) = self.leaves.get_mut(index) else {
                return Ok(true);
            };
            let Some(last) = leaf.extents.last().copied() else {
                return Ok(true);
            };
            if last.end() <= from {
                return Ok(true);
            }
            let gone = last.within(from..u32::MAX);
            state.free_blocks(gone.physical..gone.physical + u64::from(gone.length))?;
            inode.drop_blocks(gone.length.into());
            let mut extents = core::mem::take(&mut leaf.extents);
            extents.pop();
            if last.logical < from {
                // There is room: one was taken out.
                extents.push(last.within(0..from));
            }
            self.replace(state, inode, index, extents)?;
        }
        let end = self.extents().last().map_or(0, Extent::end);
        Ok(end <= from)
    }

    /// Lets a leaf hold `extents`, which may be too many or none.
    fn replace(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        index: usize,
        extents: Vec<Extent>,
    ) -> Result<(), Errno> {
        let leaves = self.leaves.len();
        if extents.is_empty() && leaves > 1 {
            let gone = self.leaves.remove(index);
            free_node(state, inode, gone.block)?;
            return self.settle(state, inode, None);
        }
        let Some(leaf) = self.leaves.get_mut(index) else {
            self.push_leaf(Leaf { block: 0, extents })?;
            return self.settle(state, inode, Some(0..1));
        };
        leaf.extents = extents;
        if leaf.extents.len() <= IN_BLOCK {
            return self.settle(state, inode, Some(index..index + 1));
        }
        // A file that grows at its end fills its leaves; else both get room.
        let keep = match index + 1 == leaves {
            true => IN_BLOCK,
            false => leaf.extents.len() / 2,
        };
        let mut later = Vec::new();
        later
            .try_reserve_exact(leaf.extents.len() - keep)
            .map_err(|_| Errno::ENOMEM)?;
        later.extend_from_slice(&leaf.extents[keep..]);
        leaf.extents.truncate(keep);
        self.leaves.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let new = Leaf {
            block: 0,
            extents: later,
        };
        self.leaves.insert(index + 1, new);
        self.settle(state, inode, Some(index..index + 2))
    }
}

/// There is room for one more.
fn push_joined(extents: &mut Vec<Extent>, new: Extent) {
    match extents.last_mut() {
        Some(last) if last.joins(&new) => last.length += new.length,
        _ => extents.push(new),
    }
}

fn damaged(inode: &Inode) -> Errno {
    let number = inode.number;
    log::error!("ext4: the extents of inode {number} are damaged: run e2fsck on the disk");
    Errno::EIO
}
