//! How files get shorter, and how inodes go: in several operations if they have
//! many pieces, which the chain of orphans ends after a crash.

use abi::Errno;

use super::Ext4;
use super::commit::Log;
use super::state::State;
use crate::files::clock;
use crate::files::disk::volume::Number;

/// What one operation has done for the first inode on the chain of orphans.
enum Step {
    /// There is none.
    Ended,
    /// Some blocks have gone.
    Cut,
    /// The last of this inode's blocks have; what it counts may be more than those.
    Emptied(Number),
    Freed,
}

impl State {
    /// Frees the first orphan, a step at a time, or ends its cut if it has a name.
    /// `emptied` is the inode whose blocks are known to be gone.
    fn free_step(&mut self, emptied: Number) -> Result<Step, Errno> {
        let number = self.first_orphan()?;
        if number == 0 {
            return Ok(Step::Ended);
        }
        let inode = self.read_inode(number)?;
        if inode.links() > 0 {
            self.resize(number, inode.size(), clock::now())?;
            return Ok(Step::Cut);
        }
        if inode.has_extents() && inode.blocks() > 0 && number != emptied {
            return Ok(match self.cut_all(number)? {
                true => Step::Emptied(number),
                false => Step::Cut,
            });
        }
        self.free_inode(number, clock::now())?;
        Ok(Step::Freed)
    }
}

/// Frees the whole chain; how many inodes. `carry_out` makes a step an operation,
/// given what [`State::free_step`] wants to know.
fn free_chain(mut carry_out: impl FnMut(Number) -> Result<Step, Errno>) -> Result<usize, Errno> {
    let (mut emptied, mut freed) = (0, 0);
    loop {
        match carry_out(emptied)? {
            Step::Ended => return Ok(freed),
            Step::Cut => {}
            Step::Emptied(number) => emptied = number,
            Step::Freed => freed += 1,
        }
    }
}

impl Ext4 {
    /// Ends what a crash has left half done. What is damaged does not forbid
    /// the mount: what is left of the chain then stays as it is, for e2fsck.
    pub(super) fn free_orphans(&self) -> Result<(), Errno> {
        let read = self.state.lock().read_orphans();
        let freed =
            read.and_then(|()| free_chain(|emptied| self.change(|state| state.free_step(emptied))));
        let has_failed = self.state.lock().buffers.has_failed();
        match freed {
            Err(Errno::EIO) if !has_failed && self.check_writable().is_ok() => {
                log::error!(
                    "ext4: what was deleted while open cannot be freed: run e2fsck on the disk"
                );
                self.change(|state| state.drop_orphans())
            }
            Ok(freed) if freed > 0 => {
                log::info!("ext4: freed {freed} inodes that were deleted while open");
                Ok(())
            }
            freed => freed.map(drop),
        }
    }

    /// Frees what was deleted and is still open, and ends cuts that are half done:
    /// nobody uses the volume any more. With the gate held alone. What cannot be
    /// freed stays on the chain, for the next mount.
    pub(super) fn free_left(&self, log: &mut Log) {
        let freed = free_chain(|emptied| {
            if self.is_large() {
                self.commit_alone(log)?;
            }
            self.operate(&mut self.state.lock(), 0, &mut |state| {
                state.free_step(emptied)
            })
        });
        if let Err(error) = freed {
            log::warn!("ext4: deleted files are left for the next mount to free: {error}");
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
