//! The results, as they come in and in sum.

use std::time::Duration;

/// The result of one run of tests.
#[derive(Debug, Default)]
pub struct Row {
    pub name: String,
    pub passed: usize,
    /// The names of the tests that failed.
    pub failures: Vec<String>,
    /// What to read about a failure.
    pub detail: String,
    /// The detail is worth reading about a success too.
    pub always: bool,
    pub time: Duration,
}

impl Row {
    /// A run that could not be made.
    pub fn broken(name: &str, why: &str) -> Row {
        Row {
            name: name.to_owned(),
            failures: vec!["the run itself".to_owned()],
            detail: why.to_owned(),
            ..Row::default()
        }
    }

    /// Counts one test: what is wrong, if anything is.
    pub fn note(&mut self, name: &str, problem: Option<String>) {
        match problem {
            None => self.passed += 1,
            Some(problem) => {
                self.failures.push(name.to_owned());
                self.detail += &format!("{name}: {problem}\n");
            }
        }
    }
}

/// All results.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Takes a result and prints it.
    pub fn add(&mut self, row: Row) {
        let time = match row.time.as_secs_f64() {
            0.0 => String::new(),
            seconds => format!(" in {seconds:.1} s"),
        };
        let (passed, failed) = (row.passed, row.failures.len());
        println!("{}: {passed} passed, {failed} failed{time}", row.name);
        if failed > 0 || row.always {
            for line in row.detail.lines() {
                println!("    {line}");
            }
        }
        self.rows.push(row);
    }

    pub fn all_passed(&self) -> bool {
        self.rows.iter().all(|row| row.failures.is_empty())
    }

    /// Prints what failed, and the sum as the last line, alone.
    pub fn summary(&self, time: Duration) {
        println!("\nall tests, in {:.0} s:", time.as_secs_f64());
        for row in &self.rows {
            for failure in &row.failures {
                println!("  FAILED {}: {failure}", row.name);
            }
        }
        println!("{}", self.sum());
    }

    fn sum(&self) -> String {
        let passed: usize = self.rows.iter().map(|row| row.passed).sum();
        let failed: usize = self.rows.iter().map(|row| row.failures.len()).sum();
        format!("{passed} passed, {failed} failed")
    }
}

/// What the output of a test program says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Results {
    pub passed: usize,
    pub failures: Vec<String>,
    /// The counts that the program itself gave at its end.
    pub closing: Option<(usize, usize)>,
}

/// Reads lines of the form `test NAME ... ok` and the closing `N passed, N failed`;
/// those of cargo's test programs too, whose closing line begins with "test result:".
pub fn read(output: &str) -> Results {
    let mut results = Results::default();
    for line in output.lines().map(str::trim_end) {
        if let Some((name, verdict)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            match verdict {
                "ok" => results.passed += 1,
                "FAILED" => results.failures.push(name.to_owned()),
                // Ignored tests, and what a test printed, count for nothing.
                _ => {}
            }
        } else if let Some(counts) = closing(line) {
            let (passed, failed) = results.closing.unwrap_or_default();
            results.closing = Some((passed + counts.0, failed + counts.1));
        }
    }
    results
}

/// "3 passed, 0 failed" and "test result: ok. 3 passed; 0 failed; …" as (3, 0).
fn closing(line: &str) -> Option<(usize, usize)> {
    let counts = line.strip_prefix("test result: ").map_or(line, |rest| {
        rest.split_once(". ").map_or("", |(_, counts)| counts)
    });
    let mut parts = counts.split([',', ';']).map(str::trim);
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_output_is_read() {
        let results =
            read("hello\r\ntest join order ... ok\r\ntest exit ... FAILED\n1 passed, 1 failed\n");
        let expected = Results {
            passed: 1,
            failures: vec!["exit".into()],
            closing: Some((1, 1)),
        };
        assert_eq!(results, expected);
    }

    #[test]
    fn cargo_output_is_read_and_summed() {
        let run = "running 2 tests\ntest a::b ... ok\ntest c ... ignored\n\n\
                   test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
        let results = read(&format!("{run}{run}"));
        assert_eq!((results.passed, results.closing), (2, Some((2, 0))));
    }

    #[test]
    fn a_program_that_broke_off_has_no_closing() {
        assert_eq!(read("test a ... ok\n").closing, None);
        assert_eq!(closing("3 passed"), None);
        assert_eq!(closing("no passed, 0 failed"), None);
    }

    #[test]
    fn the_sum_counts_everything() {
        let mut report = Report::default();
        report.add(Row {
            passed: 2,
            ..Row::default()
        });
        report.add(Row::broken("x", "why"));
        assert_eq!(report.sum(), "2 passed, 1 failed");
        assert!(!report.all_passed());
    }
}
