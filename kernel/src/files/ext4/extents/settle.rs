//! Writing a tree's changes to the blocks and the inode that hold it.

use core::ops::Range;

use abi::Errno;

use super::format::{IN_BLOCK, IN_INODE, put_index, put_leaf};
use super::{Leaf, Tree};
use crate::files::ext4::inode::Inode;
use crate::files::ext4::seal::Kind;
use crate::files::ext4::state::State;
use crate::files::ext4::storage::{BLOCK, Block};

impl Tree {
    /// Writes the leaves that have changed, and what leads to them.
    pub(super) fn settle(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        changed: Option<Range<usize>>,
    ) -> Result<(), Errno> {
        let seed = state.seed_of(inode);
        if let [leaf] = &mut self.leaves[..]
            && leaf.extents.len() <= IN_INODE
        {
            let block = core::mem::take(&mut leaf.block);
            free_node(state, inode, block)?;
            self.set_nodes(state, inode, 0)?;
            put_leaf(inode.body_mut(), IN_INODE, &self.leaves[0].extents);
            return Ok(());
        }
        let mut rewrite = changed.unwrap_or(0..0);
        for index in 0..self.leaves.len() {
            if self.leaves[index].block == 0 {
                let near = self.leaves[index]
                    .extents
                    .first()
                    .map_or(0, |first| first.physical);
                self.leaves[index].block = take_node(state, inode, near, seed)?;
                rewrite = match rewrite.is_empty() {
                    true => index..index + 1,
                    false => rewrite.start.min(index)..rewrite.end.max(index + 1),
                };
            }
        }
        for leaf in &self.leaves[rewrite] {
            let block = state.buffers.change(leaf.block, Kind::Extents { seed })?;
            put_leaf(&mut block[..], IN_BLOCK, &leaf.extents);
        }
        self.write_index(state, inode, seed)
    }

    fn write_index(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        seed: u32,
    ) -> Result<(), Errno> {
        let key = |leaf: &Leaf| leaf.extents.first().map_or(0, |first| first.logical);
        if self.leaves.len() <= IN_INODE {
            self.set_nodes(state, inode, 0)?;
            let children = self.leaves.iter().map(|leaf| (key(leaf), leaf.block));
            put_index(inode.body_mut(), IN_INODE, 1, children);
            return Ok(());
        }
        let nodes = self.leaves.len().div_ceil(IN_BLOCK);
        if nodes > IN_INODE {
            // More than 460,000 pieces.
            return Err(Errno::EFBIG);
        }
        self.set_nodes(state, inode, nodes)?;
        for (node, leaves) in self.nodes.iter().zip(self.leaves.chunks(IN_BLOCK)) {
            let children = leaves.iter().map(|leaf| (key(leaf), leaf.block));
            // Most changes do not reach the index.
            let mut wanted = Block::new()?;
            put_index(&mut wanted[..], IN_BLOCK, 1, children);
            let now = state.buffers.get(*node, Kind::Extents { seed })?;
            if now[..BLOCK - 4] != wanted[..BLOCK - 4] {
                let block = state.buffers.change(*node, Kind::Extents { seed })?;
                block.copy_from_slice(&wanted[..]);
            }
        }
        let firsts = self.leaves.chunks(IN_BLOCK).map(|leaves| key(&leaves[0]));
        let children = firsts.zip(self.nodes.iter().copied());
        put_index(inode.body_mut(), IN_INODE, 2, children);
        Ok(())
    }

    /// Takes or frees index blocks until there are `count`.
    fn set_nodes(
        &mut self,
        state: &mut State,
        inode: &mut Inode,
        count: usize,
    ) -> Result<(), Errno> {
        while self.nodes.len() > count {
            if let Some(block) = self.nodes.pop() {
                free_node(state, inode, block)?;
            }
        }
        while self.nodes.len() < count {
            self.nodes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            let seed = state.seed_of(inode);
            let near = self.leaves[0].block;
            self.nodes.push(take_node(state, inode, near, seed)?);
        }
        Ok(())
    }
}

fn take_node(state: &mut State, inode: &mut Inode, near: u64, seed: u32) -> Result<u64, Errno> {
    let block = state.take_block(near)?;
    state.buffers.fresh(block, Kind::Extents { seed })?;
    inode.add_blocks(1);
    Ok(block)
}

pub(super) fn free_node(state: &mut State, inode: &mut Inode, block: u64) -> Result<(), Errno> {
    if block != 0 {
        state.free_metadata(block)?;
        inode.drop_blocks(1);
    }
    Ok(())
}
