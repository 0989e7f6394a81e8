//! Files without a name and without content of their own, such as what
//! eventfd(2) makes: all of them share one inode.

use alloc::sync::Arc;

use abi::Errno;
use sync::OnceCell;

use super::allocate::try_arc;
use super::inode::{Inode, Kind, Metadata, Statistics};
use super::open_file::{File, Operations};

/// The device number of these files, which no file system has.
const DEVICE: u64 = 0xd;

struct Anonymous {
    made: u64,
}

static INODE: OnceCell<Arc<Anonymous>> = OnceCell::new();

/// A new open file that does what `operations` says. `flags` have the access mode, and
/// may have O_NONBLOCK. ENOMEM.
pub fn open<O: Operations + 'static>(flags: usize, operations: O) -> Result<Arc<File>, Errno> {
    let inode = match INODE.get() {
        Some(inode) => inode.clone(),
        None => {
            let inode = try_arc(Anonymous {
                made: super::clock::now(),
            })?;
            // Who was faster made one that is as good.
            let _ = INODE.set(inode.clone());
            inode
        }
    };
    File::new(inode, flags as u32, operations)
}

impl Inode for Anonymous {
    fn kind(&self) -> Kind {
        Kind::Anonymous
    }

    fn metadata(&self) -> Metadata {
        Metadata::without_content(DEVICE, 1, Kind::Anonymous, 0o600, self.made)
    }

    fn open(self: Arc<Self>, _flags: u32) -> Result<Arc<File>, Errno> {
        // It has no name to open it by.
        Err(Errno::ENXIO)
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        /// `ANON_INODE_FS_MAGIC` (statfs(2)).
        const MAGIC: u32 = 0x0904_1934;
        Ok(Statistics::without_room(MAGIC, DEVICE))
    }
}
