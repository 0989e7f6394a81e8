//! Crashes, and disks that fail: states that one may leave of a recorded run, the same with faults
//! put in, which must be found, and runs of which the power is cut.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::failing;
use super::report::{Report, Row};
use crate::cli::machine;
use crate::command::crash::faults::{Access, Fault};
use crate::command::crash::{self, Workload, cuts, judge, mounted, record};
use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

/// States that are checked, and with a fault put in.
const STATES: u32 = 1000;
const BROKEN_STATES: u32 = 120;
/// States that a guest mounts.
const MOUNTED: u32 = 20;
/// Runs that are cut, and processes of `stressfs` at work there.
const CUTS: u32 = 5;
const STRESS: u32 = 4;
/// How long the judge may take.
const LIMIT: Duration = Duration::from_secs(600);
/// What may be wrong with a recording, and must be found.
const FAULTS: &[&str] = &["flushes", "commits", "promises"];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let workload = Workload {
        seed: 1,
        threads: 4,
        operations: 60,
        stress: 0,
        machine: machine("--machine microvm --cpus 2"),
    };
    let folder = crash::folder(workspace)?;
    record::record(workspace, &workload, &folder)?;
    let states = format!("--states={STATES}");
    report.add(explore(workspace, &workload, &folder, &states, None)?);
    report.add(mount(workspace, &workload, &folder)?);
    for fault in FAULTS {
        let states = format!("--states={BROKEN_STATES}");
        report.add(explore(
            workspace,
            &workload,
            &folder,
            &states,
            Some(fault),
        )?);
    }
    report.add(fail(workspace, &workload, &folder)?);
    failing::tests(workspace, report)?;
    let stressed = Workload {
        stress: STRESS,
        ..workload
    };
    report.add(cut(workspace, &stressed, &folder)?);
    Ok(())
}

/// Checks states; with a fault, some must be found to be wrong.
fn explore(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    states: &str,
    fault: Option<&str>,
) -> Result<Row> {
    let began = Instant::now();
    let name = match fault {
        None => format!("{STATES} states that a crash may leave"),
        Some(fault) => format!("crashes of a disk with faulty {fault} are found out"),
    };
    let _step = Step::begin(&name);
    let mut words = vec![states.to_owned()];
    words.extend(fault.map(|fault| format!("--break={fault}")));
    let mut command = judge::explore(workspace, workload, folder, &words)?;
    let run = process::run_limited(&mut command, LIMIT)?;
    let (code, detail) = match run {
        Some(run) => (run.status.code(), run.text()),
        None => (None, format!("no end after {} s", LIMIT.as_secs())),
    };
    let wanted = i32::from(fault.is_some());
    Ok(row(name, code == Some(wanted), detail, began))
}

fn mount(workspace: &Workspace, workload: &Workload, folder: &Path) -> Result<Row> {
    let began = Instant::now();
    let name = format!("{MOUNTED} of the states, mounted in a guest");
    let verdict = mounted::mount(workspace, workload, MOUNTED, folder)?;
    Ok(row(name, verdict.whole, verdict.text, began))
}

fn cut(workspace: &Workspace, workload: &Workload, folder: &Path) -> Result<Row> {
    let began = Instant::now();
    let name = format!("{CUTS} runs under stress of which the power is cut");
    let cuts = cuts::cut(workspace, workload, CUTS, folder)?;
    Ok(row(
        name,
        cuts.failures.is_empty(),
        cuts.failures.join("\n"),
        began,
    ))
}

/// Which accesses to a disk fail: the first ones while it is mounted, and later
/// ones at the work; the last word says whether all that follow do too.
const FAILING: &[(Access, u32, bool)] = &[
    (Access::Read, 3, false),
    (Access::Read, 7, true),
    (Access::Write, 2, false),
    (Access::Write, 40, true),
    (Access::Write, 97, false),
    (Access::Write, 150, true),
    (Access::Flush, 2, false),
    (Access::Flush, 30, false),
    (Access::Flush, 41, true),
];

/// A disk fails; what was promised must be kept.
fn fail(workspace: &Workspace, workload: &Workload, folder: &Path) -> Result<Row> {
    let mut row = Row {
        name: "disks that fail".into(),
        ..Row::default()
    };
    let began = Instant::now();
    for &(access, from, always) in FAILING {
        let fault = Fault {
            access,
            from,
            always,
        };
        row.note(
            &format!("{fault:?}"),
            fault.put(workspace, workload, folder)?,
        );
    }
    row.time = began.elapsed();
    Ok(row)
}

fn row(name: String, passed: bool, detail: String, began: Instant) -> Row {
    Row {
        passed: usize::from(passed),
        failures: match passed {
            true => Vec::new(),
            false => vec![name.clone()],
        },
        name,
        detail,
        time: began.elapsed(),
        ..Row::default()
    }
}
