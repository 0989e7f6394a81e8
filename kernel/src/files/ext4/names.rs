//! Changes of names. Each is one operation: all of it or nothing.

use abi::Errno;

use super::entries::{self, kind_of};
use super::extents::{self, Extent, Tree};
use super::inode::{self, BODY_SIZE, Inode};
use super::seal;
use super::state::{Loaded, State};
use super::superblock::Geometry;
use crate::files::clock;
use crate::files::disk::volume::{Attributes, Number, Place};
use crate::files::inode::{Kind, Maker, New};

/// More names than this no file has; a directory with more counts as 1.
const MOST_LINKS: u16 = 65_000;

impl State {
    pub fn create(
        &mut self,
        place: Place<'_>,
        new: New<'_>,
        maker: Maker,
    ) -> Result<(Number, Attributes), Errno> {
        let kind = kind_of_new(&new);
        let is_directory = kind == Kind::Directory;
        let number = self.take_inode(place.directory, is_directory)?;
        self.loaded.remove(&number);
        self.indices.remove(&number);
        let now = clock::now();
        let extra = match self.geometry.inode_size {
            128 => 0,
            _ => self.geometry.extra_size,
        };
        // Distinguishes it from those that had the number before.
        let generation = (now >> 10) as u32 ^ number;
        let mut made = Loaded {
            inode: Inode::new(number, kind, extra, generation),
            tree: Tree::empty(),
        };
        made.inode.set_permissions(maker.permissions);
        made.inode.set_owner(maker.owner);
        made.inode.set_made(now);
        made.inode.set_links(if is_directory { 2 } else { 1 });
        if matches!(kind, Kind::Regular | Kind::Directory) {
            made.inode.set_flags(inode::EXTENTS);
            extents::clear_body(&mut made.inode);
        }
        match new {
            New::Directory => self.fill_directory(&mut made, place.directory)?,
            New::SymbolicLink(target) => self.put_target(&mut made, target)?,
            New::Character(special) | New::Block(special) => made.inode.set_special(special),
            New::Regular | New::Fifo | New::Socket => {}
        }
        self.write_inode(&mut made.inode)?;
        self.edit(place.directory, |state, directory| {
            state.add_name(directory, place.name, number, entries::mark(kind))?;
            if is_directory {
                add_directory_link(&mut directory.inode, &state.geometry)?;
            }
            directory.inode.set_modified(now);
            directory.inode.set_changed(now);
            Ok(())
        })?;
        let attributes = made.inode.attributes().ok_or(Errno::EIO)?;
        self.put(made);
        Ok((number, attributes))
    }

    /// Puts a symbolic link's target into its inode, or a block if it is long.
    fn put_target(&mut self, link: &mut Loaded, target: &[u8]) -> Result<(), Errno> {
        link.inode.set_size(target.len() as u64);
        if target.len() < BODY_SIZE {
            link.inode.body_mut()[..target.len()].copy_from_slice(target);
            return Ok(());
        }
        let physical = self.take_block(self.home_of(link.inode.number))?;
        let block = self.buffers.fresh(physical, seal::Kind::Target)?;
        let room = block.get_mut(..target.len()).ok_or(Errno::ENAMETOOLONG)?;
        room.copy_from_slice(target);
        let Loaded { inode, tree } = link;
        inode.set_flags(inode::EXTENTS);
        extents::clear_body(inode);
        inode.add_blocks(1);
        let extent = Extent {
            logical: 0,
            length: 1,
            physical,
            unwritten: false,
        };
        tree.insert(self, inode, extent)
    }

    pub fn link(&mut self, place: Place<'_>, number: Number) -> Result<(), Errno> {
        let now = clock::now();
        let kind = self.edit(number, |_, target| {
            let links = target.inode.links();
            if links == 0 {
                return Err(Errno::ENOENT);
            }
            if links >= MOST_LINKS {
                return Err(Errno::EMLINK);
            }
            target.inode.set_links(links + 1);
            target.inode.set_changed(now);
            target.inode.kind().ok_or(Errno::EIO)
        })?;
        self.edit(place.directory, |state, directory| {
            state.add_name(directory, place.name, number, entries::mark(kind))?;
            directory.inode.set_modified(now);
            directory.inode.set_changed(now);
            Ok(())
        })
    }

    /// Removes a name of something that is no directory, or, if `directory`,
    /// that of an empty directory.
    pub fn unlink(&mut self, place: Place<'_>, directory: bool) -> Result<(), Errno> {
        let now = clock::now();
        let number = self.edit(place.directory, |state, parent| {
            let found = state.find(parent, place.name)?.ok_or(Errno::ENOENT)?;
            let is_directory = kind_of(found.mark) == Some(Kind::Directory);
            match (is_directory, directory) {
                (true, false) => return Err(Errno::EISDIR),
                (false, true) => return Err(Errno::ENOTDIR),
                _ => {}
            }
            if directory {
                let is_empty = state.with(found.number, |state, child| state.is_empty(child))?;
                if !is_empty {
                    return Err(Errno::ENOTEMPTY);
                }
                drop_directory_link(&mut parent.inode);
            }
            state.remove_name(parent, place.name, found)?;
            parent.inode.set_modified(now);
            parent.inode.set_changed(now);
            Ok(found.number)
        })?;
        self.lose_name(number, now)
    }

