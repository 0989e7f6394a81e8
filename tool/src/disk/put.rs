//! Copying from the host into an image.
//!
//! Files come in under other names first and take their places only when all
//! of them are there, so that a full image keeps what it had. What is damaged
//! is not changed at all.

use std::collections::BTreeSet;
use std::path::Path;

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
        self.must_be_whole()?;
        let stage = tempfile::tempdir()?;
        let mut put = Put::default();
        for (number, (path, item)) in tree.items().enumerate() {
            let path = format!("/{path}");
            // Below a folder that is not there yet there is nothing to look for.
            let there = match put.is_new(&path) {
                true => None,
                false => self.find(&path)?.map(|entry| entry.kind()),
            };
            match (item, there) {
                (Item::Folder, Some(Kind::Folder)) => {}
                (Item::Folder, None) => put.folder(path)?,
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
                    put.file(number, host, mode, &path, there.is_some())?;
                }
            }
        }
        put.run(&self.path)
    }

    /// Copies those files of `libraries` into the image that it has not; what it
    /// has is older than they are, but of one piece. A system that keeps libraries
    /// elsewhere, and has links in these places, has its own.
    pub fn put_missing(&self, libraries: Archive) -> Result<()> {
        let mut missing = Archive::default();
        for (path, item) in libraries.items() {
            if let Item::File { content, .. } = item
                && self.has_room_at(&format!("/{path}"))?
            {
                missing.file(path, content.to_vec(), true);
            }
        }
        match missing.items().next() {
            Some(_) => self.put(&missing),
            None => Ok(()),
        }
    }

    /// Nothing is at `path`, and nothing but folders is above.
    fn has_room_at(&self, path: &str) -> Result<bool> {
        for (end, _) in path.match_indices('/').skip(1) {
            match self.find(&path[..end])?.map(|entry| entry.kind()) {
                None => return Ok(true),
                Some(Kind::Folder) => {}
                Some(_) => return Ok(false),
            }
        }
        Ok(self.find(path)?.is_none())
    }
}

/// The requests of one call.
#[derive(Default)]
struct Put {
    /// Files come in under names of their own, and new names are made: all that
    /// takes space.
    bring: Script,
    /// The old files go, and all have their places.
    place: Script,
    /// Takes back what `bring` has done. Its names may be left by an earlier
    /// call that was ended.
    files: Script,
    names: Vec<[String; 2]>,
    made: BTreeSet<String>,
}

impl Put {
    /// Whether a path lies below a folder that this call makes.
    fn is_new(&self, path: &str) -> bool {
        path.match_indices('/')
            .any(|(end, _)| self.made.contains(&path[..end]))
    }

    fn folder(&mut self, path: String) -> Result<()> {
        self.bring.add(&["mkdir", &path])?;
        self.names.push(["rmdir".into(), path.clone()]);
        self.made.insert(path);
        Ok(())
    }

    fn file(
        &mut self,
        number: usize,
        host: &str,
        mode: u32,
        path: &str,
        is_there: bool,
    ) -> Result<()> {
        let name = format!("{PREFIX}{number}");
        let inner = format!("/{name}");
        self.files.add(&["rm", &inner])?;
        self.bring.add(&["write", host, &name])?;
        let mode = format!("0{mode:o}");
        self.bring
            .add(&["set_inode_field", &inner, "mode", &mode])?;
        // `ln` and `unlink` leave the count of links alone: it stays at 1.
        match is_there {
            // There is room for the name in the place of the old one.
            true => {
                self.place.add(&["rm", path])?;
                self.place.add(&["ln", &inner, path])?;
            }
            false => {
                self.bring.add(&["ln", &inner, path])?;
                self.names.push(["unlink".into(), path.to_owned()]);
            }
        }
        self.place.add(&["unlink", &inner])
    }

    fn run(self, image: &Path) -> Result<()> {
        self.files.run(image, true)?;
        let brought = self.bring.run(image, true)?;
        if let Err(error) = brought.check("copy into the image; is it full?") {
            // The last first: folders are empty by then.
            let mut names = Script::default();
            for [request, path] in self.names.iter().rev() {
                names.add(&[request, path])?;
            }
            names.run(image, true)?;
            self.files.run(image, true)?;
            return Err(error);
        }
        self.place
            .run(image, true)?
            .check("put files in their places")
    }
}
