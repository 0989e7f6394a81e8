//! Files: names, open files, descriptors, pipes, and the file system in memory.
//!
//! From the outside in: a descriptor of a [`FileTable`] stands for an open
//! [`File`], which has an [`Inode`] and what its kind does ([`Operations`]);
//! [`walk`] leads from a path to an inode; [`ramfs`] and the devices provide
//! inodes. Data moves through [`Sink`] and [`Source`], so that the same code
//! serves user memory and the kernel's own reads.
//!
//! Each type has its own locks, named in its module; nothing here holds two of
//! one kind at a time.

pub mod allocate;
pub mod buffer;
pub mod cache;
pub mod clock;
pub mod context;
mod cpio;
pub mod hooks;
pub mod inode;
pub mod names;
mod node_file;
pub mod open_file;
mod path;
pub mod path_buffer;
pub mod pipe;
pub mod poll;
pub mod ramfs;
mod slots;
pub mod table;
pub mod walk;

use alloc::sync::Arc;

use abi::Errno;

pub use self::buffer::{Sink, Source};
pub use self::context::FsContext;
pub use self::inode::{Inode, Kind, Metadata};
pub use self::open_file::{File, Operations};
pub use self::table::FileTable;
pub use self::walk::{Follow, walk};

use self::inode::New;

/// The root directory: a ramfs with the initial image (a cpio archive) in it,
/// and the usual devices under `/dev`.
pub fn open_root(initial_image: &'static [u8]) -> Result<Arc<dyn Inode>, Errno> {
    let root = ramfs::RamFs::make_root()?;
    ramfs::unpack(&root, initial_image)?;
    let root: Arc<dyn Inode> = root;
    make_devices(&root)?;
    Ok(root)
}

/// Makes the device inodes that the image did not bring.
fn make_devices(root: &Arc<dyn Inode>) -> Result<(), Errno> {
    let made = root.clone().create(b"dev", New::Directory, 0o755);
    let directory = match made {
        Err(Errno::EEXIST) => root.lookup(b"dev")?,
        result => result?,
    };
    for &(name, number, permissions) in crate::device::NAMES {
        let new = New::Character(number);
        match directory.clone().create(name.as_bytes(), new, permissions) {
            Ok(_) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes back everything that the file systems below `root` hold in memory
/// only. An error is logged: sync(2), whose this is, has nobody to tell it to.
pub fn sync_all(root: &Arc<dyn Inode>) {
    if let Err(error) = root.sync_file_system() {
        log::error!("sync: {error}");
    }
}

/// Reads from a regular file into kernel memory; fewer bytes than `into` has
/// room for only at the end of the file.
pub fn read_at(inode: &Arc<dyn Inode>, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
    inode.read_at(offset, &mut Sink::kernel(into))
}

#[cfg(test)]
mod tests;
