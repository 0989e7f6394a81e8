//! `/dev/pts`: the slaves of open masters, by their numbers. Nothing is kept; a
//! name is there as long as its master.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt::Write;

use abi::Errno;
use arrayvec::ArrayString;
use sync::OnceCell;

use super::table;
use crate::files::allocate::try_arc;
use crate::files::inode::{Inode, Kind, Listed, Maker, Metadata, New, Statistics};
use crate::files::node_file::NodeFile;
use crate::files::open_file::File;
use crate::files::{clock, directory, mounts, new_device};

/// `DEVPTS_SUPER_MAGIC` (statfs(2)).
const MAGIC: u32 = 0x1cd1;
/// The inode numbers of the folder and of the first slave.
const FOLDER: u64 = 1;
const FIRST: u64 = 3;

/// The folder.
struct Names {
    device: u64,
    made: u64,
}

static NAMES: OnceCell<Arc<Names>> = OnceCell::new();

/// Mounts it on `/dev/pts` of a new root, which has its devices.
pub fn mount(root: &Arc<dyn Inode>) -> Result<(), Errno> {
    let devices = mounts::enter(directory(root, b"dev")?);
    let names = try_arc(Names {
        device: new_device(),
        made: clock::now(),
    })?;
    // It is mounted once.
    let _ = NAMES.set(names.clone());
    let covered = directory(&devices, b"pts")?;
    mounts::add(Some(covered), names, b"devpts", "devpts", false)
}

/// The number of the file system.
pub fn device() -> u64 {
    NAMES.get().map_or(0, |names| names.device)
}

pub fn inode_of(number: u32) -> u64 {
    FIRST + u64::from(number)
}

pub fn statistics() -> Statistics {
    Statistics::without_room(MAGIC, device())
}

fn name_of(number: u32) -> ArrayString<10> {
    let mut name = ArrayString::new();
    // No number has more digits.
    let _ = write!(name, "{number}");
    name
}

impl Inode for Names {
    fn kind(&self) -> Kind {
        Kind::Directory
    }

    fn metadata(&self) -> Metadata {
        Metadata {
            links: 2,
            ..Metadata::without_content(self.device, FOLDER, Kind::Directory, 0o755, self.made)
        }
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        NodeFile::open(self, flags)
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let text = core::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        let number = text.parse().map_err(|_| Errno::ENOENT)?;
        match name_of(number).as_bytes() == name {
            true => Ok(table::get(number)?),
            false => Err(Errno::ENOENT),
        }
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        // It is the root of its file system.
        Ok(Box::default())
    }

    fn create(
        self: Arc<Self>,
        _name: &[u8],
        _new: New<'_>,
        _maker: Maker,
    ) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::EPERM)
    }

    fn unlink(&self, _name: &[u8]) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }

    fn list(&self, from: u64, emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        let dots = [(0, "."), (1, "..")];
        for (at, name) in dots.into_iter().filter(|&(at, _)| at >= from) {
            let listed = Listed {
                number: FOLDER,
                kind: Kind::Directory,
                name: name.as_bytes(),
                next: at + 1,
            };
            if !emit(listed) {
                return Ok(());
            }
        }
        for number in table::numbers()? {
            let (at, name) = (u64::from(number) + 2, name_of(number));
            let listed = Listed {
                number: inode_of(number),
                kind: Kind::Character,
                name: name.as_bytes(),
                next: at + 1,
            };
            if at >= from && !emit(listed) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(statistics())
    }
}
