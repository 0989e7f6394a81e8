//! Crashed disks in a guest: the kernel itself mounts a sample of the states
//! that the recorded run may have left, several disks in one guest, and what it
//! finds there is judged.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::judge::{self, Sample};
use super::{Workload, record};
use crate::command::prepare::prepare;
use crate::guest::Ending;
use crate::guest::hardware::Disk;
use crate::process::{self, Output};
use crate::progress::Step;
use crate::workspace::Workspace;

/// Disks of one guest: a board has places for a few more.
const DISKS: u32 = 20;
/// How long a guest may take.
const LIMIT: Duration = Duration::from_secs(120);
/// How long the judge may take.
const JUDGE_LIMIT: Duration = Duration::from_secs(300);

/// What the judge said.
pub struct Verdict {
    pub whole: bool,
    pub text: String,
}

/// Lets guests mount `states` states of the recording in `folder`.
pub fn mount(
    workspace: &Workspace,
    workload: &Workload,
    states: u32,
    folder: &Path,
) -> Result<Verdict> {
    let sample = |what| {
        let mut command = judge::sample(workspace, workload, folder, states, what)?;
        run(&mut command)
    };
    let saved = sample(Sample::Write)?;
    if !saved.status.success() {
        bail!("the judge cannot write images:\n{}", saved.text());
    }
    let mut text = String::new();
    for first in (0..states).step_by(DISKS as usize) {
        let last = states.min(first + DISKS);
        text += &boot(workspace, workload, folder, first..last)?;
    }
    let judged = sample(Sample::Check)?;
    Ok(Verdict {
        whole: judged.status.success(),
        text: text + &judged.text(),
    })
}

fn run(command: &mut Command) -> Result<Output> {
    process::run_limited(command, JUDGE_LIMIT)?.context("the judge does not come to an end")
}

/// One guest, and what it complains of. That does not end this: the judge finds
/// that there is no report, and says of which state.
fn boot(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    states: std::ops::Range<u32>,
) -> Result<String> {
    let tail = record::BLOCKS * record::BLOCK;
    let mut program = vec!["/tests/mounted".to_owned(), tail.to_string()];
    let letters = ('a'..='z').take(states.len());
    program.extend(letters.map(|letter| format!("/dev/vd{letter}")));
    let mut prepared = prepare(workspace, &workload.machine, &program)?;
    let disk = |state| Disk {
        image: folder.join(format!("mounted-{state}.img")),
        faults: None,
        log: None,
    };
    prepared.hardware.disks = states.clone().map(disk).collect();
    let _step = Step::begin(format!(
        "mounting {} crashed disks in a guest",
        states.len()
    ));
    let outcome = prepared.run(LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let log = String::from_utf8_lossy(&outcome.log);
    match outcome.ending {
        Ending::Status(0) => Ok(String::new()),
        Ending::Status(_) => Ok(format!("{output}{log}")),
        ending => bail!("a guest with crashed disks ended with {ending:?}\n{output}{log}"),
    }
}
