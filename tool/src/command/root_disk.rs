//! The first `--disk` of the command line: made if it is not there, and booted
//! from if an ext4 file system is in it.

use std::path::Path;

use anyhow::Result;

use crate::build::{Program, image};
use crate::cli::Machine;
use crate::disk::{self, Image};
use crate::progress::Step;

/// Prepares the disk that `machine` boots from, with the files of `--file` in
/// it, and what these and the host's program in `command` need; false if it boots
/// from the initial image.
pub fn prepare(machine: &Machine, programs: &[Program], command: &[String]) -> Result<bool> {
    let Some(path) = machine.disk.first() else {
        return Ok(false);
    };
    if !path.exists() {
        make(path, machine, programs, command)?;
        return Ok(true);
    }
    if !disk::is_ext4(path)? {
        return Ok(false);
    }
    if !machine.file.is_empty() {
        Image::open(path)?.put(&image::tree(&[], &machine.file)?)?;
    }
    let needed = image::needed(&machine.file, command)?;
    if needed.items().next().is_some() {
        Image::open(path)?.put_missing(needed)?;
    }
    Ok(true)
}

fn make(path: &Path, machine: &Machine, programs: &[Program], command: &[String]) -> Result<()> {
    let what = format!("making {} of {} MiB", path.display(), machine.disk_size);
    let _step = Step::begin(what);
    let mut tree = image::tree(programs, &machine.file)?;
    tree.add_new(image::needed(&machine.file, command)?);
    disk::make(path, machine.disk_size, &tree)
}
