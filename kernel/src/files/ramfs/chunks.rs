//! A sparse map from page index to page of a file: a radix tree.
//!
//! Plain data; the file's lock guards it. Growth is fallible and leaves the
//! map as it was when memory runs out. Nodes hold only as many slots as they
//! need, so a small file pays for a handful of pointers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use abi::Errno;
use abi::memory::PAGE_SIZE;

use crate::files::allocate::{try_vec, try_zeroed};

pub type Chunk = Box<[u8; PAGE_SIZE]>;

/// Slots of a node: nine bits of the index, as in a page table.
const BITS: u32 = 9;
const SLOTS: usize = 1 << BITS;

/// A page of zeros, or ENOMEM.
pub fn zeroed_chunk() -> Result<Chunk, Errno> {
    // Same length, so the conversion moves the box and cannot fail.
    try_zeroed(PAGE_SIZE)?.try_into().map_err(|_| Errno::ENOMEM)
}

enum Node {
    Empty,
    Leaf(Vec<Option<Chunk>>),
    Branch(Vec<Node>),
}

/// See the module.
pub struct ChunkMap {
    root: Node,
    /// Levels of branches above the leaves.
    height: u32,
    count: usize,
}

impl ChunkMap {
    pub const fn new() -> ChunkMap {
        ChunkMap {
            root: Node::Empty,
            height: 0,
            count: 0,
        }
    }

