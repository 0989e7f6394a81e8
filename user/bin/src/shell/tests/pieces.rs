//! Patterns, arithmetic, conditions, formats, lines and jobs.

use super::Noise;
use crate::shell::arithmetic::{self, Names};
use crate::shell::condition::{self, Files};
use crate::shell::fields::{self, Line};
use crate::shell::format::format as print;
use crate::shell::glob::matches;
use crate::shell::jobs::{Change, Jobs, NoJob, State};
use std::collections::BTreeMap;

#[test]
fn patterns() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
        ("?", "", false),
        ("[a-c]x", "bx", true),
        ("[!a-c]", "b", false),
        ("[]a]", "]", true),
        ("[a-]", "-", true),
        ("[[:digit:]x]", "5", true),
        ("[[:digit:]x]", "y", false),
        ("[a", "[a", true),
        ("\\*", "*", true),
        ("\\*", "x", false),
        ("[\\]]", "]", true),
        ("[z-a]", "m", false),
    ] {
        assert_eq!(
            matches(pattern.as_bytes(), text.as_bytes()),
            expected,
            "{pattern} {text}"
        );
    }
}

/// The plain recursive definition of stars and question marks.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
        Some((b'?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
        Some((byte, rest)) => text.first() == Some(byte) && naive(rest, &text[1..]),
    }
}

#[test]
fn patterns_agree_with_the_definition() {
    let mut noise = Noise(5);
    for _ in 0..40_000 {
        let length = noise.below(7);
        let pattern = noise.text(length, b"ab*?");
        let length = noise.below(8);
        let text = noise.text(length, b"ab");
        assert_eq!(
            matches(&pattern, &text),
            naive(&pattern, &text),
            "{pattern:?} {text:?}"
        );
    }
    for _ in 0..40_000 {
        let pattern = noise.text(8, b"[]!-\\*a:^");
        let _ = matches(&pattern, b"a-]");
    }
}

#[derive(Default)]
struct Table(BTreeMap<Vec<u8>, i64>);

impl Names for Table {
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.0.get(name).map(|value| value.to_string().into())
    }

    fn assign(&mut self, name: &[u8], value: i64) -> bool {
        self.0.insert(name.into(), value);
        name != b"fixed"
    }
}

