//! Requests to `debugfs`, which reads and changes a file system that is not mounted.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::run;
use crate::setup::e2fsprogs;
use crate::status::{Failure, Status};

/// Requests in order, to be carried out by one `debugfs`.
#[derive(Default)]
pub struct Script {
    text: String,
}

/// What a script printed.
pub struct Said {
    pub output: String,
    /// The errors. `debugfs` goes on after each.
    pub errors: Vec<String>,
}

impl Script {
    /// Adds a request, word by word. ERROR for what a script cannot say.
    pub fn add(&mut self, words: &[&str]) -> Result<()> {
        for word in words {
            if word.contains(['\n', '\r', '\0']) {
                let message = format!("{word:?}: a name with a line break cannot be carried over");
                return Err(Failure::error(Status::Usage, message));
            }
            // In quotes, a quote is written twice.
            write!(self.text, "\"{}\" ", word.replace('"', "\"\""))?;
        }
        self.text.push('\n');
        Ok(())
    }

    /// Carries the requests out on `image`.
    pub fn run(&self, image: &Path, write: bool) -> Result<Said> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let script = folder.path().join("requests");
        fs::write(&script, &self.text).context("cannot write the requests to debugfs")?;
        let mut command = Command::new(e2fsprogs::debugfs()?);
        if write {
            command.arg("-w");
        }
        let run = run(command.arg("-f").arg(&script).arg(image))?;
        let errors = String::from_utf8_lossy(&run.stderr);
        let errors = errors
            .lines()
            .map(str::trim)
            // The first line names the version.
            .filter(|line| !line.is_empty() && !line.starts_with("debugfs 1"));
        Ok(Said {
            output: String::from_utf8_lossy(&run.stdout).into_owned(),
            errors: errors.map(str::to_owned).collect(),
        })
    }
}

impl Said {
    /// The first error as one, if there is any.
    pub fn check(&self, doing: &str) -> Result<()> {
        match self.errors.first() {
            None => Ok(()),
            Some(error) => Err(Failure::error(
                Status::DiskImage,
                format!("cannot {doing}: debugfs says: {error}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted() {
        let mut script = Script::default();
        script.add(&["ls", "-p", "/a b\"c"]).unwrap();
        assert_eq!(script.text, "\"ls\" \"-p\" \"/a b\"\"c\" \n");
        assert!(script.add(&["ls", "a\nrm b"]).is_err());
    }
}
