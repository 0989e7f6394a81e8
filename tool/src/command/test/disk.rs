//! Tests inside a guest that has a disk as its root: `/tests/all`, twice on the
//! same disk, and `e2fsck` after each.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::guest;
use super::report::{Report, Row};
use crate::cli::machine;
use crate::disk::Image;
use crate::workspace::Workspace;

/// The machines, as flags of `exec`.
const MACHINES: &[&str] = &[
    "--machine microvm --cpus 2",
    "--machine microvm --cpus 4 --checked",
    "--machine q35 --cpus 2",
];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
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

/// `e2fsck` of what a guest left, which must be clean with no journal to replay.
fn check(name: &str, image: &Path) -> Result<Row> {
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
