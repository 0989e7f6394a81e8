//! The user programs: no_std ELF executables, linked statically and at a fixed
//! address, built for the host's target so that they need nothing that the
//! host's cargo does not have.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cargo::{self, Artifact};
use super::stamp::Stamp;
use crate::progress::Step;
use crate::setup::Toolchain;
use crate::workspace::Workspace;

/// What the programs are made of.
const FOLDERS: &[&str] = &["abi", "user"];

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How the programs are compiled and linked: no libc, no start files, no
/// dynamic loader; frame pointers for backtraces in gdb.
const RUSTFLAGS: &[&str] = &[
    "-Cpanic=abort",
    "-Crelocation-model=static",
    "-Ctarget-feature=+crt-static",
    "-Cforce-frame-pointers=yes",
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-nostdlib",
    "-Clink-arg=-static",
    "-Clink-arg=-Wl,--build-id=none,-z,max-page-size=4096",
];

/// A user program, ready to be put into the initial image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    /// The guest's folder it goes to: "/bin" or "/tests".
    pub folder: String,
    /// Its file on the host.
    pub file: PathBuf,
}

/// Builds the programs, unless they are up to date.
pub fn build(workspace: &Workspace, toolchain: &Toolchain) -> Result<Vec<Program>> {
    let target = workspace.target.join("user");
    let settings = format!("{toolchain:?} {target:?} {RUSTFLAGS:?}");
    let stamp = Stamp::take(workspace, "programs", FOLDERS, &settings)?;
    if let Some(programs) = stamp.unchanged().and_then(|record| from_record(&record)) {
        return Ok(programs);
    }
    let step = Step::begin("building the programs");
    let mut command = toolchain.cargo();
    command
        .args(["build", "--release", "--bins", "--target", TARGET])
        .args([
            "--package",
            "user-bin",
            "--package",
            "user-tests",
            "--target-dir",
        ])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\x1f"))
        // The image is memory of the guest: no room for symbols.
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .current_dir(&workspace.root);
    let artifacts = cargo::build(command, &step).context("the programs")?;
    let mut programs: Vec<Program> = artifacts
        .into_iter()
        .map(|artifact| program(workspace, artifact))
        .collect();
    programs.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    stamp.record(&to_record(&programs))?;
    Ok(programs)
}

fn program(workspace: &Workspace, artifact: Artifact) -> Program {
    let tests = artifact
        .manifest
        .starts_with(workspace.root.join("user/tests"));
    Program {
        name: artifact.name,
        folder: if tests { "/tests" } else { "/bin" }.to_owned(),
        file: artifact.executable,
    }
}

/// One line per program: folder, name and file, separated by tabs.
fn to_record(programs: &[Program]) -> String {
    programs
        .iter()
        .map(|program| {
            format!(
                "{}\t{}\t{}\n",
                program.folder,
                program.name,
                program.file.display()
            )
        })
        .collect()
}

/// The programs of a record, if all their files are still there.
fn from_record(record: &str) -> Option<Vec<Program>> {
    record
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            let mut part = || parts.next().map(str::to_owned);
            let (folder, name, file) = (part()?, part()?, part()?);
            Path::new(&file).is_file().then(|| Program {
                name,
                folder,
                file: file.into(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_the_programs_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let programs = vec![Program {
            name: "cat".into(),
            folder: "/bin".into(),
            file: file.path().into(),
        }];
        let record = to_record(&programs);
        assert_eq!(from_record(&record), Some(programs));
        file.close().unwrap();
        assert_eq!(from_record(&record), None);
    }

    #[test]
    fn packages_decide_the_folder() {
        let workspace = Workspace {
            root: "/w".into(),
            target: "/w/target".into(),
        };
        let artifact = |manifest: &str| Artifact {
            name: "all".into(),
            manifest: manifest.into(),
            executable: "/x".into(),
        };
        let folder = |manifest| program(&workspace, artifact(manifest)).folder;
        assert_eq!(folder("/w/user/bin/Cargo.toml"), "/bin");
        assert_eq!(folder("/w/user/tests/Cargo.toml"), "/tests");
    }
}
