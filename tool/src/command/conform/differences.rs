//! The list of known differences from Linux, each with its reason.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};

use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// Lines of a program's name, a colon, and the reason; `#` begins a remark.
pub const FILE: &str = "user/tests/conform/differences";

/// Reasons by the programs' names.
pub struct Differences(HashMap<String, String>);

impl Differences {
    pub fn read(workspace: &Workspace) -> Result<Differences> {
        let text = fs::read_to_string(workspace.root.join(FILE));
        Differences::parse(&text.with_context(|| format!("cannot read {FILE}"))?)
    }

    fn parse(text: &str) -> Result<Differences> {
        let mut reasons = HashMap::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(':') {
                Some((name, reason)) if !reason.trim().is_empty() => {
                    reasons.insert(name.trim().to_owned(), reason.trim().to_owned());
                }
                _ => {
                    let message = format!("{FILE}: there is no reason in \"{line}\"");
                    return Err(Failure::error(Status::Usage, message));
                }
            }
        }
        Ok(Differences(reasons))
    }

    pub fn reason(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_has_a_reason() {
        let list = Differences::parse("# remark\n\na-1: it is so: yes\n").unwrap();
        assert_eq!(list.reason("a-1"), Some("it is so: yes"));
        assert_eq!(list.reason("a-2"), None);
        assert!(Differences::parse("a-1:\n").is_err());
        assert!(Differences::parse("a-1 it is so\n").is_err());
    }
}
