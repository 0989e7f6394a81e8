//! What `cargo weft exec` promises to those who call it: the program's output
//! and nothing else, its status, and a clear message for everything else.

use std::env;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::report::{Report, Row};
use crate::build::{self, Profile};
use crate::process;
use crate::progress::Step;
use crate::workspace::Workspace;

/// Each byte value once.
const EVERY_BYTE: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut value = 0;
    while value < 256 {
        bytes[value] = value as u8;
        value += 1;
    }
    bytes
};

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(30);

/// One call, and what is expected of it.
struct Case {
    name: &'static str,
    /// The words after `cargo weft`; FOLDER stands for the folder with the test's files.
    words: &'static [&'static str],
    input: &'static [u8],
    status: i32,
    output: Expected,
    /// What standard error must contain.
    message: &'static str,
}

enum Expected {
    Exactly(&'static [u8]),
    Contains(&'static str),
    /// The file `bytes` of the test's folder.
    AllBytes,
}

use Expected::{AllBytes, Contains, Exactly};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "success is status 0, without output", words: &["exec", "--", "true"],
        input: b"", status: 0, output: Exactly(b""), message: "" },
    Case { name: "failure is the program's status", words: &["exec", "--", "false"],
        input: b"", status: 1, output: Exactly(b""), message: "" },
    Case { name: "output is the program's, byte for byte", words: &["exec", "--", "echo", "a", "b c"],
        input: b"", status: 0, output: Exactly(b"a b c\n"), message: "" },
    Case { name: "every byte value passes through",
        words: &["exec", "--file", "FOLDER/bytes", "--", "cat", "/bytes"],
        input: b"", status: 0, output: AllBytes, message: "" },
    Case { name: "input ends where it ends", words: &["exec", "--", "cat"],
        input: b"one\ntwo\n", status: 0, output: Exactly(b"one\ntwo\n"), message: "" },
    Case { name: "input without a last line end", words: &["exec", "--", "cat"],
        input: b"one\ntwo", status: 0, output: Exactly(b"one\ntwo"), message: "" },
    Case { name: "input passes through byte for byte", words: &["exec", "--", "cat"],
        input: &EVERY_BYTE, status: 0, output: Exactly(&EVERY_BYTE), message: "" },
    Case { name: "a program of the host is copied into the guest", words: &["exec", "--", "FOLDER/echo", "copied"],
        input: b"", status: 0, output: Exactly(b"copied\n"), message: "" },
    Case { name: "an unknown program is status 127", words: &["exec", "--", "no-such-program"],
        input: b"", status: 127, output: Contains(""), message: "" },
    Case { name: "run reads a script where there is no terminal", words: &["run"],
        input: b"echo from a script\n", status: 0, output: Contains("from a script"), message: "" },
    Case { name: "the editor takes keys as they come", words: &["exec", "--", "sh", "-c", "edit /tmp/x; cat /tmp/x"],
        input: b"one\rtwo\x1b[A\x1b[FX\x13\x11", status: 0, output: Contains("\x1b[H\x1b[JoneX\ntwo\n"), message: "" },
    Case { name: "top ends at a key", words: &["exec", "--", "sh", "-c", "top && echo over"],
        input: b"q", status: 0, output: Contains("over\n"), message: "" },
    Case { name: "jobs stop, are listed and go on", words: &["exec", "--", "sh"],
        input: b"sh -c 'kill -STOP $$; exit 5'\njobs\nfg\necho $?\n\
                 sh -c 'kill -TSTP $$; exit 6'\nbg >/dev/null; wait %1; echo $?\nexit 3\n",
        status: 3,
        output: Exactly(b"$ \n[1]+  Stopped     sh -c 'kill -STOP $$; exit 5'\n\
                          $ [1]+  Stopped     sh -c 'kill -STOP $$; exit 5'\n\
                          $ sh -c 'kill -STOP $$; exit 5'\n$ 5\n\
                          $ \n[1]+  Stopped     sh -c 'kill -TSTP $$; exit 6'\n$ 6\n$ "), message: "" },
    Case { name: "a missing file is status 204", words: &["exec", "--file", "FOLDER/none", "--", "true"],
        input: b"", status: 204, output: Exactly(b""), message: "none: No such file" },
    Case { name: "time runs out with status 208", words: &["exec", "--timeout", "3", "--", "sleep", "1000"],
        input: b"", status: 208, output: Exactly(b""), message: "no end after 3 s" },
    Case { name: "a wrong flag is status 201", words: &["exec", "--cpus", "many", "--", "true"],
        input: b"", status: 201, output: Exactly(b""), message: "--cpus" },
];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    let folder = files(workspace)?;
    let _step = Step::begin("tests of exec");
    let mut row = Row {
        name: "tests of exec".into(),
        ..Row::default()
    };
    for case in CASES {
        match case.run(&folder)? {
            None => row.passed += 1,
            Some(problem) => {
                row.failures.push(case.name.to_owned());
                row.detail += &format!("{}: {problem}\n", case.name);
            }
        }
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

/// A folder with the files that the cases use.
fn files(workspace: &Workspace) -> Result<TempDir> {
    let products = build::all(workspace, Profile::Release)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    fs::write(folder.path().join("bytes"), all_bytes())?;
    let echo = products
        .programs
        .iter()
        .find(|program| program.name == "echo");
    let echo = echo.context("there is no program echo")?;
    fs::copy(&echo.file, folder.path().join("echo"))?;
    Ok(folder)
}

/// Every value of a byte, more than a pipe's worth of them.
fn all_bytes() -> Vec<u8> {
    (0..=255).cycle().take(100_000).collect()
}

impl Case {
    /// Makes the call; what is wrong with it, if anything is.
    fn run(&self, folder: &TempDir) -> Result<Option<String>> {
        // A path with a slash that does not begin with one is the host's: the cases run in the folder's parent.
        let name = folder
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let parent = folder.path().parent().unwrap_or(folder.path());
        let words = self.words.iter().map(|word| word.replace("FOLDER", &name));
        let mut command = Command::new(env::current_exe().context("where is this tool?")?);
        command.args(words).current_dir(parent);
        let began = Instant::now();
        Ok(
            match process::run_with_input(&mut command, self.input, LIMIT)? {
                None => Some(format!("no end after {} s", LIMIT.as_secs())),
                Some(run) => {
                    self.judge(run.status.code(), &run.stdout, &run.stderr, began.elapsed())
                }
            },
        )
    }

    fn judge(
        &self,
        status: Option<i32>,
        output: &[u8],
        messages: &[u8],
        time: Duration,
    ) -> Option<String> {
        let messages = String::from_utf8_lossy(messages);
        let text = String::from_utf8_lossy(output);
        let right_output = match self.output {
            Exactly(expected) => output == expected,
            Contains(expected) => text.contains(expected),
            AllBytes => output == all_bytes(),
        };
        if status == Some(self.status) && right_output && messages.contains(self.message) {
            return None;
        }
        let shown: String = text.chars().take(400).collect();
        Some(format!(
            "status {status:?} instead of {}, after {:.1} s; {} bytes of output: {shown:?}; messages:\n{messages}",
            self.status,
            time.as_secs_f64(),
            output.len(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_judged_by_status_output_and_message() {
        let case = &CASES[2];
        let judge = |status, output: &[u8]| case.judge(Some(status), output, b"", Duration::ZERO);
        assert_eq!(judge(0, b"a b c\n"), None);
        assert!(judge(1, b"a b c\n").is_some());
        assert!(judge(0, b"a b c\r\n").is_some());
    }
}
