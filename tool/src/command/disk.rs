//! `cargo weft disk`: disk images without a guest.

use std::path::Path;

use anyhow::Result;

use crate::build::{self, image};
use crate::cli::{Disk, DiskCommand, FileArgument};
use crate::disk::{self, Entry, Image};
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace, arguments: &Disk) -> Result<u8> {
    match &arguments.command {
        DiskCommand::Make { image, size, file } => make(workspace, image, *size, file)?,
        DiskCommand::Ls { image, path } => {
            for entry in Image::open(image)?.list(&absolute(path)?)? {
                println!("{}", line(&entry));
            }
        }
        DiskCommand::Get { image, path, host } => {
            Image::open(image)?.get(&absolute(path)?, host)?;
        }
        DiskCommand::Put { image, file } => {
            image::check(file, &[])?;
            let opened = Image::open(image)?;
            opened.put(&image::tree(&[], file)?)?;
            opened.put_missing(image::needed(file, &[])?)?;
        }
        DiskCommand::Refresh { image } => {
            let opened = Image::open(image)?;
            opened.put(&image::tree(&build::programs(workspace)?, &[])?)?;
        }
        DiskCommand::Check { image } => return check(image),
    }
    Ok(0)
}

fn make(workspace: &Workspace, image: &Path, size: u64, files: &[FileArgument]) -> Result<()> {
    if image.exists() {
        let message = format!(
            "{} is there already; remove it first, or name another file",
            image.display()
        );
        return Err(Failure::error(Status::DiskImage, message));
    }
    image::check(files, &[])?;
    let mut tree = image::tree(&build::programs(workspace)?, files)?;
    tree.add_new(image::needed(files, &[])?);
    disk::make(image, size, &tree)
}

/// What e2fsck finds; the status of a failed test if that is anything.
fn check(image: &Path) -> Result<u8> {
    let verdict = Image::open(image)?.check()?;
    print!("{}", verdict.text);
    Ok(match verdict.clean {
        true => 0,
        false => Status::TestsFailed as u8,
    })
}

/// A path in the image begins at its root, with or without a slash.
fn absolute(path: &str) -> Result<String> {
    if path.split('/').any(|part| part == "..") {
        let message = format!("the path \"{path}\" in the image must not contain ..");
        return Err(Failure::error(Status::Usage, message));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Ok(format!("/{}", parts.join("/")))
}

/// An entry as a line of `ls -l`: type and permissions, size, name.
fn line(entry: &Entry) -> String {
    let kind = match entry.mode >> 12 {
        0o04 => 'd',
        0o12 => 'l',
        0o02 => 'c',
        0o06 => 'b',
        0o01 => 'p',
        0o14 => 's',
        _ => '-',
    };
    let mut text = String::from(kind);
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        text.push(if entry.mode >> bit & 1 == 1 {
            letter
        } else {
            '-'
        });
    }
    format!("{text} {:>10} {}", entry.size, entry.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_ls() {
        let entry = |mode, size| Entry {
            name: "n".into(),
            mode,
            size,
        };
        assert_eq!(line(&entry(0o100_755, 125)), "-rwxr-xr-x        125 n");
        assert_eq!(line(&entry(0o040_700, 0)), "drwx------          0 n");
    }

    #[test]
    fn paths_begin_at_the_root() {
        assert_eq!(absolute("bin//sh").unwrap(), "/bin/sh");
        assert_eq!(absolute("/").unwrap(), "/");
        assert!(absolute("/bin/../x").is_err());
    }
}
