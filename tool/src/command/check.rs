//! `cargo weft check`: the format, the lints, and that only the crates that may
//! hold unchecked code do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;
use crate::setup::Toolchain;
use crate::status::Status;
use crate::workspace::Workspace;

/// The crates that may hold unchecked code, and those that may not; see ARCHITECTURE.md.
const CRATES: &[(&str, bool)] = &[
    ("sync", true),
    ("machine", true),
    ("user/runtime", true),
    ("abi", false),
    ("kernel", false),
    ("tool", false),
    ("crash", false),
    ("user/workload", false),
    ("user/bin", false),
    ("user/tests", false),
];

/// How long one lint may take.
const LIMIT: Duration = Duration::from_secs(600);

/// The result of one check.
pub struct Verdict {
    pub name: String,
    pub passed: bool,
    /// What to read about a failure, or what is worth knowing of a success.
    pub text: String,
}

pub fn run(workspace: &Workspace) -> Result<u8> {
    let verdicts = all(workspace)?;
    for verdict in &verdicts {
        let result = if verdict.passed { "ok" } else { "FAILED" };
        println!("check {} ... {result}", verdict.name);
        if !verdict.text.is_empty() {
            println!("{}", verdict.text);
        }
    }
    let passed = verdicts.iter().all(|verdict| verdict.passed);
    Ok(if passed { 0 } else { Status::TestsFailed as u8 })
}

/// Makes every check.
pub fn all(workspace: &Workspace) -> Result<Vec<Verdict>> {
    let mut verdicts = vec![count_unsafe(workspace)?];
    let host = Toolchain::host();
    if host.has_lints() {
        verdicts.push(lint("format", format(workspace, &host))?);
        verdicts.push(lint(
            "lints of the host's crates",
            clippy(workspace, &host),
        )?);
        verdicts.push(lint(
            "lints of the programs",
            clippy_programs(workspace, &host),
        )?);
    } else {
        eprintln!(
            "weft: no clippy here, so the lints are passed over (rustup component add clippy)"
        );
    }
    let kernel = Toolchain::kernel()?;
    if kernel.has_lints() {
        verdicts.push(lint(
            "lints of the kernel",
            clippy_kernel(workspace, &kernel),
        )?);
    }
    Ok(verdicts)
}

fn format(workspace: &Workspace, toolchain: &Toolchain) -> Command {
    let mut command = toolchain.cargo();
    command
        .args(["fmt", "--all", "--check", "--", "--color", "never"])
        .current_dir(&workspace.root);
    command
}

fn clippy(workspace: &Workspace, toolchain: &Toolchain) -> Command {
    let mut command = toolchain.cargo();
    command
        .args(["clippy", "--quiet", "--all-targets", "--target-dir"])
        .arg(workspace.target.join("check"))
        .args(["--", "-Dwarnings"])
        .current_dir(&workspace.root);
    command
}

fn clippy_programs(workspace: &Workspace, toolchain: &Toolchain) -> Command {
    let mut command = toolchain.cargo();
    command
        .args(["clippy", "--quiet", "--release", "--target-dir"])
        .arg(workspace.target.join("check"))
        .args([
            "--package",
            "weft",
            "--package",
            "user-bin",
            "--package",
            "user-tests",
        ])
        .args(["--", "-Dwarnings"])
        .current_dir(&workspace.root);
    command
}

fn clippy_kernel(workspace: &Workspace, toolchain: &Toolchain) -> Command {
    let mut command = toolchain.kernel_cargo("clippy");
    command
        .args(["--quiet", "--target-dir"])
        .arg(workspace.target.join("check"))
        .args([
            "--package",
            "sync",
            "--package",
            "machine",
            "--package",
            "kernel",
        ])
        .args(["--", "-Dwarnings"])
        .current_dir(&workspace.root);
    command
}

/// Runs a lint, which passes by its exit status.
fn lint(name: &str, mut command: Command) -> Result<Verdict> {
    let _step = Step::begin(format!("checking: {name}"));
    let run = process::run_limited(&mut command, LIMIT)?;
    let (passed, text) = match run {
        Some(run) if run.status.success() => (true, String::new()),
        Some(run) => (false, run.text().trim_end().to_owned()),
        None => (false, format!("no end after {} s", LIMIT.as_secs())),
    };
    Ok(Verdict {
        name: name.to_owned(),
        passed,
        text,
    })
}

/// Counts the keyword per crate; it fails where there may be none.
fn count_unsafe(workspace: &Workspace) -> Result<Verdict> {
    let mut passed = true;
    let mut lines = Vec::new();
    for (name, allowed) in CRATES {
        let mut places = Vec::new();
        for file in rust_files(&workspace.root.join(name))? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            for number in unsafe_lines(&text) {
                places.push(format!("{}:{number}", workspace.display(&file)));
            }
        }
        lines.push(format!("    {:>4}  {name}", places.len()));
        if !allowed && !places.is_empty() {
            passed = false;
            lines.extend(
                places
                    .iter()
                    .map(|place| format!("          not allowed: {place}")),
            );
        }
    }
    Ok(Verdict {
        name: format!("{KEYWORD} stands only where it may"),
        passed,
        text: lines.join("\n"),
    })
}

/// The Rust sources under `folder`, in order.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(files);
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The numbers of the lines with the keyword in code: in a block, a function, a
/// trait, an implementation or an attribute, not in a comment or in a name.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let keyword = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == KEYWORD)
    };
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| keyword(code_of(line)))
        .map(|(number, _)| number)
        .collect()
}

/// Not spelled out, so that this file does not count itself.
const KEYWORD: &str = concat!("un", "safe");

/// A line without its comment and its text in quotes.
fn code_of(line: &str) -> &str {
    let line = line.split("//").next().unwrap_or(line);
    // A keyword behind a quote is text: in this house a block does not follow a string in its line.
    line.split('"').next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_told_from_mentions() {
        let text = format!(
            "//! no {KEYWORD} here\n#![forbid({KEYWORD}_code)]\nlet x = {KEYWORD} {{ f() }};\n\
             {KEYWORD} impl Send for X {{}}\nprintln!(\"{KEYWORD}\");\n#[{KEYWORD}(no_mangle)]\n"
        );
        assert_eq!(unsafe_lines(&text), [3, 4, 6]);
    }

    #[test]
    fn sources_are_found_in_folders() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = rust_files(root).unwrap();
        assert!(files.contains(&root.join("src/command/check.rs")));
    }
}
