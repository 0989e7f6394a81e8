//! `cargo weft bench`: what the kernel's operations cost, in instructions, so
//! that the figures are the same on every host. Beside each stand the bound it
//! must keep, the goal, and what Linux needs for the same.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, bail};

use super::prepare::prepare;
use crate::cli::{Bench, machine};
use crate::guest::{Ending, Outcome};
use crate::progress::Step;
use crate::status::Status;
use crate::workspace::Workspace;

/// The machine all figures are for.
const MACHINE: &str = "--cpus 1 --memory 512 --icount --append aslr=off";

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(600);

/// What a row is measured against. Rows in MB/s are to be high, the others low.
struct Row {
    name: &'static str,
    /// What it must keep.
    bound: Option<u64>,
    /// Where it is to get.
    goal: Option<u64>,
    /// Linux 6.1 on the same machine.
    linux: Option<u64>,
}

const fn row(name: &'static str, bound: Option<u64>, goal: u64, linux: u64) -> Row {
    Row {
        name,
        bound,
        goal: Some(goal),
        linux: Some(linux),
    }
}

/// By the names that `/bin/bench` prints.
const ROWS: &[Row] = &[
    row("empty_call", Some(120), 90, 361),
    row("clock_gettime", None, 130, 465),
    row("read_zero_1", None, 200, 687),
    row("write_null_1", None, 180, 610),
    row("futex_wake_nobody", None, 150, 531),
    row("futex_wait_fails", None, 170, 699),
    row("thread_clone_join", Some(6_000), 3_000, 29_700),
    row("thread_create_of_1000", None, 6_000, 50_200),
    row("thread_join_of_1000", None, 2_500, 33_800),
    row("pipe_round_trip_threads", Some(4_000), 2_500, 10_280),
    row("pipe_round_trip_processes", None, 2_700, 10_330),
    row("futex_round_trip", None, 1_600, 6_930),
    row("semaphore_round_trip", None, 1_800, 7_510),
    row("condition_round_trip", None, 4_000, 15_160),
    row("yield_to_peer", None, 500, 1_970),
    row("fork_exit_wait", Some(40_000), 20_000, 121_000),
    row("fork_exec_wait", None, 40_000, 219_000),
    row("mmap_munmap_4k", None, 900, 10_900),
    row("mmap_touch_munmap_4k", None, 2_500, 22_500),
    row("mmap_touch_munmap_1m_page", None, 1_100, 4_250),
    row("page_touch", Some(1_800), 1_000, 3_270),
    row("page_copy_on_write", None, 1_500, 4_540),
    row("mprotect_4k", None, 900, 9_670),
    row("brk_page", None, 400, 4_640),
    row("open_close", None, 1_500, 6_120),
    row("stat", None, 900, 3_660),
    row("fstat", None, 250, 1_135),
    row("pipe_mb_s", None, 3_500, 1_245),
    row("read_16m_mb_s", None, 6_500, 3_860),
];

pub fn run(workspace: &Workspace, arguments: &Bench) -> Result<u8> {
    let quick = arguments.quick.then(|| "--quick".to_owned());
    let words: Vec<String> = quick
        .into_iter()
        .chain(arguments.rows.iter().cloned())
        .collect();
    let outcome = measure(workspace, &words)?;
    let output = String::from_utf8_lossy(&outcome.output);
    let results = read(&output);
    print!("{}", table(&results));
    // What the guest said besides its figures: operations it could not measure.
    for line in output.lines().filter(|line| figure(line).is_none()) {
        eprintln!("{line}");
    }
    if outcome.ending != Ending::Status(0) {
        return outcome.ending.status(&outcome.last);
    }
    if results.is_empty() {
        bail!("no row has one of these names; `cargo weft bench` prints all of them");
    }
    let missed = results
        .iter()
        .any(|(name, value)| misses_bound(name, *value));
    Ok(if missed { Status::TestsFailed as u8 } else { 0 })
}

