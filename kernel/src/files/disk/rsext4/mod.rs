//! ext4 through the crate `rsext4`: the names of [`Volume`] for its calls.
//!
//! The crate is one value that changes (`&mut self`) and needs a deep stack, so
//! all calls hold one sleeping lock and run on the volume's own [`DeepStack`].
//! Waiting for that lock is also what groups commits: whoever gets it finds
//! out whether a commit has covered what it waits for.

mod device;
mod list;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Errno;
use machine::deep_stack::DeepStack;
use machine::frames::Frame;
use rsext4::{
    DeviceNumber, DirectoryEntryType, Ext4, Ext4Error, Ext4ErrorKind, Ext4Result, Ext4Timestamp,
    FileName, FilePermissions, InodeInfo, InodeMetadataUpdate, InodeNumber, MountOptions,
    MountServices, MountedServices, MutationContext, NoopObserver, RenameOptions, SpecialInodeKind,
};
use sync::{Mutex, rank};

use super::volume::{Attributes, Changes, Maker, Number, Place, Room, Volume};
use crate::device::disk::Disk;
use crate::files::allocate::{try_vec, try_zeroed};
use crate::files::cache::dirty_total;
use crate::files::clock;
use crate::files::inode::{Kind, Listed, New, Owner, Replace, device_number};
use device::Device;

/// Bytes that are copied at a time between pages and the crate.
const PORTION: usize = 32 * PAGE;
const PAGE: usize = abi::memory::PAGE_SIZE;
const SECOND: u64 = 1_000_000_000;
/// Blocks that new data leave to the metadata that they need.
const SPARE_BLOCKS: u64 = 64;
/// Blocks that one change of names takes at most: a directory's new leaf and
/// inner nodes, and the first block of a new directory.
const NAME_BLOCKS: u64 = 16;

type Mounted = Ext4<Device, MountedServices<(), NoopObserver>>;

struct State {
    stack: DeepStack,
    ext4: Box<Mounted>,
    portion: Box<[u8]>,
}

/// See the module.
pub struct RsExt4 {
    state: Mutex<State, rank::Volume>,
    root: Number,
    /// Changes made, and how many of them the last commit has covered.
    made: AtomicU64,
    committed: AtomicU64,
}

struct Now;

impl rsext4::Clock for Now {
    fn now(&self) -> Ext4Result<Ext4Timestamp> {
        Ok(timestamp(clock::now()))
    }
}

impl RsExt4 {
    /// Reads the file system on `disk`, replaying its journal.
    pub fn open(disk: Arc<Disk>, read_only: bool) -> Result<RsExt4, Errno> {
        let mut stack = DeepStack::new().map_err(|_| Errno::ENOMEM)?;
        let options = match read_only {
            true => MountOptions {
                readonly: true,
                replay_journal: false,
                block_validity: true,
            },
            false => MountOptions::read_write(),
        };
        let device = Device::new(disk)?;
        let services = MountServices::new(Now, (), NoopObserver);
        let mounted = stack.run(|| Ext4::mount(device, services, options).map(Box::new));
        let ext4 = mounted.map_err(|error| {
            log::error!("the ext4 file system cannot be mounted: {error}");
            errno(error)
        })?;
        Ok(RsExt4 {
            root: ext4.root_inode().raw(),
            state: Mutex::new(State {
                stack,
                ext4,
                portion: try_zeroed(PORTION)?,
            }),
            made: AtomicU64::new(0),
            committed: AtomicU64::new(0),
        })
    }

    /// Calls `act` with the crate's value, on its stack.
    fn with<R>(
        &self,
        act: impl FnOnce(&mut Mounted, &mut [u8]) -> Ext4Result<R>,
    ) -> Result<R, Errno> {
        let mut state = self.state.lock();
        let State {
            stack,
            ext4,
            portion,
        } = &mut *state;
        stack.run(|| act(ext4, portion)).map_err(errno)
    }

