//! Tests that need no guest: `cargo test`, and the models that loom checks.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::report::{Report, Row, read};
use crate::process;
use crate::progress::Step;
use crate::setup::{self, Toolchain};
use crate::workspace::Workspace;

/// How long building and running the tests of one kind may take.
const LIMIT: Duration = Duration::from_secs(900);

/// The tests of every crate that runs on the host too.
pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    // The kernel's ext4 is tested on images that others make and check.
    setup::e2fsprogs::mkfs()?;
    let mut command = Toolchain::host().cargo();
    command
        .args(["test", "--no-fail-fast", "--target-dir"])
        .arg(&workspace.target)
        .current_dir(&workspace.root);
    report.add(cargo_test("host tests", command)?);
    // The parts of the programs that need no guest. Their executables cannot
    // be made test harnesses of, so only the libraries.
    let mut command = Toolchain::host().cargo();
    command
        .args(["test", "--no-fail-fast", "--lib", "--package", "weft"])
        .args(["--package", "user-bin", "--target-dir"])
        .arg(&workspace.target)
        .current_dir(&workspace.root);
    report.add(cargo_test("host tests of the programs", command)?);
    Ok(())
}

/// The locks and queues of `sync` under every interleaving that loom finds.
pub fn models(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let mut command = Toolchain::host().cargo();
    command
        .args([
            "test",
            "--release",
            "--no-fail-fast",
            "--package",
            "sync",
            "--target-dir",
        ])
        .arg(workspace.target.join("loom"))
        .env("RUSTFLAGS", "--cfg loom")
        // Whole-program optimisation takes longer than the models gain by it.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .current_dir(&workspace.root);
    report.add(cargo_test("loom models", command)?);
    Ok(())
}

/// Runs `cargo test` and reads its results.
fn cargo_test(name: &str, mut command: Command) -> Result<Row> {
    let _step = Step::begin(name);
    let began = Instant::now();
    let run = process::run_limited(&mut command, LIMIT)?;
    let (success, text) = match run {
        Some(run) => (run.status.success(), run.text()),
        None => (false, format!("no end after {} s", LIMIT.as_secs())),
    };
    let results = read(&text);
    let mut failures = results.failures;
    if !success && failures.is_empty() {
        failures.push("the run itself".to_owned());
    }
    Ok(Row {
        name: name.to_owned(),
        passed: results.passed,
        failures,
        detail: text,
        time: began.elapsed(),
        ..Row::default()
    })
}
