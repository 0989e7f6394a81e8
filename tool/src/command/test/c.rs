//! C programs: the sample of each face is compiled by `user/c/cc` and run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::guest;
use super::report::{Report, Row};
use crate::cli::machine;
use crate::guest::Ending;
use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

/// The faces, and what their samples print.
const SAMPLES: &[(&str, &str)] = &[
    ("ostep", "ostep: counter 40000"),
    ("group", "group: sum 500500"),
    ("xv6", "xv6: through a pipe"),
    ("riscv", "riscv: child 1 ended with 7"),
];

/// How long compiling one sample may take; the first builds the runtime.
const COMPILE: Duration = Duration::from_secs(300);

/// How long one sample may run.
const LIMIT: Duration = Duration::from_secs(60);

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    if process::find("cc").is_none() {
        eprintln!("weft: no C compiler here, so the C programs are passed over");
        return Ok(());
    }
    let began = Instant::now();
    let mut row = Row {
        name: "C programs".into(),
        ..Row::default()
    };
    for (face, expected) in SAMPLES {
        match run(workspace, face, expected)? {
            None => row.passed += 1,
            Some(problem) => {
                row.failures.push(format!("the sample of {face}"));
                row.detail += &format!("{face}: {problem}\n");
            }
        }
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

/// Compiles and runs a sample; what is wrong with it, if anything is.
fn run(workspace: &Workspace, face: &str, expected: &str) -> Result<Option<String>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let program = folder.path().join(face);
    let c = workspace.root.join("user/c");
    let mut command = process::command(c.join("cc"));
    command
        .arg(face)
        .arg("-o")
        .arg(&program)
        .arg(c.join("samples").join(format!("{face}.c")))
        .env("CARGO_TARGET_DIR", &workspace.target);
    let step = Step::begin(format!("compiling the C sample of {face}"));
    let compiled = process::run_limited(&mut command, COMPILE)?;
    drop(step);
    match compiled {
        Some(run) if run.status.success() => {}
        Some(run) => return Ok(Some(format!("it does not compile:\n{}", run.text()))),
        None => return Ok(Some("compiling it does not end".into())),
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
