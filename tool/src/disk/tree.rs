//! What is in an image: listing it, and copying from it to the host.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::debugfs::Script;
use super::{Image, refuse};
use crate::status::{Failure, Status};

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    /// A symbolic link, a device, a pipe.
    Other,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// The type and the permissions, as stat(2) has them.
    pub mode: u32,
    /// In bytes.
    pub size: u64,
}

impl Entry {
    pub fn kind(&self) -> Kind {
        match self.mode & 0o170_000 {
            0o040_000 => Kind::Folder,
            0o100_000 => Kind::File,
            _ => Kind::Other,
        }
    }

    /// From a line of `ls -p`: /inode/mode/uid/gid/name/size/. None for any other line,
    /// and for entries of deleted files.
    fn parse(line: &str) -> Option<Entry> {
        let mut fields = line.strip_prefix('/')?.split('/');
        let inode: u32 = fields.next()?.parse().ok()?;
        let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
        let name = fields.nth(2)?.to_owned();
        let size = fields.next()?.parse().unwrap_or(0);
        (inode != 0).then_some(Entry { name, mode, size })
    }
}

/// What debugfs says of a path that leads nowhere, and of a file.
const NOT_THERE: &[&str] = &["File not found by ext2_lookup", "not a directory"];

impl Image {
    /// What is in the folder `path`, sorted by name; a file is listed by itself.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let found = self.find(path)?;
        let entry = found.ok_or_else(|| self.missing(path))?;
        match entry.kind() {
            Kind::Folder => Ok(self.entries(path)?.unwrap_or_default()),
            _ => Ok(vec![entry]),
        }
    }

    /// The entry of `path`, if there is one.
    pub fn find(&self, path: &str) -> Result<Option<Entry>> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let Some((name, above)) = parts.split_last() else {
            return Ok(Some(Entry {
                name: "/".into(),
                mode: 0o040_755,
                size: 0,
            }));
        };
        let entries = self.entries(&format!("/{}", above.join("/")))?;
        Ok(entries.and_then(|entries| entries.into_iter().find(|entry| entry.name == *name)))
    }

    /// What is in the folder `path`; None if there is no such folder.
    fn entries(&self, path: &str) -> Result<Option<Vec<Entry>>> {
        let mut script = Script::default();
        script.add(&["ls", "-p", path])?;
        let said = script.run(&self.path, false)?;
        if let Some(error) = said.errors.first() {
            let is_missing = NOT_THERE.iter().any(|words| error.contains(words));
            return match is_missing {
                true => Ok(None),
                false => Err(refuse(
                    &self.path,
                    &format!("{path} cannot be read: debugfs says: {error}"),
                )),
            };
        }
        let mut entries: Vec<Entry> = said.output.lines().filter_map(Entry::parse).collect();
        entries.retain(|entry| entry.name != "." && entry.name != "..");
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(entries))
    }

    /// Copies the file or folder `path` to `host`, which is its new name, or a
    /// folder that it comes into.
    pub fn get(&self, path: &str, host: &Path) -> Result<()> {
        let entry = self.find(path)?.ok_or_else(|| self.missing(path))?;
        let inside = host.is_dir();
        let into = match inside {
            true => host.join(entry.name.trim_matches('/')),
            false => host.to_owned(),
        };
        match entry.kind() {
            Kind::File => self.get_file(path, &into),
            // It takes over its own name.
            Kind::Folder if inside => {
                let mut script = Script::default();
                script.add(&["rdump", path, text(host)?])?;
                let said = script.run(&self.path, false)?;
                said.check(&format!("copy {path} to {}", into.display()))
            }
            Kind::Folder => {
                let message = format!(
                    "{path} is a folder in the image, and {} is no folder to copy it into",
                    host.display()
                );
                Err(Failure::error(Status::MissingFile, message))
            }
            Kind::Other => {
                let why = format!("{path} is neither a file nor a folder");
                Err(refuse(&self.path, &why))
            }
        }
    }

    /// Copies a file to `into`, which keeps what it had unless all of it comes.
    fn get_file(&self, path: &str, into: &Path) -> Result<()> {
        let doing = format!("copy {path} to {}", into.display());
        let place = |error: std::io::Error| {
            Failure::error(Status::MissingFile, format!("cannot {doing}: {error}"))
        };
        // A link stays, and what it leads to is replaced.
        let into = fs::canonicalize(into).unwrap_or_else(|_| into.to_owned());
        let mut script = Script::default();
        if fs::metadata(&into).is_ok_and(|there| !there.is_file()) {
            // A terminal, a pipe: nothing that could be lost.
            script.add(&["dump", path, text(&into)?])?;
            return script.run(&self.path, false)?.check(&doing);
        }
        let folder = match into.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let copy = tempfile::Builder::new()
            .prefix(".weft-get-")
            .tempfile_in(folder)
            .map_err(place)?;
        script.add(&["dump", "-p", path, text(copy.path())?])?;
        script.run(&self.path, false)?.check(&doing)?;
        copy.persist(&into).map_err(|error| place(error.error))?;
        Ok(())
    }

    /// The numbers of a file's blocks, in their order.
    pub fn blocks(&self, path: &str) -> Result<Vec<u64>> {
        let output = self.ask("blocks", path)?;
        let words = output.lines().filter(|line| !line.starts_with("debugfs:"));
        let numbers = words.flat_map(str::split_whitespace);
        Ok(numbers.filter_map(|word| word.parse().ok()).collect())
    }

    /// The number of the block that a file's inode lies in.
    pub fn inode_block(&self, path: &str) -> Result<u64> {
        let output = self.ask("imap", path)?;
        let number = output
            .split_once("located at block ")
            .and_then(|(_, rest)| rest.split(',').next()?.trim().parse().ok());
        number.ok_or_else(|| refuse(&self.path, &format!("debugfs says {output}")))
    }

    fn ask(&self, request: &str, path: &str) -> Result<String> {
        let mut script = Script::default();
        script.add(&[request, path])?;
        let said = script.run(&self.path, false)?;
        said.check(&format!("look at {path}"))?;
        Ok(said.output)
    }

    fn missing(&self, path: &str) -> anyhow::Error {
        let message = format!("there is no {path} in {}", self.path.display());
        Failure::error(Status::MissingFile, message)
    }
}

/// A path of this machine as a word for debugfs.
fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let message = format!(
            "{}: only names in UTF-8 can be carried over",
            path.display()
        );
        Failure::error(Status::Usage, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let entry = |name: &str, mode, size| {
            let name = name.to_owned();
            Some(Entry { name, mode, size })
        };
        let parse = Entry::parse;
        assert_eq!(parse("/14/040755/0/0/.//"), entry(".", 0o040_755, 0));
        assert_eq!(
            parse("/15/100644/0/0/a b/125/"),
            entry("a b", 0o100_644, 125)
        );
        assert_eq!(parse("/0/000000/0/0/gone//"), None);
        assert_eq!(parse("debugfs: ls -p /"), None);
        assert_eq!(parse(""), None);
    }
}
