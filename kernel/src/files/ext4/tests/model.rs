//! What there must be on a volume.

use super::super::storage::BLOCK;
use crate::files::disk::volume::{Number, Place};
use crate::files::inode::Maker;
use crate::files::inode::Owner;
use machine::frames::Frame;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

pub const MAKER: Maker = Maker {
    permissions: 0o644,
    owner: Owner::ROOT,
};

/// A small generator (xorshift), so that a seed says it all.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Byte that each page is filled with; `None` for a hole.
    File(Vec<Option<u8>>),
    Link(String),
    Directory(BTreeMap<String, Number>),
}

/// What there must be.
#[derive(Clone)]
pub struct Model {
    pub nodes: BTreeMap<Number, (Body, u32)>,
}

impl Model {
    pub fn new() -> Model {
        let mut names = BTreeMap::new();
        names.insert("lost+found".into(), 11);
        let root = (Body::Directory(names), 3);
        let lost = (Body::Directory(BTreeMap::new()), 2);
        Model {
            nodes: BTreeMap::from([(2, root), (11, lost)]),
        }
    }

    pub fn names(&mut self, directory: Number) -> &mut BTreeMap<String, Number> {
        match &mut self.nodes.get_mut(&directory).unwrap().0 {
            Body::Directory(names) => names,
            other => panic!("{other:?} is no directory"),
        }
    }

    pub fn pages(&self, file: Number) -> u64 {
        match &self.nodes[&file].0 {
            Body::File(pages) => pages.len() as u64,
            other => panic!("{other:?} is no file"),
        }
    }

    pub fn directories(&self) -> Vec<Number> {
        let all = self.nodes.iter();
        all.filter(|(_, (body, _))| matches!(body, Body::Directory(_)))
            .map(|(&number, _)| number)
            .collect()
    }

    pub fn is_directory(&self, number: Number) -> bool {
        matches!(self.nodes[&number].0, Body::Directory(_))
    }

    /// The number of the directory and all that lie in it.
    pub fn below(&self, number: Number) -> Vec<Number> {
        let mut found = Vec::from([number]);
        let mut at = 0;
        while at < found.len() {
            if let Body::Directory(names) = &self.nodes[&found[at]].0 {
                found.extend(names.values());
            }
            at += 1;
        }
        found
    }

    /// One name less; true if it was the last.
    pub fn lose(&mut self, number: Number) -> bool {
        let node = self.nodes.get_mut(&number).unwrap();
        node.1 -= 1;
        if node.1 == 0 {
            self.nodes.remove(&number);
            return true;
        }
        false
    }
}

pub fn place(directory: Number, name: &str) -> Place<'_> {
    Place {
        directory,
        name: name.as_bytes(),
    }
}

pub fn page(byte: u8) -> Frame {
    let frame = Frame::alloc().unwrap();
    frame.fill(0, BLOCK, byte);
    frame
}