    /// The same, for what changes something.
    fn change<R>(&self, act: impl FnOnce(&mut Mounted) -> Ext4Result<R>) -> Result<R, Errno> {
        self.with(|ext4, _| {
            let done = act(ext4);
            self.made.fetch_add(1, Ordering::Release);
            done
        })
    }

    /// The same, for what may take blocks: ENOSPC while there are enough for it
    /// and for what is dirty, because the crate does not undo an allocation
    /// that it cannot finish.
    fn grow<R>(&self, act: impl FnOnce(&mut Mounted) -> Ext4Result<R>) -> Result<R, Errno> {
        if self.room().free_blocks < NAME_BLOCKS {
            return Err(Errno::ENOSPC);
        }
        self.change(act)
    }
}

impl Volume for RsExt4 {
    fn root(&self) -> Number {
        self.root
    }

    fn room(&self) -> Room {
        let numbers = self.state.lock().ext4.statfs();
        Room {
            block_size: numbers.block_size,
            blocks: numbers.total_blocks,
            // What is dirty may need a block each.
            free_blocks: numbers.free_blocks.saturating_sub(dirty_total() as u64),
            inodes: numbers.total_inodes.into(),
            free_inodes: numbers.free_inodes.into(),
        }
    }

    fn attributes(&self, inode: Number) -> Result<Attributes, Errno> {
        self.with(|ext4, _| attributes(&ext4.inode(InodeNumber::new(inode)?)?))
    }

    fn update(&self, inode: Number, changes: Changes) -> Result<(), Errno> {
        self.change(|ext4| {
            let number = InodeNumber::new(inode)?;
            let owner = match (changes.user, changes.group) {
                (None, None) => None,
                (user, group) => {
                    let old = ext4.inode(number)?;
                    Some((user.unwrap_or(old.uid), group.unwrap_or(old.gid)))
                }
            };
            let permissions = changes
                .permissions
                .map(|bits| FilePermissions::new(bits as u16))
                .transpose()?;
            ext4.update_inode_metadata(
                number,
                InodeMetadataUpdate {
                    permissions,
                    owner,
                    atime: changes.accessed.map(timestamp),
                    mtime: changes.modified.map(timestamp),
                    ..InodeMetadataUpdate::default()
                },
            )?;
            Ok(())
        })
    }

    fn look_up(&self, place: Place<'_>) -> Result<Number, Errno> {
        let found = self.with(|ext4, _| {
            let (directory, name) = located(place)?;
            ext4.lookup_child(directory, name)
        })?;
        found.map(|inode| inode.number.raw()).ok_or(Errno::ENOENT)
    }

    fn list(
        &self,
        directory: Number,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        self.with(|ext4, _| list::list(ext4, InodeNumber::new(directory)?, from, emit))
    }

    fn create(
        &self,
        place: Place<'_>,
        new: New<'_>,
        maker: Maker,
    ) -> Result<(Number, Attributes), Errno> {
        let info = self.grow(|ext4| create(ext4, place, new, maker))?;
        Ok((info.number.raw(), attributes(&info).map_err(errno)?))
    }

    fn link(&self, place: Place<'_>, inode: Number) -> Result<(), Errno> {
        self.grow(|ext4| {
            let (directory, name) = located(place)?;
            ext4.hard_link(InodeNumber::new(inode)?, directory, name)?;
            Ok(())
        })
    }

    fn unlink(&self, place: Place<'_>) -> Result<(), Errno> {
        self.change(|ext4| {
            let (directory, name) = located(place)?;
            // What is to be freed, and when, the node of the inode knows.
            let _ = ext4.unlink(directory, name)?;
            Ok(())
        })
    }

    fn remove_directory(&self, place: Place<'_>) -> Result<(), Errno> {
        self.change(|ext4| {
            let (directory, name) = located(place)?;
            let _ = ext4.remove_empty_directory(directory, name)?;
            Ok(())
        })
    }

