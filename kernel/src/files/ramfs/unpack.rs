//! Filling a ramfs from the initial image.
//!
//! File data is copied when it is read, and the copy may be dropped again. Directories that the image does not list are made as needed;
//! a later entry of the same name wins.

use alloc::sync::Arc;

use abi::Errno;
use abi::file::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};

use super::node::Node;
use crate::files::allocate::try_arc;
use crate::files::cpio::{self, Entry};
use crate::files::inode::{Inode, Maker, New, device_number};
use crate::files::path::{Component, Components};

/// Unpacks the cpio archive `image` into `root`. What cannot be unpacked is
/// logged and left out; out of memory is an error.
pub fn unpack(root: &Arc<Node>, image: &'static [u8]) -> Result<(), Errno> {
    for entry in cpio::entries(image) {
        match entry {
            Ok(entry) => match place(root, &entry) {
                Ok(()) => {}
                Err(error @ (Errno::ENOMEM | Errno::ENOSPC)) => return Err(error),
                Err(error) => log::warn!("initial image: {}: {error}", entry.name.escape_ascii()),
            },
            Err(damaged) => log::error!("initial image: damaged at byte {}", damaged.offset),
        }
    }
    Ok(())
}

/// Puts one entry where its path says.
fn place(root: &Arc<Node>, entry: &Entry<'static>) -> Result<(), Errno> {
    let mut directory = root.clone();
    let mut components = Components::new(entry.name);
    while let Some(component) = components.next()? {
        let name = match component {
            Component::Name(name) => name,
            Component::Current => continue,
            Component::Parent => return Err(Errno::EINVAL),
        };
        let (is_last, _) = components.ends_here();
        if is_last {
            return make(&directory, name, entry);
        }
        directory = subdirectory(&directory, name, 0o755)?;
    }
    Ok(())
}

/// The directory `name`, made if it is not there.
fn subdirectory(parent: &Arc<Node>, name: &[u8], permissions: u32) -> Result<Arc<Node>, Errno> {
    match parent.create_node(name, New::Directory, Maker::root(permissions)) {
        Err(Errno::EEXIST) => parent.as_directory()?.get(name),
        result => result,
    }
}

/// Makes the file itself.
fn make(parent: &Arc<Node>, name: &[u8], entry: &Entry<'static>) -> Result<(), Errno> {
    let permissions = entry.mode & 0o7777;
    let maker = Maker::root(permissions);
    let kind = entry.mode & S_IFMT;
    if kind == S_IFDIR {
        let directory = subdirectory(parent, name, permissions)?;
        directory.set_permissions(permissions)?;
        directory.set_modified(modified(entry));
        return Ok(());
    }
    match parent.unlink_node(name) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => return Err(error),
    }
    let (major, minor) = entry.device;
    let node = match kind {
        S_IFREG => {
            let file = Node::file(parent.fs.clone(), maker, entry.data)?;
            let file = try_arc(file)?;
            parent.insert_node(name, file.clone())?;
            file
        }
        S_IFLNK => parent.create_node(name, New::SymbolicLink(entry.data), maker)?,
        S_IFCHR => {
            let number = device_number(major, minor);
            parent.create_node(name, New::Character(number), maker)?
        }
        S_IFBLK => {
            let number = device_number(major, minor);
            parent.create_node(name, New::Block(number), maker)?
        }
        S_IFSOCK => parent.create_node(name, New::Socket, maker)?,
        S_IFIFO => parent.create_node(name, New::Fifo, maker)?,
        _ => return Err(Errno::EOPNOTSUPP),
    };
    node.set_modified(modified(entry));
    Ok(())
}

fn modified(entry: &Entry<'_>) -> u64 {
    u64::from(entry.modified) * 1_000_000_000
}
