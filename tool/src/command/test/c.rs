//! C programs: the sample of each face is compiled by `cargo weft cc` and run.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use super::guest;
use super::report::{Report, Row};
use crate::cli::{Cli, Command, machine};
use crate::command::cc;
use crate::guest::Ending;
use crate::workspace::Workspace;

/// The faces, and what their samples print.
const SAMPLES: &[(&str, &str)] = &[
    ("ostep", "ostep: counter 40000"),
    ("group", "group: sum 500500"),
    ("xv6", "xv6: through a pipe"),
    ("xv6-riscv", "riscv: child 1 ended with 7"),
    ("uw", "uw: sum 2001000"),
];

/// How long one sample may run.
const LIMIT: Duration = Duration::from_secs(60);

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let mut row = Row {
        name: "C programs".into(),
        ..Row::default()
    };
    for (face, expected) in SAMPLES {
        let problem = run(workspace, face, expected)?;
        row.note(&format!("the sample of {face}"), problem);
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

/// Compiles and runs a sample; what is wrong with it, if anything is.
fn run(workspace: &Workspace, face: &str, expected: &str) -> Result<Option<String>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let program = folder.path().join(face);
    let sample = format!("user/xv6/samples/{face}.c");
    let arguments = ["weft", "cc", "--face", face, "-o"].map(OsString::from);
    let files = [program.clone(), workspace.root.join(sample)].map(OsString::from);
    let Command::Cc(arguments) = Cli::parse_from(arguments.into_iter().chain(files)).command else {
        unreachable!("the subcommand is cc");
    };
    if let Err(error) = cc::run(workspace, &arguments) {
        return Ok(Some(format!("{error:#}")));
    }
    let guest_path = format!("/host/{face}");
    let mut machine = machine("--cpus 2");
    let file = format!("{}:{guest_path}", program.display());
    machine.file.push(file.parse().map_err(anyhow::Error::msg)?);
    let outcome = guest::run(workspace, "a C program", &machine, &[&guest_path], LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let right = outcome.ending == Ending::Status(0) && output.contains(expected);
    Ok((!right).then(|| guest::explain(&outcome, &output)))
}
