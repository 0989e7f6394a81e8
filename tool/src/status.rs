//! What the tool's exit status means. A program's own status passes through
//! unchanged, so the tool's own begin at 201, above what programs and the
//! shell's 128 + signal use.

use std::fmt;

/// The tool's own exit statuses; `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// A test or a check failed.
    TestsFailed = 1,
    /// The command line was not understood.
    Usage = 201,
    /// Something Weft needs on this machine is missing and could not be installed.
    Setup = 202,
    /// The kernel or a program did not build.
    Build = 203,
    /// A file named on the command line is missing or unreadable.
    MissingFile = 204,
    /// QEMU did not start, or stopped by itself.
    Emulator = 205,
    /// The kernel panicked.
    Panic = 206,
    /// The CPU reset itself: a fault that no handler could take.
    TripleFault = 207,
    /// Time ran out.
    TimedOut = 208,
    /// The machine went off without telling how the program ended.
    Untold = 209,
    /// Any other error of the tool, such as a full disk.
    Other = 210,
    /// A disk image cannot be made, read or changed.
    DiskImage = 211,
}

/// The part of `--help` that lists the statuses.
pub const HELP: &str = "\
Exit status of `exec`, and of `run` where it applies:
  the program's own, 128 + N if signal N ended it, 127 if there is no such program, or
  201  the command line was not understood
  202  something is missing on this machine and could not be installed
  203  the kernel or a program did not build
  204  a file named on the command line is missing
  205  QEMU did not start, or stopped by itself
  206  the kernel panicked
  207  triple fault: the virtual CPU reset itself
  208  time ran out (a hang, or a --timeout that is too short)
  209  the machine went off without telling how the program ended
  210  any other error of this command
  211  a disk image cannot be made, read or changed";

/// An error that decides the tool's exit status.
#[derive(Debug)]
pub struct Failure {
    pub status: Status,
    pub message: String,
}

impl Failure {
    /// An error for `anyhow` that carries `status`.
    pub fn error(status: Status, message: impl Into<String>) -> anyhow::Error {
        Failure {
            status,
            message: message.into(),
        }
        .into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit status that `error` stands for.
pub fn of(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(Status::Other, |failure| failure.status) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn context_keeps_the_status() {
        let error = Err::<(), _>(Failure::error(Status::MissingFile, "no such file"))
            .context("while making the image")
            .unwrap_err();
        assert_eq!(of(&error), 204);
    }

    #[test]
    fn a_plain_error_has_the_general_status() {
        assert_eq!(of(&anyhow::anyhow!("disk full")), 210);
    }

    #[test]
    fn every_status_is_in_the_help() {
        for status in 201..=211 {
            assert!(HELP.contains(&format!("\n  {status}  ")));
        }
    }
}
