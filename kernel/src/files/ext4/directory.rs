//! Directories: names in blocks.
//!
//! New directories are plain lists of names, which Linux and e2fsck take at
//! any length. One that has Linux's hashed index keeps it until a name is
//! added; then it becomes a plain list too. What makes a large one fast is the
//! [`Index`] in memory.

use alloc::sync::Arc;

use abi::Errno;

use super::bytes::put_u16;
use super::entries;
use super::extents::{Extent, Mapped};
use super::index::Index;
use super::inode::INDEXED;
use super::seal::{self, Kind};
use super::state::{Loaded, State};
use super::storage::{BLOCK, Block};
use crate::files::disk::volume::Number;
use crate::files::inode::{self, Listed};

/// Directories of more blocks than this get an index in memory.
const SMALL: u32 = 2;

/// What a name stands for, and the directory's block that says so.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub number: Number,
    pub mark: u8,
    block: u32,
}

impl State {
    fn block_count(&self, directory: &Loaded) -> u32 {
        (directory.inode.size() / BLOCK as u64) as u32
    }

    /// Where block `logical` of a directory is.
    fn place(&self, directory: &Loaded, logical: u32) -> Result<u64, Errno> {
        match directory.tree.map(logical..logical + 1) {
            Mapped::Blocks(extent) => Ok(extent.physical),
            Mapped::Hole(_) => {
                let number = directory.inode.number;
                log::error!("ext4: directory {number} has a hole: run e2fsck on the disk");
                Err(Errno::EIO)
            }
        }
    }

    fn kind_of(&self, directory: &Loaded) -> Kind {
        Kind::Directory {
            seed: self.seed_of(&directory.inode),
        }
    }

    fn read(&mut self, directory: &Loaded, logical: u32) -> Result<Arc<Block>, Errno> {
        let place = self.place(directory, logical)?;
        self.buffers.get(place, self.kind_of(directory))
    }

    fn change(&mut self, directory: &Loaded, logical: u32) -> Result<&mut Block, Errno> {
        let place = self.place(directory, logical)?;
        let kind = self.kind_of(directory);
        self.buffers.change(place, kind)
    }

