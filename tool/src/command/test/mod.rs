//! `cargo weft test`: every test there is, with one summary.
//!
//! `host` runs what needs no guest, `guest` boots the kernel on each kind of
//! machine, `disk` gives it a disk as root, `crash` looks at what crashes leave
//! of it, `c` runs C programs, `linux` those of Linux, `dynamic` those with
//! libraries, `tool` checks what `cargo weft exec` promises, and `report` counts.

mod c;
mod crash;
mod disk;
mod dynamic;
mod failing;
mod guest;
mod host;
mod linux;
mod programs;
mod report;
mod tool;

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{bench, check};
use crate::cli::Test;
use crate::setup::qemu;
use crate::status::Status;
use crate::workspace::Workspace;
use report::{Report, Row};

/// A part of the tests: its name, and what runs it.
type Part = (&'static str, fn(&Workspace, &mut Report) -> Result<()>);

const PARTS: &[Part] = &[
    ("check", checks),
    ("host", host::tests),
    ("loom", host::models),
    ("tool", tool::tests),
    ("c", c::tests),
    ("linux", linux::tests),
    ("dynamic", dynamic::tests),
    ("programs", programs::tests),
    ("guest", guest::tests),
    ("disk", disk::tests),
    ("crash", crash::tests),
    ("boot", guest::boots),
    ("bench", bounds),
];

pub fn run(workspace: &Workspace, arguments: &Test) -> Result<u8> {
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| name == only);
    if !PARTS.iter().any(|(name, _)| wanted(name)) {
        let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
        let message = format!("there is no such part; the parts are: {}", names.join(", "));
        return Err(crate::status::Failure::error(Status::Usage, message));
    }
    // The tool's own tests use QEMU too, where it is there.
    qemu::qemu()?;
    let began = Instant::now();
    let mut report = Report::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| wanted(name)) {
        // An error in one part, such as a failed build, leaves the others their turn.
        if let Err(error) = part(workspace, &mut report) {
            report.add(Row::broken(name, &format!("{error:#}")));
        }
    }
    report.summary(began.elapsed());
    Ok(if report.all_passed() {
        0
    } else {
        Status::TestsFailed as u8
    })
}

/// What the operations may cost.
fn bounds(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let mut row = Row {
        name: "bounds of cargo weft bench".into(),
        ..Row::default()
    };
    for (name, missed) in bench::bounds(workspace)? {
        match missed {
            None => row.passed += 1,
            Some(missed) => {
                row.detail += &format!("{name}: {missed}\n");
                row.failures.push(name.to_owned());
            }
        }
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

fn checks(workspace: &Workspace, report: &mut Report) -> Result<()> {
    for verdict in check::all(workspace)? {
        report.add(Row {
            name: format!("check: {}", verdict.name),
            passed: usize::from(verdict.passed),
            failures: if verdict.passed {
                Vec::new()
            } else {
                vec![verdict.name]
            },
            // A check that passed has a text only if it tells something, such as counts.
            always: true,
            detail: verdict.text,
            time: Duration::ZERO,
        });
    }
    Ok(())
}