#[test]
fn arithmetic() {
    let mut table = Table::default();
    table.assign(b"x", 6);
    let mut value = |text: &str| arithmetic::evaluate(text.as_bytes(), &mut table);
    for (text, expected) in [
        ("", 0),
        (" 1 + 2 * 3 ", 7),
        ("(1+2)*3", 9),
        ("10 - 4 - 3", 3),
        ("7 % 4 + 100 / 7 / 2", 10),
        ("-7 / 2", -3),
        ("!0 + !5 + ~0", 0),
        ("- - 3", 3),
        ("0x10 + 010 + 10", 34),
        ("1 << 4 | 3 ^ 1 & 1", 18),
        ("1 < 2 == 1", 1),
        ("3 >= 4 || 2 != 2", 0),
        ("1 && 2", 1),
        ("x", 6),
        ("x*x", 36),
        ("none", 0),
        ("y = z = 4", 4),
        ("y + z", 8),
        ("x += 2, 0".split(',').next().unwrap(), 8),
        ("x <<= 1", 16),
        ("x == 16 ? 10 : 20", 10),
        ("0 ? 1 : 0 ? 2 : 3", 3),
        ("0 && (q = 5)", 0),
        ("q", 0),
        ("1 || 1 / 0", 1),
        ("9223372036854775807 + 1", i64::MIN),
        ("-9223372036854775807 - 1", i64::MIN),
        ("(-9223372036854775807 - 1) / -1", i64::MIN),
        ("1 << 64", 1),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
    for text in [
        "1 +",
        "(1",
        "1)",
        "1 2",
        "*",
        "1 / 0",
        "5 % 0",
        "1 = 2",
        "0x",
        "09",
        "1x",
        "a b",
        "fixed = 1",
        "1 ? 2",
        "99999999999999999999",
    ] {
        assert!(value(text).is_err(), "{text}");
    }
    assert!(value(&"(".repeat(100_000)).is_err());
    assert!(value(&"-".repeat(100_000)).is_err());
    assert!(value(&"1?".repeat(100_000)).is_err());
    let mut noise = Noise(3);
    for _ in 0..40_000 {
        let text = noise.text(9, b"1 0x+-*/%()<>=!&|?:^~a");
        let _ = arithmetic::evaluate(&text, &mut table);
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn is(&mut self, letter: u8, path: &[u8]) -> bool {
        letter == b'f' && path == b"file"
    }

    fn compare(&mut self, _operator: &[u8], a: &[u8], b: &[u8]) -> bool {
        a > b
    }
}

#[test]
fn conditions() {
    let holds = |text: &str| {
        let words: Vec<&[u8]> = match text {
            "" => vec![],
            text => text.split(' ').map(str::as_bytes).collect(),
        };
        condition::evaluate(&words, &mut NoFiles)
    };
    for (text, expected) in [
        ("", false),
        ("x", true),
        ("-n", true),
        ("!", true),
        ("! x", false),
        ("! ! x", true),
        ("-f file", true),
        ("-f other", false),
        ("! -f other", true),
        ("a = a", true),
        ("a != a", false),
        ("= = =", true),
        ("-f = -f", true),
        ("( = (", true),
        ("3 -lt 12", true),
        ("-3 -ge 2", false),
        ("a = a -a b = c", false),
        ("a = b -o c = c", true),
        ("a = a -o b = b -a c = d", true),
        ("( a = b -o c = c ) -a -f file", true),
        ("! ( a = b )", true),
        ("( x )", true),
        ("b -nt a", true),
    ] {
        assert_eq!(holds(text), Ok(expected), "{text}");
    }
    for text in [
        "1 -eq x",
        "a b",
        "a b c",
        "( a = b",
        "a = b c d e",
        "1 -lt 99999999999999999999",
    ] {
        assert!(holds(text).is_err(), "{text}");
    }
}

#[test]
fn formats() {
    let check = |form: &str, arguments: &[&str], expected: &str| {
        let arguments: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
        let (text, error) = print(form.as_bytes(), &arguments);
        assert_eq!(String::from_utf8_lossy(&text), expected, "{form}");
        error.is_none()
    };
    assert!(check("a\\n\\t\\\\%%\\101", &[], "a\n\t\\%A"));
    assert!(check("%s-%s\\n", &["a", "b", "c"], "a-b\nc-\n"));
    assert!(check(
        "%5s|%-5s|%.2s|%05d|%+d",
        &["ab", "cd", "efg", "42", "7"],
        "   ab|cd   |ef|00042|+7"
    ));
    assert!(check(
        "%x %X %o %u %c %i",
        &["255", "255", "8", "3", "xyz", "-4"],
        "ff FF 10 3 x -4"
    ));
    assert!(check(
        "%#x %.3d %05d",
        &["16", "5", "-42"],
        "0x10 005 -0042"
    ));
    assert!(check("%d %d", &["0x1f", "'a"], "31 97"));
    assert!(check("%b|%s", &["a\\tb\\0101", "c\\t"], "a\tbA|c\\t"));
    assert!(check("%b%s", &["a\\cb", "never"], "a"));
    assert!(check("x\\cy", &[], "x"));
    assert!(check("%*d", &["4", "7"], "   7"));
    assert!(check("no directives\\n", &["a", "b"], "no directives\n"));
    assert!(check("%d", &[], "0"));
    assert!(!check("%d\\n", &["12x"], "12\n"));
    assert!(!check("%z", &["1"], ""));
    assert!(!check("%", &[], ""));
    let (text, _) = print(b"%99999999999999s", &[b"x"]);
    assert_eq!(text.len(), 4096);
    let mut noise = Noise(9);
    for _ in 0..20_000 {
        let form = noise.text(8, b"%sdxbc5.*-0\\n1");
        let _ = print(&form, &[b"-7", b"a\\0", b"999999999999999999999"]);
    }
}

#[test]
fn lines_of_read() {
    let read = |text: &str, raw, separators: &str, count| {
        let mut line = Line::new(raw);
        let _ = text.bytes().any(|byte| line.push(byte));
        let values = fields::assign(&line, separators.as_bytes(), count);
        values
            .into_iter()
            .map(|value| String::from_utf8(value).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(read("  a b  c d \n", false, " ", 2), ["a", "b  c d"]);
    assert_eq!(read(" a \n", false, " ", 1), ["a"]);
    assert_eq!(read("a\n", false, " ", 3), ["a", "", ""]);
    assert_eq!(read("a\\ b c\n", false, " ", 2), ["a b", "c"]);
    assert_eq!(read("a\\\nb\nc", false, " ", 1), ["ab"]);
    assert_eq!(read("a\\nb\n", true, " ", 1), ["a\\nb"]);
    assert_eq!(read("a:b:c\n", false, ":", 2), ["a", "b:c"]);
    assert_eq!(read("a::c\n", false, ":", 3), ["a", "", "c"]);
    assert_eq!(read("a:\n", false, ":", 1), ["a"]);
    assert_eq!(read(" a b \n", false, "", 1), [" a b "]);
}

#[test]
fn status_words() {
    assert_eq!(Change::from_status(3 << 8), Change::Exited(3));
    assert_eq!(Change::from_status(9), Change::Signaled(9));
    assert_eq!(Change::from_status(0x80 | 11), Change::Signaled(11));
    assert_eq!(Change::from_status(20 << 8 | 0x7f), Change::Stopped(20));
    assert_eq!(Change::from_status(0xffff), Change::Continued);
}

#[test]
fn jobs() {
    let mut jobs = Jobs::default();
    assert_eq!(jobs.find(None), Err(NoJob::None));
    assert_eq!(jobs.add(10, &[10, 11], b"a | b"), 1);
    assert_eq!(jobs.add(20, &[20], b"sleep 5"), 2);
    assert_eq!(jobs.find(None), Ok(2));
    assert_eq!(jobs.find(Some(b"%-")), Ok(1));
    assert_eq!(jobs.find(Some(b"%1")), Ok(1));
    assert_eq!(jobs.find(Some(b"%sl")), Ok(2));
    assert!(matches!(jobs.find(Some(b"%7")), Err(NoJob::Unknown(_))));
    assert!(matches!(jobs.find(Some(b"%x")), Err(NoJob::Unknown(_))));
    // Stopped only when no process of it runs.
    jobs.note(11, Change::Stopped(20));
    assert_eq!(jobs.get(1).unwrap().state(), State::Running);
    jobs.note(10, Change::Stopped(20));
    assert_eq!(jobs.get(1).unwrap().code(), 148);
    assert_eq!(jobs.find(Some(b"%+")), Ok(1));
    let job = jobs.get(1).unwrap().clone();
    assert_eq!(jobs.line(&job), "[1]+  Stopped     a | b");
    jobs.get(1).unwrap().resume();
    assert_eq!(jobs.get(1).unwrap().state(), State::Running);
    // The status is the last process's, whichever ends first.
    jobs.note(11, Change::Exited(3));
    jobs.note(10, Change::Exited(0));
    assert_eq!(jobs.get(1).unwrap().code(), 3);
    assert!(jobs.get(1).unwrap().changed);
    jobs.remove(1);
    assert_eq!(jobs.find(Some(b"%-")), Ok(2));
    assert_eq!(jobs.add(30, &[30], b"sleep 6"), 3);
    assert!(matches!(
        jobs.find(Some(b"%sleep")),
        Err(NoJob::Ambiguous(_))
    ));
    jobs.note(99, Change::Exited(1));
}