    /// What `name` stands for in a directory.
    pub fn find(&mut self, directory: &Loaded, name: &[u8]) -> Result<Option<Found>, Errno> {
        let blocks = self.block_count(directory);
        if blocks <= SMALL {
            for block in 0..blocks {
                let found = self.find_in(directory, block, name)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            return Ok(None);
        }
        let index = self.index(directory)?;
        let candidates = index.blocks(name);
        self.keep_index(directory, index);
        for block in candidates? {
            let found = self.find_in(directory, block, name)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn find_in(
        &mut self,
        directory: &Loaded,
        block: u32,
        name: &[u8],
    ) -> Result<Option<Found>, Errno> {
        let content = self.read(directory, block)?;
        let entry = entries::find(&content[..], name)?;
        Ok(entry.map(|entry| Found {
            number: entry.number,
            mark: entry.kind,
            block,
        }))
    }

    /// Takes the index of a directory out of what is remembered, or makes it.
    fn index(&mut self, directory: &Loaded) -> Result<Index, Errno> {
        if let Some(index) = self.indices.remove(&directory.inode.number) {
            return Ok(index);
        }
        let mut index = Index::new(self.buffers.operation());
        for block in 0..self.block_count(directory) {
            let content = self.read(directory, block)?;
            for entry in entries::entries(&content[..]) {
                let entry = entry?;
                if entry.number != 0 {
                    index.add(entry.name, block)?;
                }
            }
            index.gaps.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            index.gaps.push(entries::largest_gap(&content[..])? as u16);
        }
        Ok(index)
    }

    fn keep_index(&mut self, directory: &Loaded, index: Index) {
        // Without memory it is made again.
        if self.indices.try_reserve(1).is_ok() {
            self.indices.insert(directory.inode.number, index);
        }
    }

    /// Adds a name that is not there. The inode changes.
    pub fn add_name(
        &mut self,
        directory: &mut Loaded,
        name: &[u8],
        number: Number,
        mark: u8,
    ) -> Result<(), Errno> {
        if directory.inode.flags() & INDEXED != 0 {
            self.flatten(directory)?;
        }
        let blocks = self.block_count(directory);
        if blocks < SMALL {
            for block in 0..blocks {
                if self.add_in(directory, block, name, number, mark)? {
                    return Ok(());
                }
            }
            let block = self.append_block(directory)?;
            self.add_in(directory, block, name, number, mark)?;
            return Ok(());
        }
        let mut index = self.index(directory)?;
        let result = self.add_indexed(directory, &mut index, name, number, mark);
        // Also if there is no room: it is made from the whole directory.
        self.keep_index(directory, index);
        result
    }

    fn add_indexed(
        &mut self,
        directory: &mut Loaded,
        index: &mut Index,
        name: &[u8],
        number: Number,
        mark: u8,
    ) -> Result<(), Errno> {
        let needed = entries::needed(name.len()) as u16;
        let mut added = None;
        for block in 0..self.block_count(directory) {
            if index.gaps[block as usize] < needed {
                continue;
            }
            if self.add_in(directory, block, name, number, mark)? {
                added = Some(block);
                break;
            }
            // It was more than there is.
            index.gaps[block as usize] = needed - 1;
        }
        let block = match added {
            Some(block) => block,
            None => self.append_block(directory)?,
        };
        index.changed_by = self.buffers.operation();
        if added.is_none() {
            index.gaps.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            index.gaps.push(BLOCK as u16);
            self.add_in(directory, block, name, number, mark)?;
        }
        index.add(name, block)
    }

    fn add_in(
        &mut self,
        directory: &Loaded,
        block: u32,
        name: &[u8],
        number: Number,
        mark: u8,
    ) -> Result<bool, Errno> {
        let content = self.read(directory, block)?;
        if entries::largest_gap(&content[..])? < entries::needed(name.len()) {
            return Ok(false);
        }
        drop(content);
        entries::insert(&mut self.change(directory, block)?[..], name, number, mark)
    }

    /// Gives a directory one more block; its number.
    fn append_block(&mut self, directory: &mut Loaded) -> Result<u32, Errno> {
        let logical = self.block_count(directory);
        let goal = directory
            .tree
            .goal(logical, self.home_of(directory.inode.number));
        let physical = self.take_block(goal)?;
        let kind = self.kind_of(directory);
        let has_checksums = self.geometry.seed.is_some();
        let block = self.buffers.fresh(physical, kind)?;
        put_u16(&mut block[..], 4, entries::end(has_checksums) as u16);
        if has_checksums {
            seal::put_tail(block);
        }
        let Loaded { inode, tree } = directory;
        inode.add_blocks(1);
        inode.set_size(inode.size() + BLOCK as u64);
        let extent = Extent {
            logical,
            length: 1,
            physical,
            unwritten: false,
        };
        tree.insert(self, inode, extent)?;
        Ok(logical)
    }

    /// Where the first block of an inode had best be: in its group.
    pub fn home_of(&self, number: Number) -> u64 {
        self.geometry
            .first_block((number - 1) / self.geometry.inodes_per_group)
    }

    /// Makes a hashed directory a plain one.
    fn flatten(&mut self, directory: &mut Loaded) -> Result<(), Errno> {
        let has_checksums = self.geometry.seed.is_some();
        for logical in 0..self.block_count(directory) {
            let content = self.read(directory, logical)?;
            let is_plain = seal::index_entries(&content).is_none();
            drop(content);
            if is_plain {
                continue;
            }
            let block = self.change(directory, logical)?;
            // The root has `.` and `..`, of 12 bytes each, before its index.
            let at = if logical == 0 { 24 } else { 0 };
            if logical == 0 {
                put_u16(&mut block[..], 16, 12);
            }
            block[at..].fill(0);
            put_u16(
                &mut block[..],
                at + 4,
                (entries::end(has_checksums) - at) as u16,
            );
            if has_checksums {
                seal::put_tail(block);
            }
        }
        let flags = directory.inode.flags();
        directory.inode.set_flags(flags & !INDEXED);
        self.indices.remove(&directory.inode.number);
        Ok(())
    }

    /// Removes a name that was found.
    pub fn remove_name(
        &mut self,
        directory: &Loaded,
        name: &[u8],
        found: Found,
    ) -> Result<(), Errno> {
        let content = self.change(directory, found.block)?;
        if !entries::remove(&mut content[..], name)? {
            return Err(Errno::EIO);
        }
        let gap = entries::largest_gap(&content[..])? as u16;
        if let Some(index) = self.indices.get_mut(&directory.inode.number) {
            index.changed_by = self.buffers.operation();
            index.remove(name, found.block);
            if let Some(known) = index.gaps.get_mut(found.block as usize) {
                *known = gap;
            }
        }
        Ok(())
    }

    /// Lets a name that was found stand for something else.
    pub fn replace_name(
        &mut self,
        directory: &Loaded,
        name: &[u8],
        found: Found,
        number: Number,
        mark: u8,
    ) -> Result<(), Errno> {
        let content = self.change(directory, found.block)?;
        match entries::replace(&mut content[..], name, number, mark)? {
            true => Ok(()),
            false => Err(Errno::EIO),
        }
    }

    /// The first block of a new directory.
    pub fn fill_directory(&mut self, directory: &mut Loaded, parent: Number) -> Result<(), Errno> {
        self.append_block(directory)?;
        let number = directory.inode.number;
        let end = entries::end(self.geometry.seed.is_some());
        let mark = entries::mark(inode::Kind::Directory);
        let block = self.change(directory, 0)?;
        entries::put(&mut block[..], 0, 12, b".", number, mark);
        entries::put(&mut block[..], 12, end - 12, b"..", parent, mark);
        Ok(())
    }

    /// Whether nothing but `.` and `..` is in a directory.
    pub fn is_empty(&mut self, directory: &Loaded) -> Result<bool, Errno> {
        for logical in 0..self.block_count(directory) {
            let content = self.read(directory, logical)?;
            for entry in entries::entries(&content[..]) {
                let entry = entry?;
                if entry.number != 0 && entry.name != b"." && entry.name != b".." {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Calls `emit` for each entry from byte `from` of the directory on until
    /// it returns false.
    pub fn list(
        &mut self,
        directory: &Loaded,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        let first = u32::try_from(from / BLOCK as u64).unwrap_or(u32::MAX);
        for logical in first..self.block_count(directory) {
            let content = self.read(directory, logical)?;
            let start = u64::from(logical) * BLOCK as u64;
            for entry in entries::entries(&content[..]) {
                let entry = entry?;
                let Some(kind) = entries::kind_of(entry.kind) else {
                    continue;
                };
                if entry.number == 0 || start + (entry.at as u64) < from {
                    continue;
                }
                let listed = Listed {
                    number: entry.number.into(),
                    kind,
                    name: entry.name,
                    next: start + (entry.at + entry.length) as u64,
                };
                if !emit(listed) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
