//! Real cuts: QEMU is killed at a random moment of the workload, while
//! `stressfs` is at work on the disk too, and the disk is judged as it was
//! left. A promise that was on the console, or is on the
//! disk, must be kept.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Workload, judge, record};
use crate::guest::hardware::Disk;
use crate::guest::{Ending, Outcome, Stopped};
use crate::workspace::Workspace;

/// How long a run may take that is not cut.
const LIMIT: Duration = Duration::from_secs(300);

/// What became of some cuts.
pub struct Cuts {
    pub count: u32,
    /// Those that were in the middle of the work.
    pub amid: u32,
    /// What the judge said of those that lost something.
    pub failures: Vec<String>,
}

/// Cuts runs of the workload, each with a seed of its own.
pub fn cut(workspace: &Workspace, workload: &Workload, count: u32, folder: &Path) -> Result<Cuts> {
    record::make_disk(&record::base(folder))?;
    // How long it takes when nobody cuts it.
    let whole = run(workspace, workload, folder, LIMIT)?;
    if whole.ending != Ending::Status(0) {
        let output = String::from_utf8_lossy(&whole.output).into_owned();
        bail!("the workload ended with {:?}\n{output}", whole.ending);
    }
    let mut cuts = Cuts {
        count,
        amid: 0,
        failures: Vec::new(),
    };
    for number in 0..count {
        let workload = Workload {
            seed: workload.seed + u64::from(number),
            ..workload.clone()
        };
        let part = 0.1 + 0.9 * fraction(workload.seed);
        let outcome = run(workspace, &workload, folder, whole.time.mul_f64(part))?;
        let output = String::from_utf8_lossy(&outcome.output).into_owned();
        cuts.amid += u32::from(output.contains("promise") && !output.contains("workload done"));
        let failed = match outcome.ending {
            Ending::Status(0) | Ending::Stopped(Stopped::Late(_)) => went_wrong(&output),
            ending => Some(format!("it ended with {ending:?}\n{output}")),
        };
        let judged = judged(workspace, &workload, folder, &outcome)?;
        if let Some(why) = failed.or(judged) {
            let kept = folder.join(format!("cut-{}.img", workload.seed));
            fs::copy(folder.join("disk.img"), &kept).context("cannot keep the disk")?;
            let kept = kept.display();
            cuts.failures
                .push(format!("seed {}: {why}\nthe disk: {kept}", workload.seed));
        }
    }
    Ok(cuts)
}

/// What a program of the run has complained of.
fn went_wrong(output: &str) -> Option<String> {
    let complains = |line: &str| line.starts_with("crash:") || line.starts_with("stressfs:");
    output.lines().any(complains).then(|| output.to_owned())
}

/// Runs the workload on a fresh disk, until its end or the time's.
fn run(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    limit: Duration,
) -> Result<Outcome> {
    let image = folder.join("disk.img");
    fs::copy(record::base(folder), &image).context("cannot copy the disk")?;
    let disk = Disk {
        image,
        faults: None,
        log: None,
    };
    record::run(workspace, workload, disk, limit)
}

/// What is wrong with the disk after a run, if anything is.
pub fn judged(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    outcome: &Outcome,
) -> Result<Option<String>> {
    let said = folder.join("console.txt");
    fs::write(&said, &outcome.output).context("cannot keep the console")?;
    let image = folder.join("disk.img");
    let finished = outcome.ending == Ending::Status(0);
    let mut command = judge::judge(workspace, workload, folder, [&image, &said], finished)?;
    let output = command.output().context("cannot start the judge")?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Ok((!output.status.success()).then_some(text))
}

/// A number from 0 to 1 that looks random.
fn fraction(seed: u64) -> f64 {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}
