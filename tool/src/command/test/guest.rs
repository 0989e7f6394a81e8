//! Tests inside the guest: `/tests/all` on every kind of machine, and boots of
//! the machines that differ in less.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::report::{Report, Row, read};
use crate::cli::{Boot, Machine, machine, word};
use crate::command::prepare::prepare;
use crate::guest::log::PANIC;
use crate::guest::{Ending, Outcome};
use crate::progress::Step;
use crate::workspace::Workspace;

/// How long `/tests/all` may take on one machine.
const LIMIT: Duration = Duration::from_secs(240);

/// How long a boot with one small program may take; UEFI's firmware is slow.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

/// The machines that `/tests/all` runs on, as flags of `exec`.
const MACHINES: &[&str] = &[
    "--machine microvm --cpus 1",
    "--machine microvm --cpus 2",
    "--machine microvm --cpus 4",
    "--machine microvm --cpus 8",
    "--machine microvm --cpus 2 --policy rr",
    "--machine microvm --cpus 4 --checked",
    "--machine q35 --cpus 1",
    "--machine q35 --cpus 2",
    "--machine q35 --cpus 4",
    "--machine q35 --cpus 8",
];

/// The machines that only boot and run one small program.
const BOOTS: &[&str] = &[
    "--machine microvm --cpu qemu64 --cpus 2",
    "--machine q35 --cpu qemu64 --cpus 2",
    "--machine microvm --cpus 16",
    "--machine q35 --cpus 16",
    "--machine microvm --memory 32 --cpus 1",
    "--machine microvm --cpus 1 --icount",
    "--machine microvm --cpus 2 --icount",
    "--machine q35 --boot bios --cpus 2",
    "--machine q35 --boot uefi --cpus 2",
];

/// What the small program prints.
const WORD: &str = "woven";

/// `/tests/all` on each machine.
pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    for flags in MACHINES {
        let name = format!("guest tests, {}", describe(&machine(flags)));
        report.add(run_tests(workspace, &name, &machine(flags))?);
    }
    Ok(())
}

/// A boot of each machine.
pub fn boots(workspace: &Workspace, report: &mut Report) -> Result<()> {
    for flags in BOOTS {
        let machine = machine(flags);
        let name = format!("boot, {}", describe(&machine));
        let began = Instant::now();
        let outcome = run(workspace, &name, &machine, &["echo", WORD], BOOT_LIMIT)?;
        let output = String::from_utf8_lossy(&outcome.output).into_owned();
        let passed = outcome.ending == Ending::Status(0) && output.contains(WORD);
        report.add(Row {
            name,
            passed: usize::from(passed),
            failures: if passed {
                Vec::new()
            } else {
                vec!["echo".to_owned()]
            },
            detail: explain(&outcome, &output),
            time: began.elapsed(),
            ..Row::default()
        });
    }
    Ok(())
}

pub fn run_tests(workspace: &Workspace, name: &str, machine: &Machine) -> Result<Row> {
    run_program(workspace, name, machine, &["/tests/all"])
}

/// Runs a program that reports its tests as those in `/tests` do.
pub fn run_program(
    workspace: &Workspace,
    name: &str,
    machine: &Machine,
    program: &[&str],
) -> Result<Row> {
    let began = Instant::now();
    let outcome = run(workspace, name, machine, program, LIMIT)?;
    let output = String::from_utf8_lossy(&outcome.output).into_owned();
    let results = read(&output);
    let mut failures = results.failures;
    let counted = (results.passed, failures.len());
    let orderly = matches!(outcome.ending, Ending::Status(_)) && results.closing == Some(counted);
    // A status without a failed test to explain it is a failure too.
    if !orderly || (failures.is_empty() && outcome.ending != Ending::Status(0)) {
        failures.push(format!("the run itself ({})", cause(&outcome)));
    }
    Ok(Row {
        name: name.to_owned(),
        passed: results.passed,
        failures,
        detail: explain(&outcome, &output),
        time: began.elapsed(),
        ..Row::default()
    })
}

/// Boots a machine, runs one program, and keeps what it says.
pub fn run(
    workspace: &Workspace,
    name: &str,
    machine: &Machine,
    program: &[&str],
    limit: Duration,
) -> Result<Outcome> {
    let program: Vec<String> = program.iter().map(|word| word.to_string()).collect();
    let prepared = prepare(workspace, machine, &program)?;
    let _step = Step::begin(name);
    prepared.run(limit)
}

/// The end of what a run said, for a failure's reader.
pub fn explain(outcome: &Outcome, output: &str) -> String {
    let log = String::from_utf8_lossy(&outcome.log);
    format!(
        "it ended with {:?}\n--- its output ends with\n{}\n--- the kernel log ends with\n{}",
        outcome.ending,
        tail(output),
        tail(&log)
    )
}

/// How a run ended, in one line, with a panic's own words.
fn cause(outcome: &Outcome) -> String {
    let log = String::from_utf8_lossy(&outcome.log);
    let mut lines = log.lines();
    match lines.any(|line| line.contains(PANIC)).then(|| lines.next()) {
        Some(Some(message)) => format!("{:?}: {message}", outcome.ending),
        _ => format!("{:?}", outcome.ending),
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// A machine in a few words.
pub fn describe(machine: &Machine) -> String {
    let plural = if machine.cpus == 1 { "" } else { "s" };
    let mut text = format!("{}, {} CPU{plural}", word(&machine.machine), machine.cpus);
    let mut also = |present: bool, what: String| {
        if present {
            text += ", ";
            text += &what;
        }
    };
    also(
        machine.boot != Boot::Direct,
        format!("GRUB by {}", word(&machine.boot).to_uppercase()),
    );
    also(machine.cpu != "max", machine.cpu.clone());
    also(machine.memory != 256, format!("{} MiB", machine.memory));
    also(machine.icount, "counted instructions".into());
    also(
        machine.policy == crate::cli::Policy::Rr,
        "round robin".into(),
    );
    also(machine.checked, "checked kernel".into());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Board;

    #[test]
    fn every_machine_of_the_lists_can_be_asked_for() {
        let machines: Vec<Machine> = MACHINES
            .iter()
            .chain(BOOTS)
            .map(|flags| machine(flags))
            .collect();
        for cpus in [1, 2, 4, 8] {
            for board in [Board::Microvm, Board::Q35] {
                assert!(
                    machines
                        .iter()
                        .any(|m| m.cpus == cpus && m.machine == board)
                );
            }
        }
    }

    #[test]
    fn the_cause_of_an_end_tells_the_panic() {
        let ended = |ending, log: &str| {
            cause(&Outcome {
                ending,
                output: Vec::new(),
                log: log.into(),
                time: Duration::ZERO,
                last: Vec::new(),
            })
        };
        let log = "weft: hello\nweft: kernel panic\nlock order\nbacktrace: 0x1\n";
        assert_eq!(ended(Ending::Panic, log), "Panic: lock order");
        assert_eq!(ended(Ending::Panic, "weft: kernel panic"), "Panic");
        assert_eq!(ended(Ending::Status(3), "weft: hello\n"), "Status(3)");
    }

    #[test]
    fn machines_are_told_apart() {
        let all = MACHINES.iter().chain(BOOTS);
        let names: std::collections::BTreeSet<String> =
            all.clone().map(|flags| describe(&machine(flags))).collect();
        assert_eq!(names.len(), all.count());
        assert_eq!(
            describe(&machine("--machine q35 --boot uefi --cpus 2")),
            "q35, 2 CPUs, GRUB by UEFI"
        );
    }
}
