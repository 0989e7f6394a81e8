//! Starting the judge, with what it must know.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Workload, record};
use crate::build;
use crate::workspace::Workspace;

/// The command that checks what a recording may have left.
pub fn explore(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    words: &[String],
) -> Result<Command> {
    let mut command = recorded(workspace, workload, "explore", folder)?;
    command.args(words);
    Ok(command)
}

/// What is done with a sample of the states.
#[derive(Clone, Copy)]
pub enum Sample {
    /// Their images are written, for a guest.
    Write,
    /// What the guest has seen there is checked.
    Check,
}

/// The command that does it.
pub fn sample(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    states: u32,
    what: Sample,
) -> Result<Command> {
    let subcommand = match what {
        Sample::Write => "sample",
        Sample::Check => "mounted",
    };
    let mut command = recorded(workspace, workload, subcommand, folder)?;
    command.arg(format!("--states={states}"));
    Ok(command)
}

fn recorded(
    workspace: &Workspace,
    workload: &Workload,
    subcommand: &str,
    folder: &Path,
) -> Result<Command> {
    let mut command = start(workspace, workload, subcommand, folder)?;
    command.arg("--base").arg(record::base(folder));
    command.arg("--log").arg(record::log(folder));
    Ok(command)
}

/// The command that checks one disk, of a run that has come to its end or not.
pub fn judge(
    workspace: &Workspace,
    workload: &Workload,
    folder: &Path,
    [image, console]: [&Path; 2],
    finished: bool,
) -> Result<Command> {
    let mut command = start(workspace, workload, "judge", folder)?;
    command.arg("--image").arg(image);
    command.arg("--console").arg(console);
    command.args(finished.then_some("--finished"));
    Ok(command)
}

fn start(
    workspace: &Workspace,
    workload: &Workload,
    subcommand: &str,
    folder: &Path,
) -> Result<Command> {
    let mut command = Command::new(build::judge(workspace)?);
    command
        .arg(subcommand)
        .arg(format!("--seed={}", workload.seed))
        .arg(format!("--threads={}", workload.threads))
        .arg(format!("--operations={}", workload.operations))
        .arg(format!("--stress={}", workload.stress))
        .arg(format!("--blocks={}", record::BLOCKS))
        .arg("--folder")
        .arg(folder);
    Ok(command)
}
