//! Other programs that the tool runs: finding them, an environment they can
//! rely on, and a time limit.

use std::env;
use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

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
    /// Standard output and standard error, each in its own order.
    pub text: String,
}

/// Runs `command` without input, gathers what it prints, and kills it after
/// `limit`. None if it was killed.
pub fn run_limited(command: &mut Command, limit: Duration) -> Result<Option<Output>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let readers = [
        child.stdout.take().map(|pipe| gather(Box::new(pipe))),
        child.stderr.take().map(|pipe| gather(Box::new(pipe))),
    ];
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            // Its readers end with the pipes, which grandchildren may hold: they are not waited for.
            child.kill().ok();
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    };
    let mut text = String::new();
    for reader in readers.into_iter().flatten() {
        text += &reader.join().unwrap_or_default();
    }
    Ok(Some(Output { status, text }))
}

fn gather(mut pipe: Box<dyn Read + Send>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A read error ends the text early, which is all that can be done about it.
        pipe.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
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
        assert_eq!(output.text, "out\nerr\n");
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let output = run_limited(Command::new("sleep").arg("60"), Duration::from_millis(50));
        assert!(output.unwrap().is_none());
    }
}
