//! Tests inside a guest that has a disk as its root: `/tests/all`, twice on the
//! same disk, and `e2fsck` after each.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::guest;
use super::report::{Report, Row};
use crate::build::archive::Archive;
use crate::cli::machine;
use crate::disk::Image;
use crate::workspace::Workspace;

/// The machines, as flags of `exec`.
const MACHINES: &[&str] = &[
    "--machine microvm --cpus 2",
    "--machine microvm --cpus 4 --checked",
    "--machine q35 --cpus 2",
];

/// How long the guest with two disks may run.
const LIMIT: Duration = Duration::from_secs(60);

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    report.add(unmount(workspace)?);
    alone(workspace, report)?;
    for flags in MACHINES {
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("disk");
        let mut machine = machine(flags);
        machine.disk.push(image.clone());
        for age in ["a new disk", "the same disk"] {
            let name = format!("guest tests, {}, {age}", guest::describe(&machine));
            report.add(guest::run_tests(workspace, &name, &machine)?);
            report.add(check(&name, &image)?);
        }
    }
    Ok(())
}

/// Programs of `/tests` that want a machine of their own, with its flags.
const ALONE: &[(&str, &str, &str)] = &[
    (
        "more in files than in memory",
        "--cpus 2 --memory 64 --disk-size 512",
        "/tests/pressure",
    ),
    ("requests to a disk", "--cpus 1", "/tests/requests"),
    (
        "a disk that gets full",
        "--cpus 2 --disk-size 64",
        "/tests/filled",
    ),
    (
        "no memory at all",
        "--cpus 1 --memory 32",
        "/tests/exhausted",
    ),
];

fn alone(workspace: &Workspace, report: &mut Report) -> Result<()> {
    for (name, flags, program) in ALONE {
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("disk");
        let mut machine = machine(flags);
        machine.disk.push(image.clone());
        report.add(guest::run_program(workspace, name, &machine, &[program])?);
        report.add(check(name, &image)?);
    }
    Ok(())
}

/// What was written to a second disk, and not synced, is there after it was
/// unmounted, and in its image.
fn unmount(workspace: &Workspace) -> Result<Row> {
    const SCRIPT: &str = "mkdir -p /mnt && mount /dev/vdb /mnt && mkdir /mnt/d && echo kept >/mnt/d/a \
        && umount /mnt && mount /dev/vdb /mnt && cat /mnt/d/a && echo more >>/mnt/d/a && umount /mnt";
    let began = Instant::now();
    let folder = tempfile::tempdir()?;
    let (root, second) = (folder.path().join("root"), folder.path().join("second"));
    crate::disk::make(&second, 16, &Archive::default())?;
    let mut machine = machine("--cpus 2");
    machine.disk.extend([root, second.clone()]);
    let name = "a disk that is unmounted";
    let outcome = guest::run(workspace, name, &machine, &["sh", "-c", SCRIPT], LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let copy = folder.path().join("copy");
    Image::open(&second)?.get("/d/a", &copy)?;
    let kept = output == "kept\n" && std::fs::read(&copy)? == b"kept\nmore\n";
    let failed = (!kept).then(|| "what was written is there".to_owned());
    Ok(Row {
        name: name.to_owned(),
        passed: usize::from(kept),
        failures: failed.into_iter().collect(),
        detail: guest::explain(&outcome, &output),
        time: began.elapsed(),
        ..Row::default()
    })
}

/// `e2fsck` of what a guest left, which must be clean with no journal to replay.
pub fn check(name: &str, image: &Path) -> Result<Row> {
    let began = Instant::now();
    let mut row = Row {
        name: format!("e2fsck after {name}"),
        ..Row::default()
    };
    let mut judge = |right: bool, what: &str, detail: String| match right {
        true => row.passed += 1,
        false => {
            row.failures.push(what.to_owned());
            row.detail += &detail;
        }
    };
    let dirty = Image::needs_recovery(image)?;
    judge(
        !dirty,
        "the disk is left clean",
        "its journal is in use\n".into(),
    );
    let verdict = Image::open(image)?.check()?;
    judge(verdict.clean, "e2fsck finds nothing", verdict.text);
    row.time = began.elapsed();
    Ok(row)
}
