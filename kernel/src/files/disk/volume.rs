//! [`Volume`]: a file system on a disk, as the VFS sees it: inodes by number,
//! names in directories, pages of files. What stands above ([`super`]) caches
//! names, attributes and pages; what stands behind it knows the format.
//!
//! Every change of names is atomic: after a crash it is there as a whole or
//! not at all. It is durable once [`Volume::commit`] has returned. All methods
//! may sleep and none is interrupted; each implementation has its own locks.

use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;
use machine::frames::Frame;

use crate::files::inode::{Kind, Listed, Maker, New, Owner, Replace, Sought};

/// An inode's number in its volume.
pub type Number = u32;

/// What an inode says of itself. Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub kind: Kind,
    /// Permission bits, without the type.
    pub permissions: u32,
    pub owner: Owner,
    pub links: u32,
    /// What a device inode stands for (makedev(3)).
    pub special: u64,
    /// Bytes.
    pub size: u64,
    /// Bytes of the disk it takes.
    pub allocated: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

/// What [`Volume::update`] changes; the time of change becomes `changed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub permissions: Option<u32>,
    pub user: Option<u32>,
    pub group: Option<u32>,
    pub accessed: Option<u64>,
    pub modified: Option<u64>,
}

/// A name and the directory that holds it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub directory: Number,
    /// 1 to 255 bytes; not `.` or `..`, no slash.
    pub name: &'a [u8],
}

/// How much room there is. Counts of blocks are in units of `block_size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub block_size: u64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub inodes: u64,
    pub free_inodes: u64,
}

/// See the module.
pub trait Volume: Send + Sync {
    fn root(&self) -> Number;

    fn room(&self) -> Room;

    /// Up to how many bytes a file can be long.
    fn largest_size(&self) -> u64;

    /// The attributes of an inode in use: EIO if it is not.
    fn attributes(&self, inode: Number) -> Result<Attributes, Errno>;

    fn update(&self, inode: Number, changes: Changes) -> Result<(), Errno>;

    /// What `place` names: ENOENT.
    fn look_up(&self, place: Place<'_>) -> Result<Number, Errno>;

    /// Calls `emit` for each entry, `.` and `..` included, from position `from`
    /// on until it returns false; 0 is the beginning. `emit` does not sleep. An
    /// entry that is there all the time is listed once.
    fn list(
        &self,
        directory: Number,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno>;

    /// Makes an inode and its name, which is not there yet (the caller sees to
    /// it): ENOSPC, EMLINK.
    fn create(
        &self,
        place: Place<'_>,
        new: New<'_>,
        maker: Maker,
    ) -> Result<(Number, Attributes), Errno>;

    /// Gives an inode one more name: ENOSPC, EMLINK.
    fn link(&self, place: Place<'_>, inode: Number) -> Result<(), Errno>;

    /// Removes the name of something that is no directory. An inode without
    /// names stays, as an orphan that the next mount frees, until
    /// [`Volume::release`].
    fn unlink(&self, place: Place<'_>) -> Result<(), Errno>;

    /// Removes an empty directory's name: ENOTEMPTY. The inode as in `unlink`.
    fn remove_directory(&self, place: Place<'_>) -> Result<(), Errno>;

    /// Moves a name, in one step, in place of what the new one named, or in
    /// exchange with it; the caller has found that this may be done. What was
    /// there and has lost its name: as in `unlink`.
    fn rename(&self, from: Place<'_>, to: Place<'_>, replace: Replace) -> Result<(), Errno>;

    /// Frees an inode that has no names and no users any more.
    fn release(&self, inode: Number) -> Result<(), Errno>;

    fn read_link(&self, inode: Number) -> Result<Vec<u8>, Errno>;

    /// Fills `frames` with the file's pages from number `first` on; holes and
    /// what lies past the end are zeroes.
    fn read(&self, inode: Number, first: u64, frames: &[Frame]) -> Result<(), Errno>;

    /// Writes pages of a file that is `size` bytes long, and its time of
    /// modification: the size on the disk grows up to `size` as pages get there.
    /// EIO, ENOSPC; EROFS if nothing can be written any more.
    fn write(
        &self,
        inode: Number,
        first: u64,
        frames: &[Frame],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno>;

    /// Promises that these pages of a file can be written, besides all that was
    /// promised before: ENOSPC, and where what they have is looked up EIO, ENOMEM,
    /// EFBIG. False if all of them can be written anyway: then nothing is promised.
    fn reserve(&self, inode: Number, pages: Range<u64>) -> Result<bool, Errno>;

    /// Promises room for a page that has its block. Does not sleep.
    fn reserve_again(&self);

    /// Takes back the promise for so many pages: they are written, or will not be.
    /// Does not sleep.
    fn unreserve(&self, pages: u64);

    /// Cuts off or extends with a hole: EFBIG.
    fn set_size(&self, inode: Number, size: u64) -> Result<(), Errno>;

    /// Sees to it that `length` bytes at `offset` can be written without more
    /// space; the file grows if `extends`: ENOSPC, EFBIG.
    fn allocate(&self, inode: Number, offset: u64, length: u64, extends: bool)
    -> Result<(), Errno>;

    /// The first byte of data or of a hole from `offset` on, which is before
    /// `size`, the end of the file; the end counts as a hole. ENXIO.
    fn seek(&self, inode: Number, offset: u64, sought: Sought, size: u64) -> Result<u64, Errno>;

    /// Makes durable all that was done before: one commit serves all who wait.
    fn commit(&self) -> Result<(), Errno>;

    /// Gives back memory that what was read takes: what was not used since the
    /// last call, or `all` that can be. How many blocks were forgotten.
    fn shrink(&self, all: bool) -> usize;

    /// Writes everything home and marks the volume as clean. No call follows.
    fn unmount(&self) -> Result<(), Errno>;
}
