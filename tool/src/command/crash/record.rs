//! A run of the workload on a disk of its own, and what is asked of the disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Workload;
use crate::command::prepare::prepare;
use crate::guest::hardware::Disk;
use crate::guest::{Ending, Outcome};
use crate::progress::Step;
use crate::setup::e2fsprogs;
use crate::workspace::Workspace;

pub const BLOCK: u64 = 4096;
/// Blocks of the file system.
pub const BLOCKS: u64 = 16 * 256;
/// Bytes of the disk: behind the file system there is room for promises.
const SIZE: u64 = 32 << 20;
/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The disk before the run.
pub fn base(folder: &Path) -> PathBuf {
    folder.join("base.img")
}

/// What it was asked to do.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("log.img")
}

/// Records a run of the workload.
pub fn record(workspace: &Workspace, workload: &Workload, folder: &Path) -> Result<()> {
    make_disk(&base(folder))?;
    let image = folder.join("disk.img");
    fs::copy(base(folder), &image).context("cannot copy the disk")?;
    File::create(log(folder)).context("cannot make the log")?;
    let disk = Disk {
        image,
        faults: None,
        log: Some(log(folder)),
    };
    let outcome = run(workspace, workload, disk, LIMIT)?;
    if outcome.ending != Ending::Status(0) {
        let output = String::from_utf8_lossy(&outcome.output).into_owned();
        let log = String::from_utf8_lossy(&outcome.log).into_owned();
        bail!(
            "the workload ended with {:?}\n{output}{log}",
            outcome.ending
        );
    }
    Ok(())
}

/// An empty file system, smaller than its disk.
pub fn make_disk(image: &Path) -> Result<()> {
    let file = File::create(image).context("cannot make the disk")?;
    file.set_len(SIZE).context("cannot make the disk")?;
    let output = Command::new(e2fsprogs::mkfs()?)
        .args(["-q", "-F", "-b", "4096", "-J", "size=4"])
        .arg(image)
        .arg(BLOCKS.to_string())
        .output()
        .context("cannot run mkfs.ext4")?;
    if !output.status.success() {
        bail!("mkfs.ext4: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Runs the workload on `disk`.
pub fn run(
    workspace: &Workspace,
    workload: &Workload,
    disk: Disk,
    limit: Duration,
) -> Result<Outcome> {
    let numbers = [
        workload.seed,
        workload.threads.into(),
        workload.operations.into(),
        BLOCKS * BLOCK,
        workload.stress.into(),
    ];
    let mut program = vec!["/tests/crash".to_owned()];
    program.extend(numbers.map(|number| number.to_string()));
    let mut prepared = prepare(workspace, &workload.machine, &program)?;
    prepared.hardware.disks.insert(0, disk);
    let _step = Step::begin("running the workload");
    prepared.run(limit)
}
