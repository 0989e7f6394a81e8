//! Inodes without names that are still in use, and files that are being cut: a
//! chain on the disk, so that the next mount ends what a crash has left
//! (kernel documentation, ext4/orphan.rst). An inode on it points to the next
//! one in the place of its time of deletion; [`Orphans`] knows the way back.

use alloc::vec::Vec;

use abi::Errno;
use hashbrown::HashMap;

use super::inode::Inode;
use super::state::State;
use crate::files::disk::volume::Number;

/// Those on the chain.
pub struct Orphans {
    /// Each with the one that points to it; 0 for the first one.
    before: HashMap<Number, Number>,
    /// What the operation has changed, oldest first: what was there.
    changes: Vec<(Number, Option<Number>)>,
}

impl Orphans {
    pub fn new() -> Orphans {
        Orphans {
            before: HashMap::new(),
            changes: Vec::new(),
        }
    }

    pub fn contains(&self, number: Number) -> bool {
        self.before.contains_key(&number)
    }

    /// Begins an operation: what was changed before stays.
    pub fn begin(&mut self) {
        self.changes.clear();
    }

    /// The operation has failed.
    pub fn undo(&mut self) {
        while let Some((number, was)) = self.changes.pop() {
            match was {
                // There is room: it has just been there.
                Some(before) => drop(self.before.insert(number, before)),
                None => drop(self.before.remove(&number)),
            }
        }
    }

    /// `before` points to `number` from now on; nobody, if `None`, and it is not
    /// on the chain. ENOMEM.
    fn set(&mut self, number: Number, before: Option<Number>) -> Result<(), Errno> {
        self.changes.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // Also if one goes: `undo` must not need memory.
        self.before.try_reserve(2).map_err(|_| Errno::ENOMEM)?;
        let was = match before {
            Some(before) => self.before.insert(number, before),
            None => self.before.remove(&number),
        };
        self.changes.push((number, was));
        Ok(())
    }
}

impl State {
    /// Puts an inode on the chain. Its record is the caller's to write.
    pub fn add_orphan(&mut self, inode: &mut Inode) -> Result<(), Errno> {
        let next = self.first_orphan()?;
        self.orphans.set(inode.number, Some(0))?;
        if next != 0 {
            self.orphans.set(next, Some(inode.number))?;
        }
        inode.set_deleted(next);
        self.set_first_orphan(inode.number)
    }

    /// Takes it off. Its record is the caller's to write.
    pub fn remove_orphan(&mut self, inode: &mut Inode) -> Result<(), Errno> {
        let before = self.orphans.before.get(&inode.number).copied();
        let before = before.ok_or(Errno::EIO)?;
        let next = inode.deleted();
        self.orphans.set(inode.number, None)?;
        if next != 0 {
            self.orphans.set(next, Some(before))?;
        }
        match before {
            0 => self.set_first_orphan(next)?,
            before => self.edit(before, |_, loaded| {
                loaded.inode.set_deleted(next);
                Ok(())
            })?,
        }
        inode.set_deleted(0);
        Ok(())
    }

    pub fn is_orphan(&self, number: Number) -> bool {
        self.orphans.contains(number)
    }

    /// Reads the chain from the disk: EIO if it is damaged.
    pub fn read_orphans(&mut self) -> Result<(), Errno> {
        self.orphans = Orphans::new();
        let (mut before, mut next) = (0, self.first_orphan()?);
        while next != 0 {
            if self.is_orphan(next) {
                log::error!("ext4: the chain of orphans is damaged: run e2fsck on the disk");
                return Err(Errno::EIO);
            }
            let inode = self.read_inode(next)?;
            self.orphans.set(next, Some(before))?;
            (before, next) = (next, inode.deleted());
        }
        self.orphans.begin();
        Ok(())
    }

    /// Makes the chain empty, whatever is on it.
    pub fn drop_orphans(&mut self) -> Result<(), Errno> {
        self.set_first_orphan(0)?;
        self.orphans = Orphans::new();
        Ok(())
    }
}
