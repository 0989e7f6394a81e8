//! What the runner (`user/tests/conform/runner.c`) says of a batch of programs.

use std::collections::HashMap;
use std::fmt;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    Exit(i32),
    Signal(i32),
    /// Not within its limit.
    Late,
    /// It could not be started: errno.
    Failed(i32),
    /// The machine ended, or said nothing more, while it ran.
    Down,
    /// It was not come to.
    Missing,
}

impl fmt::Display for How {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::Exit(status) => write!(to, "exit {status}"),
            How::Signal(number) => write!(to, "signal {number}"),
            How::Late => write!(to, "late"),
            How::Failed(errno) => write!(to, "not started, errno {errno}"),
            How::Down => write!(to, "brought the machine down"),
            How::Missing => write!(to, "not run"),
        }
    }
}

/// How one program ended, and the lines it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub how: How,
    pub said: Vec<String>,
}

/// By the programs' names.
#[derive(Default)]
pub struct Results {
    ends: HashMap<String, End>,
    /// The runner came to its own end.
    pub done: bool,
}

impl Results {
    /// Reads the console of a run.
    pub fn read(console: &str) -> Results {
        let mut results = Results::default();
        let mut running: Option<(String, Vec<String>)> = None;
        for line in console.lines() {
            let line = line.trim_end_matches('\r');
            if let Some(name) = line.strip_prefix("@begin ") {
                running = Some((name.to_owned(), Vec::new()));
            } else if let Some(how) = line.strip_prefix("@end ") {
                if let (Some((name, said)), Some(how)) = (running.take(), read_end(how)) {
                    results.ends.insert(name, End { how, said });
                }
            } else if line == "@done" {
                results.done = true;
            } else if let (Some((_, said)), Some(text)) = (&mut running, line.strip_prefix('|')) {
                said.push(text.to_owned());
            }
        }
        if let Some((name, said)) = running {
            let how = How::Down;
            results.ends.insert(name, End { how, said });
        }
        results
    }

    pub fn of(&self, name: &str) -> &End {
        const MISSING: &End = &End {
            how: How::Missing,
            said: Vec::new(),
        };
        self.ends.get(name).unwrap_or(MISSING)
    }

    pub fn has(&self, name: &str) -> bool {
        self.ends.contains_key(name)
    }

    pub fn add(&mut self, other: Results) {
        self.ends.extend(other.ends);
    }

    /// Notes what brought a machine down.
    pub fn note(&mut self, name: &str, text: String) {
        if let Some(end) = self.ends.get_mut(name) {
            end.said.push(text);
        }
    }
}

fn read_end(text: &str) -> Option<How> {
    let mut words = text.split(' ');
    let how = words.next()?;
    let number = words.next().and_then(|word| word.parse().ok());
    Some(match how {
        "exit" => How::Exit(number?),
        "signal" => How::Signal(number?),
        "failed" => How::Failed(number?),
        "late" => How::Late,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_read() {
        let console = "noise\r\n@begin a\r\n|one\r\n|two @end\r\n@end exit 3\r\n@begin b\n@end signal 11\n\
                       @begin c\n@end late\n@begin d\n@end failed 12\n@done\n";
        let results = Results::read(console);
        assert!(results.done);
        assert_eq!(results.of("a").how, How::Exit(3));
        assert_eq!(results.of("a").said, ["one", "two @end"]);
        assert_eq!(results.of("b").how, How::Signal(11));
        assert_eq!(results.of("c").how, How::Late);
        assert_eq!(results.of("d").how, How::Failed(12));
        assert_eq!(results.of("e").how, How::Missing);
    }

    #[test]
    fn what_a_machine_did_last_brought_it_down() {
        let mut results = Results::read("@begin a\n@end exit 0\n@begin b\n|said\n");
        assert!(!results.done);
        results.note("b", "panic".into());
        assert_eq!(results.of("b").how, How::Down);
        assert_eq!(results.of("b").said, ["said", "panic"]);
    }
}
