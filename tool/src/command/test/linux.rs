//! Programs for Linux, unmodified: C programs of `user/tests/linux` with the
//! host's C library, which exit with 0 if all is as on Linux, and BusyBox, from
//! a disk.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::guest;
use super::report::{Report, Row};
use crate::cli::{Machine, machine};
use crate::command::cc;
use crate::guest::Ending;
use crate::setup::busybox;
use crate::workspace::Workspace;

/// Each with its arguments, for what they do to no machine but a guest.
const PROGRAMS: &[&[&str]] = &[
    &["aslr"],
    &["close_range"],
    &["copying"],
    &["cpu_time"],
    &["cpu_timers"],
    &["credentials"],
    &["events", "set"],
    // Which calls are made, its first number decides.
    &["fuzz", "1", "200"],
    &["inheritance"],
    &["inotify", "mount"],
    &["jobs"],
    &["limits"],
    &["locked"],
    &["locks"],
    &["membarrier"],
    &["memfd"],
    &["messages"],
    &["mqueue"],
    &["mremap"],
    &["permissions"],
    &["pipes"],
    &["prctl"],
    &["proc"],
    &["pty"],
    &["requeue_pi"],
    &["rights"],
    &["rseq"],
    &["sched"],
    &["semaphores"],
    &["semaphores_undo"],
    &["shm"],
    &["signals"],
    &["sockets"],
    &["terminal"],
    &["timers", "set"],
    &["vdso", "set"],
    &["vectors"],
];

/// The machines that each program runs on, as flags of `exec`.
pub const MACHINES: &[&str] = &["--cpus 1", "--cpus 2", "--cpus 4 --checked"];

/// What BusyBox does, as a script of its own shell, and what that prints.
const SCRIPT: &str = include_str!("busybox/script.sh");
const PRINTED: &str = include_str!("busybox/printed");

/// How long one program may run.
pub const LIMIT: Duration = Duration::from_secs(120);

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut row = Row {
        name: "programs for Linux".into(),
        ..Row::default()
    };
    let began = Instant::now();
    for words in PROGRAMS {
        let (name, arguments) = (words[0], &words[1..]);
        let program = folder.path().join(name);
        compile(workspace, name, &program)?;
        for flags in MACHINES {
            let mut machine = machine(flags);
            let guest_path = put(&mut machine, &program)?;
            let command: Vec<&str> = [&guest_path[..]].iter().chain(arguments).copied().collect();
            let right = |ending: &Ending, _: &str| *ending == Ending::Status(0);
            let label = format!("{name} {flags}");
            row.note(&label, run(workspace, &machine, &command, right)?);
        }
    }
    let problem = run_busybox(workspace, folder.path())?;
    row.note("BusyBox on a disk", problem);
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

fn compile(workspace: &Workspace, name: &str, program: &Path) -> Result<()> {
    let source = workspace.root.join(format!("user/tests/linux/{name}.c"));
    let flags = "-O1 -Wall -Wextra -Werror -static -pthread -o";
    cc::compile_for_linux(flags, [program, &source])
}

/// Puts a file of the host into the guest's /host; its path there.
pub fn put(machine: &mut Machine, host: &Path) -> Result<String> {
    let name = host.file_name().unwrap_or_default().to_string_lossy();
    let guest = format!("/host/{name}");
    let file = format!("{}:{guest}", host.display());
    machine.file.push(file.parse().map_err(anyhow::Error::msg)?);
    Ok(guest)
}

/// Runs a program; what is wrong with it, if anything is.
pub fn run(
    workspace: &Workspace,
    machine: &Machine,
    program: &[&str],
    right: impl Fn(&Ending, &str) -> bool,
) -> Result<Option<String>> {
    let outcome = guest::run(workspace, program[0], machine, program, LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let right = right(&outcome.ending, &output);
    Ok((!right).then(|| guest::explain(&outcome, &output)))
}

fn run_busybox(workspace: &Workspace, folder: &Path) -> Result<Option<String>> {
    let mut machine = machine("--cpus 2");
    machine.disk.push(folder.join("disk"));
    let script = folder.join("script.sh");
    std::fs::write(&script, SCRIPT).context("cannot write the script")?;
    let busybox = put(&mut machine, &busybox::busybox()?)?;
    let script = put(&mut machine, &script)?;
    let words = [&busybox, "sh", &script];
    let right = |ending: &Ending, output: &str| *ending == Ending::Status(0) && output == PRINTED;
    run(workspace, &machine, &words, right)
}
