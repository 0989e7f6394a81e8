//! Making an image: `mkfs.ext4 -d` of a tree of files.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::run;
use crate::build::archive::Archive;
use crate::setup::e2fsprogs;
use crate::status::{Failure, Status};

/// Makes an image of `size` MiB at `path` with `tree` in it. It appears whole
/// or not at all; what was at `path` is replaced.
pub fn make(path: &Path, size: u64, tree: &Archive) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let place = |error: std::io::Error| {
        let message = format!("cannot make the disk image {}: {error}", path.display());
        Failure::error(Status::MissingFile, message)
    };
    // In the folder where it will be, since a rename does not cross file systems.
    let image = tempfile::Builder::new()
        .prefix(".weft-disk-")
        .tempfile_in(folder)
        .map_err(place)?;
    let stage = tempfile::tempdir().context("cannot make a temporary folder")?;
    tree.write_folder(stage.path())
        .context("cannot write the files for the disk image")?;
    let mut command = Command::new(e2fsprogs::mkfs()?);
    command
        .args(["-q", "-F", "-L", "weft", "-b", "4096", "-m", "0", "-d"])
        .args([stage.path(), image.path()])
        .arg(format!("{size}M"));
    let made = run(&mut command)?;
    if !made.status.success() {
        return Err(Failure::error(
            Status::DiskImage,
            format!(
                "cannot make the disk image {} of {size} MiB; is it too small for what goes into it?\n{}",
                path.display(),
                made.text().trim_end()
            ),
        ));
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    image.as_file().set_permissions(mode).map_err(place)?;
    image.persist(path).map_err(|error| place(error.error))?;
    Ok(())
}