/// Runs `/bin/bench` with these words.
fn measure(workspace: &Workspace, words: &[String]) -> Result<Outcome> {
    let program: Vec<String> = ["bench".to_owned()]
        .into_iter()
        .chain(words.iter().cloned())
        .collect();
    let prepared = prepare(workspace, &machine(MACHINE), &program)?;
    let _step = Step::begin("counting instructions");
    prepared.run(LIMIT)
}

/// Measures the rows that have a bound. For each: its name, and if it misses the
/// bound, what was measured instead.
pub fn bounds(workspace: &Workspace) -> Result<Vec<(&'static str, Option<String>)>> {
    let bounded = ROWS
        .iter()
        .filter_map(|row| row.bound.map(|bound| (row.name, bound)));
    let names: Vec<String> = bounded.clone().map(|(name, _)| name.to_owned()).collect();
    let outcome = measure(workspace, &names)?;
    let results = read(&String::from_utf8_lossy(&outcome.output));
    let verdict = |name: &str, bound| match results.iter().find(|(found, _)| found == name) {
        None => Some(format!(
            "not measured; the machine ended with {:?}",
            outcome.ending
        )),
        Some((_, value)) if !keeps(name, *value, bound) => {
            Some(format!("{value} instead of {bound}"))
        }
        Some(_) => None,
    };
    Ok(bounded
        .map(|(name, bound)| (name, verdict(name, bound)))
        .collect())
}

/// The figures among the lines of `output`.
fn read(output: &str) -> Vec<(String, u64)> {
    output.lines().filter_map(figure).collect()
}

/// A line of the form `NAME VALUE`.
fn figure(line: &str) -> Option<(String, u64)> {
    let (name, value) = line.trim_end().split_once(' ')?;
    Some((name.to_owned(), value.parse().ok()?))
}

fn misses_bound(name: &str, value: u64) -> bool {
    let row = ROWS.iter().find(|row| row.name == name);
    row.and_then(|row| row.bound)
        .is_some_and(|bound| !keeps(name, value, bound))
}

/// Whether `value` is as good as `bound`.
fn keeps(name: &str, value: u64, bound: u64) -> bool {
    if name.ends_with("_mb_s") {
        value >= bound
    } else {
        value <= bound
    }
}

/// The table that people read.
fn table(results: &[(String, u64)]) -> String {
    let mut text = format!(
        "{:<28} {:>9} {:>9} {:>9} {:>10}\n",
        "instructions (or MB/s)", "Weft", "bound", "goal", "Linux 6.1"
    );
    let show = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    for (name, value) in results {
        let row = ROWS.iter().find(|row| row.name == name);
        let bound = row.and_then(|row| row.bound);
        let goal = row.and_then(|row| row.goal);
        let verdict = match (bound, goal) {
            (Some(bound), _) if !keeps(name, *value, bound) => "  bound missed",
            (_, Some(goal)) if keeps(name, *value, goal) => "  goal met",
            _ => "",
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{name:<28} {value:>9} {:>9} {:>9} {:>10}{verdict}",
            show(bound),
            show(goal),
            show(row.and_then(|row| row.linux)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_from_other_lines() {
        let results =
            read("empty_call 118\nbench: fork: EAGAIN\nbench: cannot make files\npipe_mb_s 3\r\n");
        let expected = [("empty_call".to_owned(), 118), ("pipe_mb_s".to_owned(), 3)];
        assert_eq!(results, expected);
    }

    #[test]
    fn bounds_and_goals() {
        assert!(misses_bound("empty_call", 121));
        assert!(!misses_bound("empty_call", 120));
        assert!(!misses_bound("unknown", 1_000_000));
        assert!(keeps("pipe_mb_s", 3_500, 3_500));
        assert!(!keeps("pipe_mb_s", 3_499, 3_500));
        let results = [
            ("empty_call".to_owned(), 121),
            ("page_touch".to_owned(), 1_000),
        ];
        let table = table(&results);
        assert!(table.contains("bound missed"));
        assert!(table.contains("goal met"));
        assert!(table.contains("Linux 6.1"));
    }
}
