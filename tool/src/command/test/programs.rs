//! Programs of others, unmodified, at work: shells, interpreters, databases,
//! servers, stressors, and what Go's and Rust's own threads do. What each is to do
//! stands in `user/tests/programs`, beside what it prints on Linux.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::linux::{put, run};
use super::report::{Report, Row};
use crate::cli::{Machine, machine};
use crate::guest::Ending;
use crate::process;
use crate::setup::packages::Packages;
use crate::workspace::Workspace;

struct Program {
    name: &'static str,
    /// Of Debian, which have the files.
    packages: &'static [&'static str],
    /// What it needs of this machine, put into the guest at the same places.
    files: &'static [&'static str],
    /// The command; `@` begins the name of a file of `user/tests/programs`.
    words: &'static [&'static str],
    /// Flags of its machines.
    machines: &'static [&'static str],
    printed: Printed,
}

enum Printed {
    /// All of it is what this file of `user/tests/programs` has.
    As(&'static str),
    /// This is in it.
    Has(&'static str),
}

const SMALL: &[&str] = &["--cpus 2 --memory 512"];
const ALL: &[&str] = &["--cpus 1 --memory 512", "--cpus 4 --memory 512 --checked"];

const PROGRAMS: &[Program] = &[
    Program {
        name: "bash",
        packages: &["bash", "diffutils", "coreutils"],
        files: &["/usr/bin/bash", "/usr/bin/diff", "/usr/bin/seq"],
        words: &["/usr/bin/bash", "@bash.sh"],
        machines: SMALL,
        printed: Printed::As("bash.out"),
    },
    Program {
        name: "lua",
        packages: &["lua5.4"],
        files: &["/usr/bin/lua5.4"],
        words: &["/usr/bin/lua5.4", "@lua.lua"],
        machines: SMALL,
        printed: Printed::As("lua.out"),
    },
    Program {
        name: "sqlite",
        packages: &["sqlite3", "dash", "sed"],
        files: &["/usr/bin/dash", "/usr/bin/sqlite3", "/usr/bin/sed"],
        words: &["/usr/bin/dash", "@sqlite.sh", "/tmp"],
        machines: ALL,
        printed: Printed::As("sqlite.out"),
    },
    Program {
        name: "python",
        packages: &["python3"],
        files: &["/usr/bin/python3"],
        words: &["/usr/bin/python3", "@python.py"],
        machines: ALL,
        printed: Printed::As("python.out"),
    },
    Program {
        name: "memcached",
        packages: &["memcached", "python3"],
        files: &["/usr/bin/memcached", "/usr/bin/python3"],
        words: &["/usr/bin/python3", "@memcached.py"],
        machines: SMALL,
        printed: Printed::As("memcached.out"),
    },
    Program {
        name: "redis",
        packages: &["redis-server", "redis-tools", "dash"],
        files: &[
            "/usr/bin/dash",
            "/usr/bin/redis-server",
            "/usr/bin/redis-cli",
            "/usr/bin/redis-benchmark",
        ],
        words: &["/usr/bin/dash", "@redis.sh"],
        machines: SMALL,
        printed: Printed::As("redis.out"),
    },
    Program {
        name: "hackbench, threads",
        packages: &["rt-tests"],
        files: &["/usr/bin/hackbench"],
        words: &["/usr/bin/hackbench", "-T", "-g", "4", "-l", "50"],
        machines: ALL,
        printed: Printed::Has("Time: "),
    },
    Program {
        name: "hackbench, processes and pipes",
        packages: &["rt-tests"],
        files: &["/usr/bin/hackbench"],
        words: &["/usr/bin/hackbench", "-p", "-g", "4", "-l", "50"],
        machines: ALL,
        printed: Printed::Has("Time: "),
    },
    Program {
        name: "pi_stress",
        packages: &["rt-tests"],
        files: &["/usr/bin/pi_stress"],
        words: &[
            "/usr/bin/pi_stress",
            "--inversions=2000",
            "--groups=2",
            "--quiet",
        ],
        machines: SMALL,
        printed: Printed::Has("Total inversion performed: "),
    },
    Program {
        name: "sysbench, threads",
        packages: &["sysbench"],
        files: &["/usr/bin/sysbench"],
        words: &[
            "/usr/bin/sysbench",
            "threads",
            "--threads=4",
            "--events=100",
            "--time=0",
            "run",
        ],
        machines: SMALL,
        printed: Printed::Has("total number of events:              100"),
    },
    Program {
        name: "sysbench, mutexes",
        packages: &["sysbench"],
        files: &["/usr/bin/sysbench"],
        words: &[
            "/usr/bin/sysbench",
            "mutex",
            "--threads=4",
            "--mutex-locks=5000",
            "run",
        ],
        machines: SMALL,
        printed: Printed::Has("total number of events:              4"),
    },
];

/// Stressors of stress-ng, with how much each of two is to do in five seconds at most.
/// Not its mutexes, whose real-time threads leave no CPU to the thread that is to
/// start them all.
const STRESSORS: &[(&str, u32)] = &[
    ("clone", 200),
    ("fork", 300),
    ("futex", 1000),
    ("pipe", 10_000),
    ("pthread", 200),
    ("sem", 10_000),
    ("signal", 10_000),
    ("sigq", 5000),
    ("switch", 20_000),
    ("vm", 200),
];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let mut row = Row {
        name: "programs of others".into(),
        ..Row::default()
    };
    let began = Instant::now();
    for program in PROGRAMS {
        let outcome = program.run(workspace)?;
        row.note(program.name, outcome);
    }
    row.note("stress-ng", stress(workspace)?);
    let folder = workspace.target.join("programs");
    for (name, program) in [
        ("Go", go(workspace, &folder)?),
        ("Rust", rust(workspace, &folder)?),
    ] {
        for flags in ALL {
            let mut machine = machine(flags);
            let guest = put(&mut machine, &program)?;
            let printed = read(workspace, &format!("{}.out", name.to_lowercase()))?;
            let label = format!("{name} {flags}");
            row.note(
                &label,
                check(workspace, &machine, &[&guest], |output| output == printed)?,
            );
        }
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

impl Program {
    /// What is wrong, if anything is.
    fn run(&self, workspace: &Workspace) -> Result<Option<String>> {
        install(self.packages, self.files)?;
        let mut problem = None;
        for flags in self.machines {
            let mut machine = machine(flags);
            for file in self.files {
                bring(&mut machine, file)?;
            }
            let words: Result<Vec<String>> = self
                .words
                .iter()
                .map(|word| match word.strip_prefix('@') {
                    Some(name) => put(&mut machine, &folder(workspace).join(name)),
                    None => Ok((*word).to_owned()),
                })
                .collect();
            let words = words?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let printed = match self.printed {
                Printed::As(name) => Some(read(workspace, name)?),
                Printed::Has(_) => None,
            };
            let right = |output: &str| match (&self.printed, &printed) {
                (Printed::Has(part), _) => output.contains(part),
                (_, printed) => printed.as_deref() == Some(output),
            };
            problem = problem.or(check(workspace, &machine, &words, right)?);
        }
        Ok(problem)
    }
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("user/tests/programs")
}

fn read(workspace: &Workspace, name: &str) -> Result<String> {
    let file = folder(workspace).join(name);
    std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Runs it to its end; what is wrong, if anything is.
fn check(
    workspace: &Workspace,
    machine: &Machine,
    words: &[&str],
    right: impl Fn(&str) -> bool,
) -> Result<Option<String>> {
    let right = |ending: &Ending, output: &str| {
        *ending == Ending::Status(0) && right(&output.replace('\r', ""))
    };
    run(workspace, machine, words, right)
}

/// Sees to it that the files of some packages are there.
fn install(apt: &'static [&'static str], files: &[&str]) -> Result<()> {
    if files.iter().all(|file| Path::new(file).exists()) {
        return Ok(());
    }
    Packages {
        what: "programs that the tests run",
        apt,
        dnf: &[],
        pacman: &[],
        brew: &[],
    }
    .install()
}

/// Puts a program of this machine where it is here, with what an interpreter loads.
fn bring(machine: &mut Machine, file: &str) -> Result<()> {
    let mut add = |host: &Path, guest: &str| -> Result<()> {
        let argument = format!("{}:{guest}", host.display());
        machine
            .file
            .push(argument.parse().map_err(anyhow::Error::msg)?);
        Ok(())
    };
    let real = std::fs::canonicalize(file).with_context(|| format!("there is no {file}"))?;
    add(&real, file)?;
    if file.ends_with("/python3") {
        let modules = Path::new("/usr/lib").join(real.file_name().unwrap_or_default());
        add(&modules, &modules.display().to_string())?;
    }
    Ok(())
}

fn stress(workspace: &Workspace) -> Result<Option<String>> {
    const PROGRAM: &str = "/usr/bin/stress-ng";
    install(&["stress-ng"], &[PROGRAM])?;
    for (name, count) in STRESSORS {
        let mut machine = machine("--cpus 2 --memory 1024");
        bring(&mut machine, PROGRAM)?;
        let (stressor, operations) = (format!("--{name}"), format!("--{name}-ops"));
        let count = count.to_string();
        let words = [
            PROGRAM,
            "--timeout",
            "5",
            "--verify",
            &stressor,
            "2",
            &operations,
            &count,
        ];
        let right = |output: &str| output.contains("successful run completed");
        if let Some(problem) = check(workspace, &machine, &words, right)? {
            return Ok(Some(format!("{name}: {problem}")));
        }
    }
    Ok(None)
}

/// The program in Go, compiled.
fn go(workspace: &Workspace, target: &Path) -> Result<PathBuf> {
    const GO: &str = "/usr/bin/go";
    install(&["golang-go"], &[GO])?;
    let program = target.join("go");
    let mut command = process::command(GO);
    command
        .current_dir(folder(workspace).join("go"))
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".");
    compile(command)?;
    Ok(program)
}

/// The program in Rust, compiled for this machine.
fn rust(workspace: &Workspace, target: &Path) -> Result<PathBuf> {
    let mut command = process::command("cargo");
    command
        .current_dir(folder(workspace).join("rust"))
        .env("CARGO_TARGET_DIR", target)
        .args(["build", "--release", "--locked", "--quiet"]);
    compile(command)?;
    Ok(target.join("release/threads"))
}

fn compile(mut command: std::process::Command) -> Result<()> {
    const LONGEST: Duration = Duration::from_secs(600);
    let output =
        process::run_limited(&mut command, LONGEST)?.context("the compiler does not end")?;
    if !output.status.success() {
        bail!("cannot compile a program for the tests:\n{}", output.text());
    }
    Ok(())
}