    /// An inode has one name less; a directory, all.
    fn lose_name(&mut self, number: Number, now: u64) -> Result<(), Errno> {
        self.edit(number, |state, gone| {
            let links = match gone.inode.kind() {
                Some(Kind::Directory) => 0,
                _ => gone.inode.links().saturating_sub(1),
            };
            gone.inode.set_links(links);
            gone.inode.set_changed(now);
            if links == 0 && !state.is_orphan(number) {
                state.add_orphan(&mut gone.inode)?;
            }
            Ok(())
        })
    }

    /// Moves a name, in place of what the new one stood for.
    pub fn rename(&mut self, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
        let now = clock::now();
        let moved = self.entry_of(from)?.ok_or(Errno::ENOENT)?;
        let is_directory = kind_of(moved.mark) == Some(Kind::Directory);
        let replaced = self.entry_of(to)?;
        let old_directory = replaced.is_some_and(|old| kind_of(old.mark) == Some(Kind::Directory));
        if let Some(old) = replaced
            && old_directory
            && !self.with(old.number, |state, child| state.is_empty(child))?
        {
            return Err(Errno::ENOTEMPTY);
        }
        self.edit(to.directory, |state, directory| {
            match replaced {
                Some(old) => {
                    state.replace_name(directory, to.name, old, moved.number, moved.mark)?;
                }
                None => state.add_name(directory, to.name, moved.number, moved.mark)?,
            }
            if old_directory {
                drop_directory_link(&mut directory.inode);
            }
            if is_directory {
                add_directory_link(&mut directory.inode, &state.geometry)?;
            }
            directory.inode.set_modified(now);
            directory.inode.set_changed(now);
            Ok(())
        })?;
        self.edit(from.directory, |state, directory| {
            // Adding the new name may have moved the old one's entry.
            let found = state.find(directory, from.name)?.ok_or(Errno::EIO)?;
            state.remove_name(directory, from.name, found)?;
            if is_directory {
                drop_directory_link(&mut directory.inode);
            }
            directory.inode.set_modified(now);
            directory.inode.set_changed(now);
            Ok(())
        })?;
        self.settle(moved.number, is_directory, from, to, now)?;
        match replaced {
            Some(old) => self.lose_name(old.number, now),
            None => Ok(()),
        }
    }

    /// Lets two names change what they stand for.
    pub fn exchange(&mut self, one: Place<'_>, other: Place<'_>) -> Result<(), Errno> {
        let now = clock::now();
        let first = self.entry_of(one)?.ok_or(Errno::ENOENT)?;
        let second = self.entry_of(other)?.ok_or(Errno::ENOENT)?;
        let is_directory = |mark| kind_of(mark) == Some(Kind::Directory);
        for (place, old, new) in [(one, first, second), (other, second, first)] {
            self.edit(place.directory, |state, directory| {
                state.replace_name(directory, place.name, old, new.number, new.mark)?;
                match (is_directory(old.mark), is_directory(new.mark)) {
                    (true, false) => drop_directory_link(&mut directory.inode),
                    (false, true) => add_directory_link(&mut directory.inode, &state.geometry)?,
                    _ => {}
                }
                directory.inode.set_modified(now);
                directory.inode.set_changed(now);
                Ok(())
            })?;
        }
        self.settle(first.number, is_directory(first.mark), one, other, now)?;
        self.settle(second.number, is_directory(second.mark), other, one, now)
    }

    /// Tells an inode that it has moved.
    fn settle(
        &mut self,
        number: Number,
        is_directory: bool,
        from: Place<'_>,
        to: Place<'_>,
        now: u64,
    ) -> Result<(), Errno> {
        self.edit(number, |state, moved| {
            moved.inode.set_changed(now);
            if is_directory && from.directory != to.directory {
                let above = state.find(moved, b"..")?.ok_or(Errno::EIO)?;
                state.replace_name(moved, b"..", above, to.directory, above.mark)?;
            }
            Ok(())
        })
    }

    fn entry_of(&mut self, place: Place<'_>) -> Result<Option<super::directory::Found>, Errno> {
        self.with(place.directory, |state, directory| {
            state.find(directory, place.name)
        })
    }

    /// What a name stands for: ENOENT.
    pub fn look_up(&mut self, place: Place<'_>) -> Result<Number, Errno> {
        let found = self.entry_of(place)?;
        found.map(|found| found.number).ok_or(Errno::ENOENT)
    }
}

fn kind_of_new(new: &New<'_>) -> Kind {
    match new {
        New::Regular => Kind::Regular,
        New::Directory => Kind::Directory,
        New::SymbolicLink(_) => Kind::SymbolicLink,
        New::Character(_) => Kind::Character,
        New::Block(_) => Kind::Block,
        New::Fifo => Kind::Fifo,
        New::Socket => Kind::Socket,
    }
}

/// Counts one more subdirectory: EMLINK if there are too many.
fn add_directory_link(inode: &mut Inode, geometry: &Geometry) -> Result<(), Errno> {
    let links = match inode.links() {
        // Too many to be counted.
        1 => 1,
        links if links < MOST_LINKS => links + 1,
        _ if geometry.many_links => 1,
        _ => return Err(Errno::EMLINK),
    };
    inode.set_links(links);
    Ok(())
}

fn drop_directory_link(inode: &mut Inode) {
    let links = inode.links();
    inode.set_links(if links <= 2 { links } else { links - 1 });
}
