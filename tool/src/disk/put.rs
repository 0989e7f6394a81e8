//! Copying from the host into an image.
//!
//! Files come in under other names first and take their places only when all
//! of them are there, so that a full image keeps what it had.

use std::collections::BTreeSet;

use anyhow::Result;

use super::debugfs::Script;
use super::{Image, Kind, refuse};
use crate::build::archive::{Archive, Item};
use crate::status::{Failure, Status};

/// What a file is called, in the root folder, until it takes its place.
const PREFIX: &str = ".weft-put-";

impl Image {
    /// Copies `tree` into the image; files of the same path are replaced.
    pub fn put(&self, tree: &Archive) -> Result<()> {
        let stage = tempfile::tempdir()?;
        let mut bring = Script::default();
        let mut place = Script::default();
        let mut drop = Script::default();
        let mut made = BTreeSet::new();
        for (number, (path, item)) in tree.items().enumerate() {
            let path = format!("/{path}");
            // Below a folder that is not there yet there is nothing to look for.
            let is_new = path
                .match_indices('/')
                .any(|(end, _)| made.contains(&path[..end]));
            let there = match is_new {
                true => None,
                false => self.find(&path)?.map(|entry| entry.kind()),
            };
            match (item, there) {
                (Item::Folder, Some(Kind::Folder)) => {}
                (Item::Folder, None) => {
                    place.add(&["mkdir", &path])?;
                    made.insert(path);
                }
                (Item::Folder, Some(_)) => {
                    return Err(refuse(&self.path, &format!("{path} is no folder in it")));
                }
                (Item::File { .. }, Some(Kind::Folder)) => {
                    let why =
                        format!("{path} is a folder in it; {path}/ puts a file of the host inside");
                    return Err(refuse(&self.path, &why));
                }
                (Item::File { content, mode }, there) => {
                    let host = stage.path().join(number.to_string());
                    std::fs::write(&host, content)?;
                    let host = host.to_str().ok_or_else(|| {
                        Failure::error(Status::Other, "the temporary folder's name is not UTF-8")
                    })?;
                    let name = format!("{PREFIX}{number}");
                    let inner = format!("/{name}");
                    // One that an earlier call left when it was ended.
                    drop.add(&["rm", &inner])?;
                    bring.add(&["write", host, &name])?;
                    place.add(&["set_inode_field", &inner, "mode", &format!("0{mode:o}")])?;
                    if there.is_some() {
                        place.add(&["rm", &path])?;
                    }
                    // These two leave the count of links alone: it stays at 1.
                    place.add(&["ln", &inner, &path])?;
                    place.add(&["unlink", &inner])?;
                }
            }
        }
        drop.run(&self.path, true)?;
        let brought = bring.run(&self.path, true)?;
        if let Err(error) = brought.check("copy into the image; is it full?") {
            drop.run(&self.path, true)?;
            return Err(error);
        }
        place
            .run(&self.path, true)?
            .check("put files in their places")
    }
}
