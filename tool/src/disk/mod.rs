//! Disk images on the host: ext4 file systems in a file, made, read and changed
//! by the programs of e2fsprogs while no guest uses them.
//!
//! An [`Image`] is open for this tool alone: QEMU refuses to start on it, and
//! it is refused while QEMU has it.

mod debugfs;
mod make;
mod put;
mod tree;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::process::{self, Output};
use crate::setup::e2fsprogs;
use crate::status::{Failure, Status};

pub use make::make;
pub use tree::{Entry, Kind};

/// How long one program of e2fsprogs may take.
const LIMIT: Duration = Duration::from_secs(600);

/// An image with an ext4 file system, as the last mount left it or would find it.
pub struct Image {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

/// What `e2fsck` says.
pub struct Verdict {
    pub clean: bool,
    pub text: String,
}

impl Image {
    /// Opens an image, and replays its journal if a crash left one, and frees what
    /// was deleted while open, as a mount would.
    pub fn open(path: &Path) -> Result<Image> {
        let file = open(path)?;
        let superblock = Superblock::read(&file)
            .with_context(|| format!("cannot read {}", path.display()))?
            .ok_or_else(|| refuse(path, "there is no ext4 file system in it"))?;
        let length = file
            .metadata()
            .context("cannot tell the image's size")?
            .len();
        if length < superblock.bytes {
            let (there, all) = (length >> 10, superblock.bytes >> 10);
            let why = format!("it is cut off: {there} KiB of a file system of {all} KiB");
            return Err(refuse(path, &why));
        }
        // As QEMU does, it locks against other processes; it lasts until this one closes the file.
        if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(refuse(path, "a guest or another program uses it"));
        }
        let image = Image {
            path: path.to_owned(),
            _file: file,
        };
        if superblock.needs_recovery {
            eprintln!(
                "weft: {} was in use when its guest stopped; its journal is replayed",
                path.display()
            );
            image.recover()?;
        } else if superblock.has_orphans {
            // Linux leaves deleted files so that are open when it goes off.
            image.recover()?;
        }
        Ok(image)
    }

    /// Whether its guest was stopped before it had left the image clean.
    pub fn needs_recovery(path: &Path) -> Result<bool> {
        let superblock = Superblock::read(&open(path)?)?;
        Ok(superblock.is_some_and(|superblock| superblock.needs_recovery))
    }

    /// Replays the journal and frees what was deleted while open.
    fn recover(&self) -> Result<()> {
        let run = self.fsck("-p")?;
        // 1: something was changed, as is meant here.
        match run.status.code() {
            Some(0 | 1) => Ok(()),
            _ => Err(refuse(
                &self.path,
                &format!("e2fsck cannot recover it:\n{}", run.text().trim_end()),
            )),
        }
    }

    /// Checks the whole file system and changes nothing.
    pub fn check(&self) -> Result<Verdict> {
        let run = self.fsck("-fn")?;
        Ok(Verdict {
            clean: run.status.success(),
            text: run.text(),
        })
    }

    /// Fails unless e2fsck is content: what is changed in a damaged file system
    /// may damage more.
    fn must_be_whole(&self) -> Result<()> {
        let verdict = self.check()?;
        match verdict.clean {
            true => Ok(()),
            false => Err(refuse(
                &self.path,
                &format!(
                    "it is damaged, and was not changed; e2fsck says:\n{}",
                    verdict.text.trim_end()
                ),
            )),
        }
    }

    fn fsck(&self, how: &str) -> Result<Output> {
        run(Command::new(e2fsprogs::e2fsck()?).arg(how).arg(&self.path))
    }
}

/// Whether an ext4 file system is in this file.
pub fn is_ext4(path: &Path) -> Result<bool> {
    let superblock = Superblock::read(&open(path)?);
    let superblock = superblock.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(superblock.is_some())
}

/// Opens an image as QEMU will: to read and write it.
pub fn open(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).open(path);
    file.map_err(|error| {
        let message = format!(
            "cannot open the disk image {} to read and write it: {error}",
            path.display()
        );
        Failure::error(Status::MissingFile, message)
    })
}

/// The little of the superblock (Linux's filesystems/ext4) that is of use here.
struct Superblock {
    needs_recovery: bool,
    /// Something is to be freed that was deleted while it was open.
    has_orphans: bool,
    /// How long the file system is.
    bytes: u64,
}

impl Superblock {
    /// None if there is none.
    fn read(file: &File) -> std::io::Result<Option<Superblock>> {
        let mut bytes = [0; 1024];
        if file.metadata()?.len() < 2 * bytes.len() as u64 {
            return Ok(None);
        }
        file.read_exact_at(&mut bytes, 1024)?;
        let is_ext4 = bytes[0x38..0x3a] == [0x53, 0xef];
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        let is_wide = word(0x60) & 0x80 != 0;
        let high = if is_wide { word(0x150) } else { 0 };
        let blocks = u64::from(high) << 32 | u64::from(word(4));
        // A size that is no size is e2fsck's to tell.
        let block = 1024u64.checked_shl(word(0x18)).unwrap_or(0);
        Ok(is_ext4.then_some(Superblock {
            needs_recovery: word(0x60) & 4 != 0,
            has_orphans: word(0xe8) != 0,
            bytes: blocks.saturating_mul(block),
        }))
    }
}

fn refuse(path: &Path, why: &str) -> anyhow::Error {
    Failure::error(
        Status::DiskImage,
        format!("the disk image {}: {why}", path.display()),
    )
}

/// Runs a program of e2fsprogs to its end.
fn run(command: &mut Command) -> Result<Output> {
    // Its words are read here.
    command.env("LC_ALL", "C");
    process::run_limited(command, LIMIT)?.with_context(|| {
        let name = Path::new(command.get_program()).display().to_string();
        format!("{name} has not ended after {} s", LIMIT.as_secs())
    })
}

#[cfg(test)]
mod tests;
