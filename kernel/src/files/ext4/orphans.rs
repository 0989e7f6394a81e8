//! Inodes without names that are still in use, and files that are being cut: a
//! chain on the disk, so that the next mount ends what a crash has left
//! (kernel documentation, ext4/orphan.rst). An inode on it points to the next
//! one in the place of its time of deletion.

use abi::Errno;

use super::inode::Inode;
use super::state::State;
use crate::files::disk::volume::Number;

impl State {
    /// Puts an inode on the chain. Its record is the caller's to write.
    pub fn add_orphan(&mut self, inode: &mut Inode) -> Result<(), Errno> {
        self.keep_orphans()?;
        self.orphans.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        inode.set_deleted(self.first_orphan()?);
        self.set_first_orphan(inode.number)?;
        self.orphans.push(inode.number);
        Ok(())
    }

    /// Takes it off. Its record is the caller's to write.
    pub fn remove_orphan(&mut self, inode: &mut Inode) -> Result<(), Errno> {
        let is_it = |&number: &Number| number == inode.number;
        let index = self.orphans.iter().position(is_it).ok_or(Errno::EIO)?;
        self.keep_orphans()?;
        let next = inode.deleted();
        match self.orphans.get(index + 1).copied() {
            None => self.set_first_orphan(next)?,
            Some(before) => {
                self.edit(before, |_, loaded| {
                    loaded.inode.set_deleted(next);
                    Ok(())
                })?;
            }
        }
        self.orphans.remove(index);
        inode.set_deleted(0);
        Ok(())
    }

    pub fn is_orphan(&self, number: Number) -> bool {
        self.orphans.contains(&number)
    }

    /// Reads the chain from the disk.
    pub fn read_orphans(&mut self) -> Result<(), Errno> {
        self.orphans.clear();
        let mut next = self.first_orphan()?;
        while next != 0 {
            if self.orphans.contains(&next) {
                log::error!("ext4: the chain of orphans is damaged: run e2fsck on the disk");
                return Err(Errno::EIO);
            }
            self.orphans.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.orphans.push(next);
            next = self.read_inode(next)?.deleted();
        }
        self.orphans.reverse();
        Ok(())
    }
}
