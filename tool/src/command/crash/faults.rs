//! Disks that fail: QEMU's `blkdebug` lets an access end with EIO while the
//! workload runs. It must be told, and whatever was promised before must be
//! kept; the kernel must not panic. A write that fails once and is tried again
//! before anybody asks need not be told, if everything is there in the end.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Workload, cuts, record};
use crate::guest::Ending;
use crate::guest::hardware::Disk;
use crate::workspace::Workspace;

/// How long a run may take: a disk that fails must not let anybody wait.
const LIMIT: Duration = Duration::from_secs(120);

/// What the kernel's log says when it gives up writing.
const GIVES_UP: &str = "the file system is read-only from now on";
/// What a program finds then.
const READ_ONLY: &str = "then: Read-only file system";

/// Which accesses fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Flush,
}

/// The access of number `from` of its kind fails, and `always` the later ones.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub access: Access,
    pub from: u32,
    pub always: bool,
}

impl Fault {
    /// As rules of `blkdebug`: each access leads to the next state, and in the
    /// last one they fail.
    fn rules(self) -> String {
        let (event, kind) = match self.access {
            Access::Read => ("read_aio", "read"),
            Access::Write => ("write_aio", "write"),
            Access::Flush => ("flush_to_disk", "flush"),
        };
        let mut rules = String::new();
        for state in 1..self.from {
            let next = state + 1;
            // Nothing can go wrong with a string.
            let _ = write!(
                rules,
                "[set-state]\nevent = \"{event}\"\nstate = \"{state}\"\nnew_state = \"{next}\"\n"
            );
        }
        let (state, once) = (self.from, if self.always { "off" } else { "on" });
        let _ = write!(
            rules,
            "[inject-error]\nevent = \"{event}\"\niotype = \"{kind}\"\nstate = \"{state}\"\n\
             errno = \"5\"\nonce = \"{once}\"\n"
        );
        rules
    }

    /// What is wrong with how the kernel took it, if anything is.
    pub fn put(
        self,
        workspace: &Workspace,
        workload: &Workload,
        folder: &Path,
    ) -> Result<Option<String>> {
        let (image, rules) = (folder.join("disk.img"), folder.join("faults.conf"));
        record::make_disk(&image)?;
        fs::write(&rules, self.rules()).context("cannot write the rules")?;
        let disk = Disk {
            image,
            faults: Some(rules),
            log: None,
        };
        let outcome = record::run(workspace, workload, disk, LIMIT)?;
        let output = String::from_utf8_lossy(&outcome.output).into_owned();
        let log = String::from_utf8_lossy(&outcome.log).into_owned();
        let told = format!("--- output\n{output}--- log\n{log}");
        let may_pass = self.access == Access::Write && !self.always;
        let passed = match outcome.ending {
            Ending::Status(1) => false,
            Ending::Status(0) if may_pass => true,
            ending => return Ok(Some(format!("it ended with {ending:?}\n{told}"))),
        };
        // A commit may be that of a thread of the kernel's own, which has nobody to
        // tell: then the first who changes something finds that nothing can be.
        let has_given_up = log.contains(GIVES_UP) && output.contains(READ_ONLY);
        if !passed && !output.contains("Input/output error") && !has_given_up {
            return Ok(Some(format!("nobody was told of the error\n{told}")));
        }
        let gives_up = self.always && self.access != Access::Read && output.contains("promise");
        if gives_up && !has_given_up {
            return Ok(Some(format!("the file system can be written\n{told}")));
        }
        let judged = cuts::judged(workspace, workload, folder, &outcome)?;
        Ok(judged.map(|why| format!("{why}\n{told}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_count_up_to_the_access_that_fails() {
        let fault = Fault {
            access: Access::Flush,
            from: 3,
            always: false,
        };
        let rules = fault.rules();
        assert_eq!(rules.matches("[set-state]").count(), 2);
        assert!(rules.contains("state = \"2\"\nnew_state = \"3\""));
        assert!(
            rules.ends_with("iotype = \"flush\"\nstate = \"3\"\nerrno = \"5\"\nonce = \"on\"\n")
        );
    }
}
