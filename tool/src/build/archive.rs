//! A tree of files for the guest, as a cpio archive of the "newc" format, which
//! the kernel unpacks as its first file system, or as a folder of the host.
//!
//! Equal trees give equal bytes: entries are sorted, and have no times, owners
//! or inode numbers of the host.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cpio::newc;

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

/// A file or a folder of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Folder,
    File {
        content: &'a [u8],
        /// The type and the permissions, as stat(2) has them.
        mode: u32,
    },
}

/// Files and folders by their path in the guest, without the leading slash.
#[derive(Default)]
pub struct Archive {
    /// None is a folder. A folder sorts before what is in it.
    entries: BTreeMap<String, (u32, Option<Vec<u8>>)>,
}

impl Archive {
    /// Adds a file, and the folders above it; replaces a file of the same path.
    pub fn file(&mut self, path: &str, content: Vec<u8>, executable: bool) {
        let path = normal(path);
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.folder(parent);
        }
        let mode = if executable { PROGRAM } else { FILE };
        self.entries.insert(path, (mode, Some(content)));
    }

    /// Adds a folder, and those above it.
    pub fn folder(&mut self, path: &str) {
        let path = normal(path);
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            if end > 0 {
                let entry = (FOLDER, None);
                self.entries.entry(path[..end].to_owned()).or_insert(entry);
            }
        }
    }

    /// Adds what `other` has and this has not.
    pub fn add_new(&mut self, other: Archive) {
        for (path, entry) in other.entries {
            self.entries.entry(path).or_insert(entry);
        }
    }

    /// Whether there is a file or folder of this path.
    #[cfg(test)]
    fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(&normal(path))
    }

    /// All that is in it, by path; a folder comes before what is in it.
    pub fn items(&self) -> impl Iterator<Item = (&str, Item<'_>)> {
        self.entries.iter().map(|(path, (mode, content))| {
            let item = match content {
                None => Item::Folder,
                Some(content) => Item::File {
                    content,
                    mode: *mode,
                },
            };
            (path.as_str(), item)
        })
    }

    /// Writes the tree as files of the host, into an empty folder.
    pub fn write_folder(&self, folder: &Path) -> io::Result<()> {
        for (path, item) in self.items() {
            let place = folder.join(path);
            match item {
                Item::Folder => fs::create_dir(&place)?,
                Item::File { content, mode } => {
                    fs::write(&place, content)?;
                    fs::set_permissions(&place, Permissions::from_mode(mode & 0o7777))?;
                }
            }
        }
        Ok(())
    }

    /// Writes the archive.
    pub fn write(&self, mut output: impl Write) -> io::Result<()> {
        for (number, (path, (mode, content))) in (1..).zip(&self.entries) {
            let content = content.as_deref().unwrap_or_default();
            let size = u32::try_from(content.len())
                .map_err(|_| io::Error::other(format!("{path} is larger than 4 GiB")))?;
            let links = if *mode == FOLDER { 2 } else { 1 };
            let entry = newc::Builder::new(path)
                .ino(number)
                .mode(*mode)
                .nlink(links);
            let mut writer = entry.write(&mut output, size);
            writer.write_all(content)?;
            writer.finish()?;
        }
        newc::trailer(output)?;
        Ok(())
    }
}

/// A path without leading, double or trailing slashes and without ".".
fn normal(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut archive = Archive::default();
        archive.file("/etc/a/b.txt", b"hello".to_vec(), false);
        archive.file("/bin/sh", b"\x7fELF".to_vec(), true);
        archive.file("/bin//sh", b"\x7fELF2".to_vec(), true);
        archive.folder("/tmp/");
        let mut bytes = Vec::new();
        archive.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        let mut bytes = &sample()[..];
        let mut found = Vec::new();
        loop {
            let mut reader = newc::Reader::new(bytes).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            assert_eq!(reader.entry().mtime(), 0);
            let mut content = Vec::new();
            io::copy(&mut reader, &mut content).unwrap();
            found.push((name, mode, content));
            bytes = reader.finish().unwrap();
        }
        let expected = [
            ("bin", FOLDER, &b""[..]),
            ("bin/sh", PROGRAM, b"\x7fELF2"),
            ("etc", FOLDER, b""),
            ("etc/a", FOLDER, b""),
            ("etc/a/b.txt", FILE, b"hello"),
            ("tmp", FOLDER, b""),
        ];
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0.as_str(), found.1, &found.2[..]), expected);
        }
    }

    #[test]
    fn equal_trees_give_equal_bytes() {
        assert_eq!(sample(), sample());
    }

    #[test]
    fn what_is_there_stays() {
        let mut archive = Archive::default();
        archive.file("/lib/a", b"mine".to_vec(), false);
        let mut other = Archive::default();
        other.file("/lib/a", b"other".to_vec(), true);
        other.file("/lib/b", b"new".to_vec(), true);
        archive.add_new(other);
        let mode_of = |wanted| archive.items().find(|(path, _)| *path == wanted).unwrap().1;
        let (mine, new) = (b"mine".as_slice(), b"new".as_slice());
        assert_eq!(
            mode_of("lib/a"),
            Item::File {
                content: mine,
                mode: FILE
            }
        );
        assert_eq!(
            mode_of("lib/b"),
            Item::File {
                content: new,
                mode: PROGRAM
            }
        );
    }

    #[test]
    fn paths_are_brought_into_one_form() {
        assert_eq!(normal("/a//./b/"), "a/b");
        let mut archive = Archive::default();
        archive.file("x", Vec::new(), false);
        assert!(archive.contains("/x"));
    }
}
