//! How files get shorter, and how inodes go: in several operations if they have
//! many pieces, which the chain of orphans ends after a crash.

use abi::Errno;

use super::Ext4;
use super::commit::Log;
use crate::files::clock;
use crate::files::disk::volume::Number;

impl Ext4 {
    /// Ends what a crash has left half done. What is damaged does not forbid
    /// the mount: what is left of the chain then stays as it is, for e2fsck.
    pub(super) fn free_orphans(&self) -> Result<(), Errno> {
        let result = self.free_chain();
        let has_failed = self.state.lock().buffers.has_failed();
        match result {
            Err(Errno::EIO) if !has_failed && self.check_writable().is_ok() => {
                log::error!(
                    "ext4: what was deleted while open cannot be freed: run e2fsck on the disk"
                );
                self.change(|state| state.drop_orphans())
            }
            result => result,
        }
    }

    fn free_chain(&self) -> Result<(), Errno> {
        self.state.lock().read_orphans()?;
        let mut freed = 0;
        loop {
            let (number, inode) = {
                let mut state = self.state.lock();
                let number = state.first_orphan()?;
                if number == 0 {
                    if freed > 0 {
                        log::info!("ext4: freed {freed} inodes that were deleted while open");
                    }
                    return Ok(());
                }
                (number, state.read_inode(number)?)
            };
            if inode.links() == 0 {
                self.free(number)?;
                freed += 1;
            } else {
                self.cut(number, inode.size())?;
            }
        }
    }

    /// Frees what was deleted and is still open, and ends cuts that are half done:
    /// nobody uses the volume any more. With the gate held alone. What cannot be
    /// freed stays on the chain, for the next mount.
    pub(super) fn free_left(&self, log: &mut Log) {
        if let Err(error) = self.try_free_left(log) {
            log::warn!("ext4: deleted files are left for the next mount to free: {error}");
        }
    }

    fn try_free_left(&self, log: &mut Log) -> Result<(), Errno> {
        // Whose blocks are gone; what the inode counts may be more than those.
        let mut emptied = 0;
        loop {
            if self.is_large() {
                self.commit_alone(log)?;
            }
            let mut state = self.state.lock();
            let number = state.first_orphan()?;
            if number == 0 {
                return Ok(());
            }
            let inode = state.read_inode(number)?;
            let has_blocks = inode.has_extents() && inode.blocks() > 0;
            let is_emptied = self.operate(&mut state, &mut |state| match inode.links() {
                0 if has_blocks && number != emptied => state.cut_all(number),
                0 => state.free_inode(number, clock::now()).map(|()| false),
                _ => state
                    .resize(number, inode.size(), clock::now())
                    .map(|_| false),
            })?;
            if is_emptied {
                emptied = number;
            }
        }
    }

    /// Frees an inode without names and its blocks. EIO, and nothing is freed,
    /// if it has a name.
    pub(super) fn free(&self, number: Number) -> Result<(), Errno> {
        let has_blocks = self.state.lock().with(number, |state, loaded| {
            let inode = &loaded.inode;
            if inode.links() > 0 || !state.is_orphan(number) {
                log::error!("ext4: inode {number} is still in use and cannot be freed");
                return Err(Errno::EIO);
            }
            Ok(inode.has_extents() && inode.blocks() > 0)
        })?;
        if has_blocks {
            self.empty(number)?;
        }
        self.change(|state| state.free_inode(number, clock::now()))
    }

    /// Takes all blocks from an inode that has no name.
    fn empty(&self, number: Number) -> Result<(), Errno> {
        let mut done = false;
        while !done {
            done = self.change(|state| state.cut_all(number))?;
        }
        Ok(())
    }

    /// Sets a file's size.
    pub(super) fn cut(&self, number: Number, size: u64) -> Result<(), Errno> {
        let mut done = false;
        while !done {
            done = self.change(|state| state.resize(number, size, clock::now()))?;
        }
        Ok(())
    }
}