    fn rename(&self, from: Place<'_>, to: Place<'_>, replace: Replace) -> Result<(), Errno> {
        self.grow(|ext4| {
            let (directory, name) = located(from)?;
            let (new_directory, new_name) = located(to)?;
            let options = match replace {
                Replace::Yes => RenameOptions::REPLACE,
                Replace::No => RenameOptions::NO_REPLACE,
                Replace::Exchange => RenameOptions::EXCHANGE,
            };
            // What lost its name, and when it is freed, its node knows.
            let _ = ext4.rename(directory, name, new_directory, new_name, options)?;
            Ok(())
        })
    }

    fn release(&self, inode: Number) -> Result<(), Errno> {
        self.change(|ext4| ext4.reap_unlinked_inode(InodeNumber::new(inode)?))
    }

    fn read_link(&self, inode: Number) -> Result<Vec<u8>, Errno> {
        let mut target = try_vec(abi::file::PATH_MAX)?;
        target.resize(abi::file::PATH_MAX, 0);
        let length =
            self.with(|ext4, _| ext4.read_inode(InodeNumber::new(inode)?, 0, &mut target))?;
        target.truncate(length);
        Ok(target)
    }

    fn read(&self, inode: Number, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let mut first = first;
        for frames in frames.chunks(PORTION / PAGE) {
            self.with(|ext4, portion| {
                let wanted = &mut portion[..frames.len() * PAGE];
                let offset = first * PAGE as u64;
                let number = InodeNumber::new(inode)?;
                let size = ext4.inode(number)?.size;
                let there = size.saturating_sub(offset).min(wanted.len() as u64) as usize;
                let read = match there {
                    0 => 0,
                    _ => ext4.read_inode(number, offset, &mut wanted[..there])?,
                };
                wanted[read..].fill(0);
                for (frame, bytes) in frames.iter().zip(wanted.chunks(PAGE)) {
                    frame.write(0, bytes);
                }
                Ok(())
            })?;
            first += frames.len() as u64;
        }
        Ok(())
    }

