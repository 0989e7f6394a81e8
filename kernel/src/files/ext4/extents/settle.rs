//! Writing a tree's changes to the blocks and the inode that hold it.

use core::ops::Range;

use abi::Errno;

use super::Tree;
use super::format::{DEEPEST, IN_BLOCK, IN_INODE, put_index, put_leaf};
use crate::files::allocate::try_vec;
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
        // How many index blocks there are on each level, the lowest first.
        let mut counts = [0; DEEPEST as usize - 1];
        let mut depth = 0;
        let mut count = self.leaves.len();
        while count > IN_INODE {
            count = count.div_ceil(IN_BLOCK);
            *counts.get_mut(depth).ok_or(Errno::EFBIG)? = count;
            depth += 1;
        }
        self.set_nodes(state, inode, counts.iter().sum())?;
        let mut children = try_vec(self.leaves.len())?;
        for leaf in &self.leaves {
            let first = leaf.extents.first().map_or(0, |first| first.logical);
            children.push((first, leaf.block));
        }
        // The lowest level is last: when it grows, the others stay where they are.
        let mut end = self.nodes.len();
        for (level, count) in (1..).zip(&counts[..depth]) {
            let mut above = try_vec(*count)?;
            let nodes = &self.nodes[end - count..end];
            for (node, some) in nodes.iter().zip(children.chunks(IN_BLOCK)) {
                above.push((some[0].0, *node));
                // Most changes do not reach the index.
                let mut wanted = Block::new()?;
                put_index(&mut wanted[..], IN_BLOCK, level, some.iter().copied());
                let now = state.buffers.get(*node, Kind::Extents { seed })?;
                if now[..BLOCK - 4] != wanted[..BLOCK - 4] {
                    let block = state.buffers.change(*node, Kind::Extents { seed })?;
                    block.copy_from_slice(&wanted[..]);
                }
            }
            end -= count;
            children = above;
        }
        let depth = depth as u16 + 1;
        put_index(inode.body_mut(), IN_INODE, depth, children.into_iter());
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
