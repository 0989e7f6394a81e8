//! C programs: the sample of each face, and the tests on the ground of xv6's own,
//! are compiled by `cargo weft cc` and run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use super::report::{Report, Row};
use super::{disk, guest};
use crate::cli::{Cli, Command, FileArgument, machine};
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

/// The faces that the tests in `user/xv6/tests` are built for.
const TESTED: &[&str] = &["xv6-riscv", "xv6"];

/// The boot options with which the tests of limits find them where they are in
/// xv6 for x86.
const LIMITS: [&str; 2] = ["limits=xv6", "limit.size=71680"];

/// How long one sample may run.
const LIMIT: Duration = Duration::from_secs(60);

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    samples(workspace, report)?;
    for face in TESTED {
        ground(workspace, face, report)?;
    }
    Ok(())
}

fn samples(workspace: &Workspace, report: &mut Report) -> Result<()> {
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
    let sample = workspace.root.join(format!("user/xv6/samples/{face}.c"));
    if let Err(error) = compile(workspace, face, &[sample], &program) {
        return Ok(Some(format!("{error:#}")));
    }
    let guest_path = format!("/host/{face}");
    let mut machine = machine("--cpus 2");
    machine.file.push(file(&program, &guest_path)?);
    let outcome = guest::run(workspace, "a C program", &machine, &[&guest_path], LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let right = outcome.ending == Ending::Status(0) && output.contains(expected);
    Ok((!right).then(|| guest::explain(&outcome, &output)))
}

/// The tests in `user/xv6/tests` for one face, with files in memory and on a
/// disk, and those of limits on machines that have them.
fn ground(workspace: &Workspace, face: &str, report: &mut Report) -> Result<()> {
    const PROGRAM: &str = "/host/xv6-tests";
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (program, image) = (folder.path().join("tests"), folder.path().join("disk"));
    compile(workspace, face, &test_sources(workspace)?, &program)?;
    // Some take all memory.
    let mut in_memory = machine("--cpus 2 --memory 64");
    in_memory.file.push(file(&program, PROGRAM)?);
    let mut on_disk = in_memory.clone();
    on_disk.disk.push(image.clone());
    for (mut machine, place) in [(in_memory, ""), (on_disk, ", on a disk")] {
        let name = format!("tests in C for {face}{place}");
        report.add(guest::run_program(workspace, &name, &machine, &[PROGRAM])?);
        let name = format!("tests of limits in C for {face}{place}");
        machine.append = LIMITS.map(String::from).to_vec();
        let program = [PROGRAM, "limits"];
        report.add(guest::run_program(workspace, &name, &machine, &program)?);
    }
    let name = format!("the tests in C for {face}");
    report.add(disk::check(&name, &image)?);
    orphans(workspace, face, PROGRAM, &image, report)
}

/// What one boot from a disk with the tests leaves deleted and open is freed by
/// the next, and by this tool.
fn orphans(
    workspace: &Workspace,
    face: &str,
    program: &str,
    image: &Path,
    report: &mut Report,
) -> Result<()> {
    let mut machine = machine("--cpus 2");
    machine.disk.push(image.to_owned());
    for word in ["orphans", "reclaimed"] {
        let name = format!("tests in C for {face}, {word}");
        report.add(guest::run_program(
            workspace,
            &name,
            &machine,
            &[program, word],
        )?);
        // A copy, for the check may free them itself.
        let copy = image.with_extension("copy");
        std::fs::copy(image, &copy).context("cannot copy the disk")?;
        report.add(disk::check(&name, &copy)?);
    }
    Ok(())
}

/// All that make up the one program of tests.
fn test_sources(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root.join("user/xv6/tests");
    let entries = std::fs::read_dir(&folder).context("there are no tests in C")?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    paths.sort();
    Ok(paths)
}

/// `cargo weft cc --face FACE -o PROGRAM SOURCES`.
fn compile(workspace: &Workspace, face: &str, sources: &[PathBuf], program: &Path) -> Result<()> {
    let words = ["weft", "cc", "--face", face, "-o"].map(OsString::from);
    let files = std::iter::once(program).chain(sources.iter().map(PathBuf::as_path));
    let files = files.map(|path| path.as_os_str().to_os_string());
    let Command::Cc(arguments) = Cli::parse_from(words.into_iter().chain(files)).command else {
        unreachable!("the subcommand is cc");
    };
    cc::run(workspace, &arguments).map(|_| ())
}

/// A program of the host as `guest_path` in the guest.
fn file(program: &Path, guest_path: &str) -> Result<FileArgument> {
    let file = format!("{}:{guest_path}", program.display());
    file.parse().map_err(anyhow::Error::msg)
}