    fn write(
        &self,
        inode: Number,
        first: u64,
        frames: &[Frame],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno> {
        let mut first = first;
        for frames in frames.chunks(PORTION / PAGE) {
            self.with(|ext4, portion| {
                let bytes = &mut portion[..frames.len() * PAGE];
                for (frame, bytes) in frames.iter().zip(bytes.chunks_mut(PAGE)) {
                    frame.read(0, bytes);
                }
                let offset = first * PAGE as u64;
                let length = size.saturating_sub(offset).min(bytes.len() as u64) as usize;
                let number = InodeNumber::new(inode)?;
                let done = match length {
                    0 => Ok(()),
                    _ => ext4.write_inode(number, offset, &bytes[..length]),
                };
                self.made.fetch_add(1, Ordering::Release);
                done
            })?;
            first += frames.len() as u64;
        }
        self.update(
            inode,
            Changes {
                modified: Some(modified),
                ..Changes::default()
            },
        )
    }

    fn reserve(&self, pages: u64) -> Result<(), Errno> {
        match self.room().free_blocks >= pages + SPARE_BLOCKS {
            true => Ok(()),
            false => Err(Errno::ENOSPC),
        }
    }

    fn set_size(&self, inode: Number, size: u64) -> Result<(), Errno> {
        self.change(|ext4| ext4.truncate_inode(InodeNumber::new(inode)?, size))
    }

    fn commit(&self) -> Result<(), Errno> {
        let wanted = self.made.load(Ordering::Acquire);
        self.with(|ext4, _| {
            if self.committed.load(Ordering::Acquire) >= wanted {
                return Ok(());
            }
            let covers = self.made.load(Ordering::Acquire);
            ext4.sync()?;
            self.committed.store(covers, Ordering::Release);
            Ok(())
        })
    }

    fn unmount(&self) -> Result<(), Errno> {
        self.with(|ext4, _| ext4.unmount())
    }
}

fn located(place: Place<'_>) -> Ext4Result<(InodeNumber, FileName<'_>)> {
    Ok((
        InodeNumber::new(place.directory)?,
        FileName::new(place.name)?,
    ))
}

fn create(
    ext4: &mut Mounted,
    place: Place<'_>,
    new: New<'_>,
    maker: Maker,
) -> Ext4Result<InodeInfo> {
    let (directory, name) = located(place)?;
    let context = MutationContext::new(maker.owner.user, maker.owner.group, 0, 0);
    let permissions = FilePermissions::new(maker.permissions as u16 & 0o7777)?;
    let special = match new {
        New::Regular => {
            return ext4.create_regular_file(context, directory, name, permissions);
        }
        New::Directory => return ext4.create_directory(context, directory, name, permissions),
        New::SymbolicLink(target) => {
            return ext4.create_symlink(context, directory, name, target);
        }
        New::Character(number) => SpecialInodeKind::CharacterDevice(device_of(number)?),
        New::Block(number) => SpecialInodeKind::BlockDevice(device_of(number)?),
        New::Fifo => SpecialInodeKind::Fifo,
        New::Socket => SpecialInodeKind::Socket,
    };
    ext4.create_special_inode(context, directory, name, permissions, special)
}

/// The crate's form of a device's number, and back (makedev(3)).
fn device_of(number: u64) -> Ext4Result<DeviceNumber> {
    let major = number >> 8 & 0xfff | number >> 32 & !0xfff;
    let minor = number & 0xff | number >> 12 & !0xff;
    DeviceNumber::new(major as u32, minor as u32)
}

fn kind(of: DirectoryEntryType) -> Ext4Result<Kind> {
    match of {
        DirectoryEntryType::RegularFile => Ok(Kind::Regular),
        DirectoryEntryType::Directory => Ok(Kind::Directory),
        DirectoryEntryType::Symlink => Ok(Kind::SymbolicLink),
        DirectoryEntryType::CharacterDevice => Ok(Kind::Character),
        DirectoryEntryType::BlockDevice => Ok(Kind::Block),
        DirectoryEntryType::Fifo => Ok(Kind::Fifo),
        DirectoryEntryType::Socket => Ok(Kind::Socket),
        _ => Err(Ext4Error::unsupported()),
    }
}

fn attributes(inode: &InodeInfo) -> Ext4Result<Attributes> {
    let number = inode.device_number;
    Ok(Attributes {
        kind: kind(inode.file_type())?,
        permissions: u32::from(inode.mode) & 0o7777,
        owner: Owner {
            user: inode.uid,
            group: inode.gid,
        },
        links: inode.links.into(),
        special: number.map_or(0, |number| device_number(number.major(), number.minor())),
        size: inode.size,
        allocated: inode.blocks * 512,
        accessed: u64::from(inode.atime) * SECOND,
        modified: u64::from(inode.mtime) * SECOND,
        changed: u64::from(inode.ctime) * SECOND,
    })
}

fn timestamp(time: u64) -> Ext4Timestamp {
    Ext4Timestamp::new((time / SECOND) as i64, (time % SECOND) as u32)
}

fn errno(error: Ext4Error) -> Errno {
    use Ext4ErrorKind::*;
    match error.kind() {
        NoSpace => Errno::ENOSPC,
        NoMemory => Errno::ENOMEM,
        ReadOnly | JournalAborted => Errno::EROFS,
        TooManyLinks => Errno::EMLINK,
        PermissionDenied => Errno::EPERM,
        NotFound => Errno::ENOENT,
        AlreadyExists => Errno::EEXIST,
        NotDirectory => Errno::ENOTDIR,
        IsDirectory => Errno::EISDIR,
        NotEmpty => Errno::ENOTEMPTY,
        Busy => Errno::EBUSY,
        InvalidInput => Errno::EINVAL,
        FileTooLarge | Overflow => Errno::EFBIG,
        _ => {
            log::error!("ext4: {error}");
            Errno::EIO
        }
    }
}
