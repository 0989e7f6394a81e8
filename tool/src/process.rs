//! Other programs that the tool runs: finding them, an environment they can
//! rely on, and a time limit.

use std::env;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Finds `name` in the folders of PATH, and in those where administration
/// programs stand, which an ordinary user's PATH may lack.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A command without the settings of the caller's environment that would
/// change what cargo builds, or where.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(changes_builds) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether the environment variable `name` changes what cargo builds.
fn changes_builds(name: &str) -> bool {
    matches!(
        name,
        "RUSTFLAGS"
            | "RUSTDOCFLAGS"
            | "RUSTC_BOOTSTRAP"
            | "CARGO_ENCODED_RUSTFLAGS"
            | "CARGO_ENCODED_RUSTDOCFLAGS"
            | "CARGO_TARGET_DIR"
            | "CARGO_INCREMENTAL"
    ) || [
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_PROFILE_",
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// What a finished command left behind.
pub struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output and standard error, one behind the other, as text.
    pub fn text(&self) -> String {
        [&self.stdout, &self.stderr]
            .map(|bytes| String::from_utf8_lossy(bytes))
            .concat()
    }
}

/// Runs `command` without input; see [`run_with_input`].
pub fn run_limited(command: &mut Command, limit: Duration) -> Result<Option<Output>> {
    run_with_input(command, b"", limit)
}

/// Runs `command`, gives it `input`, gathers what it prints, and ends it after
/// `limit`. None if it was ended.
pub fn run_with_input(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> Result<Option<Output>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let stdout = child.stdout.take().map(gather);
    let stderr = child.stderr.take().map(gather);
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_vec();
        // One that ends early, or reads nothing, leaves the rest unread.
        thread::spawn(move || pipe.write_all(&input).ok());
    }
    let Some(status) = wait_until(&mut child, Instant::now() + limit)? else {
        end(&mut child)?;
        // The readers end with the pipes, which grandchildren may hold: they are not waited for.
        return Ok(None);
    };
    let join = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    Ok(Some(Output {
        status,
        stdout: join(stdout),
        stderr: join(stderr),
    }))
}

fn wait_until(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
            status => return Ok(status),
        }
    }
}

/// Asks a child to end, so that it can end its own, and then makes it.
fn end(child: &mut Child) -> Result<()> {
    if let Some(pid) = pid(child) {
        kill_process(pid, Signal::TERM).ok();
    }
    if wait_until(child, Instant::now() + Duration::from_secs(2))?.is_none() {
        child.kill().ok();
        child.wait()?;
    }
    Ok(())
}

/// A child's process id, as the calls on processes take it.
pub fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn gather(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A read error ends the text early, which is all that can be done about it.
        pipe.read_to_end(&mut bytes).ok();
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_settings_are_told_from_others() {
        assert!(changes_builds("RUSTFLAGS"));
        assert!(changes_builds("CARGO_TARGET_X86_64_UNKNOWN_NONE_RUSTFLAGS"));
        assert!(changes_builds("CARGO_PROFILE_RELEASE_LTO"));
        assert!(!changes_builds("CARGO_HOME"));
        assert!(!changes_builds("CARGO_NET_OFFLINE"));
        assert!(!changes_builds("RUSTUP_TOOLCHAIN"));
        assert!(!changes_builds("PATH"));
    }

    #[test]
    fn output_is_gathered() {
        let output = run_limited(
            Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            Duration::from_secs(10),
        )
        .unwrap()
        .unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.text(), "out\nerr\n");
    }

    #[test]
    fn input_is_given() {
        let input = vec![b'x'; 200_000];
        let output = run_with_input(&mut Command::new("cat"), &input, Duration::from_secs(10));
        assert_eq!(output.unwrap().unwrap().stdout, input);
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let output = run_limited(Command::new("sleep").arg("60"), Duration::from_millis(50));
        assert!(output.unwrap().is_none());
    }
}