    /// How many pages there are.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn get(&self, index: u64) -> Option<&[u8; PAGE_SIZE]> {
        if !self.spans(index) {
            return None;
        }
        let mut node = &self.root;
        let mut level = self.height;
        loop {
            match node {
                Node::Empty => return None,
                Node::Leaf(chunks) => return chunks.get(slot(index, 0))?.as_deref(),
                Node::Branch(nodes) => node = nodes.get(slot(index, level))?,
            }
            level = level.saturating_sub(1);
        }
    }

    pub fn get_mut(&mut self, index: u64) -> Option<&mut [u8; PAGE_SIZE]> {
        if !self.spans(index) {
            return None;
        }
        let mut node = &mut self.root;
        let mut level = self.height;
        loop {
            match node {
                Node::Empty => return None,
                Node::Leaf(chunks) => return chunks.get_mut(slot(index, 0))?.as_deref_mut(),
                Node::Branch(nodes) => node = nodes.get_mut(slot(index, level))?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// Puts `chunk` at `index`, in place of one that is there. ENOMEM changes nothing
    /// that a reader could see.
    pub fn insert(&mut self, index: u64, chunk: Chunk) -> Result<(), Errno> {
        while !self.spans(index) {
            self.raise()?;
        }
        let mut node = &mut self.root;
        for level in (1..=self.height).rev() {
            if let Node::Empty = node {
                *node = Node::Branch(Vec::new());
            }
            let Node::Branch(nodes) = node else {
                unreachable!("leaves are at level 0 only");
            };
            let slot = slot(index, level);
            if nodes.len() <= slot {
                let more = slot + 1 - nodes.len();
                nodes.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
                nodes.resize_with(slot + 1, || Node::Empty);
            }
            node = &mut nodes[slot];
        }
        if let Node::Empty = node {
            *node = Node::Leaf(Vec::new());
        }
        let Node::Leaf(chunks) = node else {
            unreachable!("branches are above level 0 only");
        };
        let slot = slot(index, 0);
        if chunks.len() <= slot {
            let more = slot + 1 - chunks.len();
            chunks.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
            chunks.resize_with(slot + 1, || None);
        }
        self.count += usize::from(chunks[slot].replace(chunk).is_none());
        Ok(())
    }

    /// Drops every page from `end` on.
    pub fn truncate(&mut self, end: u64) {
        if end == 0 {
            *self = ChunkMap::new();
        } else if self.spans(end) {
            self.count -= cut(&mut self.root, self.height, end);
        }
    }

    /// The first page there is from `index` on.
    pub fn next(&self, index: u64) -> Option<u64> {
        match self.spans(index) {
            true => first_from(&self.root, self.height, index),
            false => None,
        }
    }

    /// Whether the tree is high enough for `index`.
    fn spans(&self, index: u64) -> bool {
        index.checked_shr((self.height + 1) * BITS).unwrap_or(0) == 0
    }

    /// Puts one more level on top.
    fn raise(&mut self) -> Result<(), Errno> {
        if !matches!(self.root, Node::Empty) {
            let mut nodes = try_vec(1)?;
            nodes.push(core::mem::replace(&mut self.root, Node::Empty));
            self.root = Node::Branch(nodes);
        }
        self.height += 1;
        Ok(())
    }
}

fn slot(index: u64, level: u32) -> usize {
    (index >> (level * BITS)) as usize & (SLOTS - 1)
}

/// Drops what `node` has from `end` on; how many pages that were. The depth is
/// bounded by the index: seven levels.
fn cut(node: &mut Node, level: u32, end: u64) -> usize {
    let first = slot(end, level);
    match node {
        Node::Empty => 0,
        Node::Leaf(chunks) => {
            let gone = chunks.iter().skip(first).flatten().count();
            chunks.truncate(first);
            gone
        }
        Node::Branch(nodes) => {
            let mut gone = 0;
            if let Some(edge) = nodes.get_mut(first) {
                let below = end & ((1 << (level * BITS)) - 1);
                gone += cut(edge, level - 1, below);
            }
            for node in nodes.iter_mut().skip(first + 1) {
                gone += cut(node, level - 1, 0);
            }
            nodes.truncate(first + 1);
            gone
        }
    }
}

/// The first page of `node` from `index` on, both counted within the node.
fn first_from(node: &Node, level: u32, index: u64) -> Option<u64> {
    let first = slot(index, level);
    match node {
        Node::Empty => None,
        Node::Leaf(chunks) => {
            let mut later = chunks.iter().enumerate().skip(first);
            later.find_map(|(at, chunk)| chunk.as_ref().map(|_| at as u64))
        }
        Node::Branch(nodes) => {
            let below = index & ((1 << (level * BITS)) - 1);
            let later = nodes.iter().enumerate().skip(first);
            later.into_iter().find_map(|(at, node)| {
                let from = if at == first { below } else { 0 };
                let found = first_from(node, level - 1, from)?;
                Some((at as u64) << (level * BITS) | found)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn chunk(fill: u8) -> Chunk {
        let mut chunk = zeroed_chunk().unwrap();
        chunk.fill(fill);
        chunk
    }

    fn index() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..8, 500u64..1100, 0u64..1 << 20, Just((1 << 51) - 1)]
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u8),
        Truncate(u64),
        Change(u64, u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (index(), any::<u8>()).prop_map(|(i, b)| Step::Insert(i, b)),
            1 => index().prop_map(Step::Truncate),
            1 => (index(), any::<u8>()).prop_map(|(i, b)| Step::Change(i, b)),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in proptest::collection::vec(step(), 0..60)) {
            let mut map = ChunkMap::new();
            let mut model = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Insert(index, byte) => {
                        map.insert(index, chunk(byte)).unwrap();
                        model.insert(index, byte);
                    }
                    Step::Truncate(end) => {
                        map.truncate(end);
                        model.split_off(&end);
                    }
                    Step::Change(index, byte) => {
                        let there = map.get_mut(index).map(|chunk| chunk[7] = byte);
                        let expected = model.get_mut(&index).map(|old| *old = byte);
                        prop_assert_eq!(there, expected);
                    }
                }
                prop_assert_eq!(map.count(), model.len());
                for (&index, &byte) in &model {
                    prop_assert_eq!(map.get(index).unwrap()[7], byte);
                }
                prop_assert!(map.get(3).is_some() == model.contains_key(&3));
            }
        }
    }
}
