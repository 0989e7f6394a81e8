//! The kernel log as it streams in: its lines, and what they say about how the
//! machine ended.

use std::collections::VecDeque;

/// What begins the line with a program's status; see `machine::power`.
const EXIT: &str = "weft: exit status ";

/// What begins the report of a panic.
pub const PANIC: &str = "weft: kernel panic";

/// A reader of the console finds nothing; see `pace` in the kernel's console.
const WANTS_INPUT: &str = "weft: input wanted";

/// How many of the last lines are kept for messages.
const KEPT: usize = 12;

/// Reads the log, piece by piece.
#[derive(Default)]
pub struct Scanner {
    /// A line that has not ended yet.
    partial: Vec<u8>,
    last: VecDeque<String>,
    pub findings: Findings,
}

/// What the log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The status that the machine was powered off with.
    pub exit_status: Option<u8>,
    pub panicked: bool,
    /// How often input was asked for.
    pub asked: usize,
}

impl Scanner {
    /// Takes a piece of the log, and gives back the whole lines in it that are
    /// for people: those that only this tool is to read are left out.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line(&mut shown);
            }
        }
        shown
    }

    /// Ends the log; gives back a last line that had no end.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut shown = Vec::new();
        if !self.partial.is_empty() {
            self.partial.push(b'\n');
            self.end_line(&mut shown);
        }
        shown
    }

    /// The last lines, for a message about a machine that went wrong.
    pub fn last_lines(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    fn end_line(&mut self, shown: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(&self.partial);
        let text = text.trim_end();
        if let Some(status) = text.strip_prefix(EXIT) {
            self.findings.exit_status = status.parse().ok();
        } else if text == WANTS_INPUT {
            self.findings.asked += 1;
        } else {
            self.findings.panicked |= text.contains(PANIC);
            if self.last.len() == KEPT {
                self.last.pop_front();
            }
            self.last.push_back(text.to_owned());
            shown.extend_from_slice(&self.partial);
        }
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_line_is_found_in_pieces_and_not_shown() {
        let mut scanner = Scanner::default();
        let mut shown = scanner.feed(b"cpu 0 up\nweft: exi");
        shown.extend(scanner.feed(b"t status 3\r\nlater"));
        assert_eq!(shown, b"cpu 0 up\n");
        assert_eq!(scanner.finish(), b"later\n");
        assert_eq!(scanner.findings.exit_status, Some(3));
        assert!(!scanner.findings.panicked);
    }

    #[test]
    fn requests_for_input_are_counted_and_not_shown() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(b"weft: input wanted\nweft: input wanted\n"),
            b""
        );
        assert_eq!(scanner.findings.asked, 2);
    }

    #[test]
    fn a_panic_is_found_and_shown() {
        let mut scanner = Scanner::default();
        let report = b"weft: kernel panic: frame freed twice\n  at free\n";
        assert_eq!(scanner.feed(report), report);
        assert!(scanner.findings.panicked);
        assert_eq!(scanner.last_lines()[1], "  at free");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut scanner = Scanner::default();
        for number in 0..100 {
            scanner.feed(format!("{number}\n").as_bytes());
        }
        assert_eq!(scanner.last_lines().len(), KEPT);
        assert_eq!(scanner.last_lines().last().unwrap(), "99");
    }

    #[test]
    fn a_status_that_is_no_number_counts_as_none() {
        let mut scanner = Scanner::default();
        scanner.feed(b"weft: exit status 256\n");
        assert_eq!(scanner.findings.exit_status, None);
    }
}
