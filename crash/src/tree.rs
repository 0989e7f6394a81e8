//! What Weft's own ext4 finds on a disk: it mounts it, which brings home what
//! the journal holds, reads all, and leaves it clean.

use std::collections::BTreeMap;
use std::sync::Arc;

use abi::Errno;
use anyhow::{Context, Result, anyhow, ensure};
use kernel::files::disk::volume::{Number, Place, Volume};
use kernel::files::ext4::{BLOCK, Ext4, Storage};
use kernel::files::inode::Kind;
use machine::frames::Frame;

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub number: Number,
    pub is_folder: bool,
    pub links: u32,
    pub bytes: Vec<u8>,
}

/// All names of a file system, as paths from its root on.
pub type Tree = BTreeMap<String, Found>;

/// See the module.
pub fn read(disk: Arc<dyn Storage>) -> Result<Tree> {
    let volume = Ext4::open(disk, false).map_err(why("it cannot be mounted"))?;
    let mut tree = Tree::new();
    let root = Volume::root(&volume);
    read_folder(&volume, root, "", &mut tree)?;
    Volume::unmount(&volume).map_err(why("it cannot be left"))?;
    Ok(tree)
}

fn why(what: &str) -> impl Fn(Errno) -> anyhow::Error {
    let what = what.to_owned();
    move |error| anyhow!("{what}: {error}")
}

fn read_folder(volume: &Ext4, folder: Number, path: &str, tree: &mut Tree) -> Result<()> {
    let mut names = Vec::new();
    Volume::list(volume, folder, 0, &mut |listed| {
        let name = String::from_utf8_lossy(listed.name).into_owned();
        names.push((name, listed.number as Number));
        true
    })
    .map_err(why(&format!("folder \"{path}\" cannot be read")))?;
    for (name, number) in names {
        if name == "." || name == ".." || (path.is_empty() && name == "lost+found") {
            continue;
        }
        let place = Place {
            directory: folder,
            name: name.as_bytes(),
        };
        let path = format!("{path}{name}");
        let looked_up = Volume::look_up(volume, place).map_err(why(&path))?;
        ensure!(
            looked_up == number,
            "{path} is inode {looked_up} and {number}"
        );
        let found = read_file(volume, number).with_context(|| path.clone())?;
        let is_folder = found.is_folder;
        let double = tree.insert(path.clone(), found);
        ensure!(double.is_none(), "{path} is there twice");
        if is_folder {
            read_folder(volume, number, &format!("{path}/"), tree)?;
        }
    }
    Ok(())
}

fn read_file(volume: &Ext4, number: Number) -> Result<Found> {
    let attributes = Volume::attributes(volume, number).map_err(why("no attributes"))?;
    let mut bytes = Vec::new();
    if attributes.kind == Kind::Regular {
        ensure!(
            attributes.size < 1 << 24,
            "it has {} bytes",
            attributes.size
        );
        let frame = Frame::alloc().context("no memory for a page")?;
        let frames = core::slice::from_ref(&frame);
        let mut page = [0; BLOCK];
        for first in 0..attributes.size.div_ceil(BLOCK as u64) {
            Volume::read(volume, number, first, frames).map_err(why("it cannot be read"))?;
            frame.read(0, &mut page);
            bytes.extend_from_slice(&page);
        }
        bytes.truncate(attributes.size as usize);
    }
    Ok(Found {
        number,
        is_folder: attributes.kind == Kind::Directory,
        links: attributes.links,
        bytes,
    })
}
