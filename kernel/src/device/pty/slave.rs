//! The slave as an inode of `/dev/pts`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

use abi::Errno;
use abi::file::{O_ACCMODE, O_NOCTTY, O_WRONLY};

use super::{Slave, names, table};
use crate::device::terminal::TerminalFile;
use crate::files::inode::{Inode, Kind, Metadata, Owner, Statistics, device_number};
use crate::files::open_file::File;

/// The first of the majors that Linux has for slaves.
const MAJOR: u32 = 136;

/// The number of the slave that has this device number.
pub fn number_of(device: u64) -> Option<u32> {
    let minor = (device & 0xff | device >> 12 & 0xf_ff00) as u32;
    (device == device_number(MAJOR, minor)).then_some(minor)
}

impl Slave {
    /// Opens it: EIO if it is locked or has no master. The process that leads a session
    /// without a terminal gets it.
    pub fn open_slave(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        // Counted from here on, until the file is closed.
        table::open(&self)?;
        let file = TerminalFile::open(self.clone(), self.clone(), flags)?;
        let reads = flags & O_ACCMODE as u32 != O_WRONLY as u32;
        if flags & O_NOCTTY as u32 == 0 && reads {
            // Else it is opened all the same.
            let _ = self.take_control();
        }
        Ok(file)
    }
}

impl Inode for Slave {
    fn kind(&self) -> Kind {
        Kind::Character
    }

    fn metadata(&self) -> Metadata {
        let pair = self.port();
        let (kind, permissions) = (self.kind(), pair.permissions.load(Relaxed));
        let inode = names::inode_of(pair.number);
        Metadata {
            owner: Owner {
                user: pair.user.load(Relaxed),
                group: pair.group.load(Relaxed),
            },
            special: device_number(MAJOR, pair.number),
            ..Metadata::without_content(names::device(), inode, kind, permissions, pair.made)
        }
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        self.open_slave(flags)
    }

    fn set_permissions(&self, permissions: u32) -> Result<(), Errno> {
        self.port().permissions.store(permissions, Relaxed);
        Ok(())
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
        let set = |id: Option<u32>, place: &core::sync::atomic::AtomicU32| {
            if let Some(id) = id {
                place.store(id, Relaxed);
            }
        };
        set(user, &self.port().user);
        set(group, &self.port().group);
        Ok(())
    }

    fn set_times(&self, _accessed: Option<u64>, _modified: Option<u64>) -> Result<(), Errno> {
        // It keeps none.
        Ok(())
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(names::statistics())
    }
}
