//! One run of `cargo build`: its progress, its errors, and the programs it made.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::progress::Step;
use crate::status::{Failure, Status};

/// An executable that cargo built, or found up to date.
#[derive(Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The name of the cargo target.
    pub name: String,
    /// The package's Cargo.toml.
    pub manifest: PathBuf,
    pub executable: PathBuf,
}

/// Runs a cargo build command and returns the executables it made.
pub fn build(mut command: Command, step: &Step) -> Result<Vec<Artifact>> {
    let mut child = command
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let stderr = child.stderr.take().context("cargo has no error output")?;
    let (artifacts, messages) = thread::scope(|scope| {
        let messages = scope.spawn(|| follow(stderr, step));
        let artifacts: Vec<Artifact> = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| artifact(&line))
            .collect();
        (artifacts, messages.join().unwrap_or_default())
    });
    if !child.wait()?.success() {
        return Err(Failure::error(
            Status::Build,
            format!("the build failed:\n{}", messages.trim_end()),
        ));
    }
    if messages.contains("warning") {
        eprint!("{messages}");
    }
    Ok(artifacts)
}

/// Gathers cargo's messages and shows each as the step's detail.
fn follow(pipe: impl Read, step: &Step) -> String {
    let mut text = String::new();
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        step.detail(&line);
        // What cargo is busy with is progress, not part of an error.
        if ![
            "Compiling",
            "Downloading",
            "Downloaded",
            "Updating",
            "Locking",
            "Finished",
            "Blocking",
        ]
        .iter()
        .any(|word| line.trim_start().starts_with(word))
        {
            text += &line;
            text.push('\n');
        }
    }
    text
}

/// The executable that a line of cargo's JSON output tells of.
fn artifact(line: &str) -> Option<Artifact> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    Some(Artifact {
        name: message["target"]["name"].as_str()?.to_owned(),
        manifest: message["manifest_path"].as_str()?.into(),
        executable: message["executable"].as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_read_from_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/user/bin/Cargo.toml",
            "target":{"name":"cat","kind":["bin"]},"executable":"/w/target/cat","fresh":true}"#;
        let found = artifact(&line.replace('\n', "")).unwrap();
        assert_eq!(found.name, "cat");
        assert_eq!(found.executable, PathBuf::from("/w/target/cat"));
    }

    #[test]
    fn other_messages_are_passed_over() {
        assert_eq!(
            artifact(r#"{"reason":"build-finished","success":true}"#),
            None
        );
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/m",
            "target":{"name":"abi"},"executable":null}"#;
        assert_eq!(artifact(&library.replace('\n', "")), None);
        assert_eq!(artifact("not json"), None);
    }
}
