//! Where the links of `/proc` lead. They lead to the thing itself: the path that
//! they show may be another's by now.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use abi::Errno;

use super::{Numbers, Subject, What, process};
use crate::device;
use crate::files::allocate::try_bytes;
use crate::files::inode::{Inode, Kind};
use crate::files::text::Text;
use crate::files::walk::path_of;
use crate::files::{Places, mounts};

/// What a link leads to.
pub enum Target {
    /// A path, as of any link.
    Path(Vec<u8>),
    /// An inode, shown so.
    Thing(Arc<dyn Inode>, Vec<u8>),
}

impl Target {
    pub fn text(self) -> Vec<u8> {
        match self {
            Target::Path(text) | Target::Thing(_, text) => text,
        }
    }

    pub fn inode(self) -> Option<Arc<dyn Inode>> {
        match self {
            Target::Path(_) => None,
            Target::Thing(inode, _) => Some(inode),
        }
    }
}

fn path(what: fmt::Arguments<'_>) -> Result<Target, Errno> {
    let mut path = Text::default();
    path.add(what)?;
    Ok(Target::Path(path.into_bytes()))
}

/// `self`: the process that looks.
pub fn own_process(_: Subject) -> Result<Target, Errno> {
    path(format_args!("{}", process::own().process))
}

/// `thread-self`: the thread that looks.
pub fn own_thread(_: Subject) -> Result<Target, Errno> {
    let Subject {
        process, thread, ..
    } = process::own();
    path(format_args!("{process}/task/{thread}"))
}

/// `mounts`: those that the process that looks sees.
pub fn own_mounts(_: Subject) -> Result<Target, Errno> {
    path(format_args!("self/mounts"))
}

pub fn working_directory(of: Subject) -> Result<Target, Errno> {
    process::inspect(of)?;
    let Places { working, .. } = process::places(of)?;
    Ok(Target::Thing(working.clone(), shown(&working)?))
}

pub fn root(of: Subject) -> Result<Target, Errno> {
    process::inspect(of)?;
    let Places { root, .. } = process::places(of)?;
    Ok(Target::Thing(root.clone(), shown(&root)?))
}

/// `exe`: the program.
pub fn program(of: Subject) -> Result<Target, Errno> {
    process::inspect(of)?;
    let program = process::space(of)?.program().ok_or(Errno::ENOENT)?;
    let path = try_bytes(&program.path)?.into_vec();
    Ok(Target::Thing(program.inode.clone(), path))
}

/// What descriptors stand for.
pub const DESCRIPTORS: Numbers = Numbers {
    prefix: "",
    all: |of| process::files(of)?.descriptors(),
    one: |of, descriptor| {
        process::files(of)?
            .get(descriptor as usize)
            .map_err(|_| Errno::ENOENT)?;
        Ok(Subject { descriptor, ..of })
    },
    permissions: 0o700,
    what: What::Link(descriptor),
};

fn descriptor(of: Subject) -> Result<Target, Errno> {
    process::inspect(of)?;
    let file = process::files(of)?.get(of.descriptor as usize);
    let inode = file.map_err(|_| Errno::ENOENT)?.inode().clone();
    let text = shown(&inode)?;
    Ok(Target::Thing(inode, text))
}

/// As a link shows an inode: a path for what has one that can be found.
fn shown(inode: &Arc<dyn Inode>) -> Result<Vec<u8>, Errno> {
    let metadata = inode.metadata();
    let mut text = Text::default();
    let named =
        |name: &str, text: &mut Text| text.add(format_args!("{name}:[{}]", metadata.number));
    match metadata.kind {
        Kind::Directory => {
            let root = mounts::get(0).ok_or(Errno::ENOENT)?;
            return match path_of(&root.root, inode) {
                Err(Errno::ENOENT) => Ok(b"(deleted)".to_vec()),
                path => path,
            };
        }
        Kind::Character | Kind::Block => {
            let device = metadata.special;
            match (device::name_of(device), device::pty::number_of(device)) {
                (Some(name), _) => text.add(format_args!("/dev/{name}"))?,
                (_, Some(number)) => text.add(format_args!("/dev/pts/{number}"))?,
                _ => named("device", &mut text)?,
            }
        }
        Kind::Fifo => named("pipe", &mut text)?,
        Kind::Socket => named("socket", &mut text)?,
        Kind::Anonymous => named("anon_inode", &mut text)?,
        Kind::Regular | Kind::SymbolicLink => named("inode", &mut text)?,
    }
    Ok(text.into_bytes())
}
