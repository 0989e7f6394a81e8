//! Dynamically linked programs of this machine, with its own loader and
//! libraries: one of `user/tests/linux/dynamic`, which is put into the guest
//! without its libraries, and those that are here of some that many have.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::guest;
use super::linux::{LIMIT, MACHINES, put, run};
use super::report::{Report, Row};
use crate::cli::machine;
use crate::command::cc;
use crate::guest::Ending;
use crate::workspace::Workspace;

/// Programs that start, say this with these arguments, and end.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    (
        "bash",
        &["-c", "for i in 1 2; do echo $((i * 21)); done"],
        "21\n42\n",
    ),
    ("dash", &["-c", "echo $((6 * 7)) | cat"], "42\n"),
    ("lua", &["-e", "print(6 * 7)"], "42"),
    ("python3", &["--version"], "Python 3"),
    ("sqlite3", &[":memory:", "select 6 * 7"], "42\n"),
    ("perl", &["-e", "print 6 * 7"], "42"),
];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut row = Row {
        name: "dynamically linked programs".into(),
        ..Row::default()
    };
    let began = Instant::now();
    let [program, later, aslr] = compile(workspace, folder.path())?;
    let passes = |ending: &Ending, _: &str| *ending == Ending::Status(0);
    for flags in MACHINES {
        let mut machine = machine(flags);
        let guest = put(&mut machine, Path::new(&program))?;
        put(&mut machine, Path::new(&later))?;
        row.note(flags, run(workspace, &machine, &[&guest], passes)?);
    }
    for (flags, word) in [("--cpus 2", "on"), ("--cpus 2 --append aslr=off", "off")] {
        let mut machine = machine(flags);
        let guest = put(&mut machine, Path::new(&aslr))?;
        let name = format!("addresses, {word}");
        row.note(&name, run(workspace, &machine, &[&guest, word], passes)?);
    }
    row.note("addresses, counted", repeat(workspace, &aslr)?);
    let mut machine = machine("--cpus 2");
    machine.disk.push(folder.path().join("disk"));
    put(&mut machine, Path::new(&later))?;
    let guest = put(&mut machine, Path::new(&program))?;
    row.note("on a disk", run(workspace, &machine, &[&guest], passes)?);
    for (name, arguments, said) in PROGRAMS {
        row.note(name, run_here(workspace, name, arguments, said)?);
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

/// A run whose instructions are counted has the addresses of another one, but
/// not of one with another seed; what is wrong, if anything is.
fn repeat(workspace: &Workspace, program: &str) -> Result<Option<String>> {
    let look = |seed: &str| -> Result<Vec<u8>> {
        let mut machine = machine(&format!("--cpus 1 --icount --append {seed}"));
        let guest = put(&mut machine, Path::new(program))?;
        let words = [guest.as_str(), "look"];
        Ok(guest::run(workspace, "addresses", &machine, &words, LIMIT)?.output)
    };
    let [one, again, other] = ["seed=1", "seed=1", "seed=2"].map(look);
    let (one, again, other) = (one?, again?, other?);
    let is_right = !one.is_empty() && one == again && one != other;
    Ok((!is_right).then(|| format!("{one:x?}\n{again:x?}\n{other:x?}")))
}

/// Runs a program of this machine, if it has that; what is wrong, if anything is.
fn run_here(
    workspace: &Workspace,
    name: &str,
    arguments: &[&str],
    said: &str,
) -> Result<Option<String>> {
    // What PATH has first may be a script that looks for the program.
    let folders = ["/usr/bin", "/bin", "/usr/local/bin"];
    let mut places = folders.iter().map(|folder| Path::new(folder).join(name));
    let Some(program) = places.find(|place| place.is_file()) else {
        return Ok(None);
    };
    let mut machine = machine("--cpus 2");
    let guest = put(&mut machine, &program)?;
    let words: Vec<&str> = [guest.as_str()]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    run(workspace, &machine, &words, |ending, output| {
        *ending == Ending::Status(0) && output.contains(said)
    })
}

/// The program, the library that it opens by itself, and one that tells addresses.
fn compile(workspace: &Workspace, folder: &Path) -> Result<[String; 3]> {
    let source = |name: &str| {
        let file = workspace.root.join("user/tests/linux/dynamic").join(name);
        file.display().to_string()
    };
    let path = |name: &str| folder.join(name).display().to_string();
    let [library, program] = ["library.c", "program.c"].map(source);
    let [linked, later] = ["linked", "later"].map(|name| path(&format!("libwoven{name}.so")));
    let main = path("dynamic");
    for (define, output) in [("linked", &linked), ("later", &later)] {
        let name = format!("-DNAME={define}");
        gcc(&["-shared", "-fPIC", &name, "-o", output, &library])?;
    }
    gcc(&["-o", &main, &program, &linked])?;
    let addresses = workspace.root.join("user/tests/linux/aslr.c");
    let aslr = path("aslr");
    gcc(&[
        "-pie",
        "-fPIE",
        "-o",
        &aslr,
        &addresses.display().to_string(),
    ])?;
    Ok([main, later, aslr])
}

fn gcc(words: &[&str]) -> Result<()> {
    cc::compile_for_linux("-O1 -Wall -Wextra -Werror -pthread", words)
}
