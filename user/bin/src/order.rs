//! The order that `sort` puts lines in.

use alloc::vec::Vec;
use core::cmp::Ordering;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// By the number that each begins with.
    pub numeric: bool,
    pub reverse: bool,
    pub fold_case: bool,
    /// What is between fields; blanks if not given.
    pub separator: Option<u8>,
    pub keys: Vec<Key>,
}

/// Fields to compare by, the first counted as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub first: usize,
    /// The last one, or all that follow.
    pub last: Option<usize>,
    pub numeric: bool,
    pub reverse: bool,
}

impl Key {
    /// `FIRST[,LAST][n][r]`, the letters after either number.
    pub fn parse(text: &str) -> Option<Key> {
        let plain = text.trim_end_matches(['n', 'r']);
        let mut letters = text[plain.len()..].chars().collect::<Vec<_>>();
        let (first, last) = match plain.split_once(',') {
            None => (plain, None),
            Some((first, last)) => (first, Some(last.parse().ok()?)),
        };
        let number = first.trim_end_matches(['n', 'r']);
        letters.extend(first[number.len()..].chars());
        let first = number.parse().ok().filter(|first| *first > 0)?;
        Some(Key {
            first,
            last,
            numeric: letters.contains(&'n'),
            reverse: letters.contains(&'r'),
        })
    }
}

impl Order {
    /// By the keys; lines that are equal by them, byte by byte.
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let last = match self.reverse {
            true => b.cmp(a),
            false => a.cmp(b),
        };
        self.compare_keys(a, b).then(last)
    }

    /// By the keys alone.
    pub fn compare_keys(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            return self.compare_texts(a, b, self.numeric, self.reverse);
        }
        self.keys.iter().fold(Ordering::Equal, |order, key| {
            order.then_with(|| {
                let (a, b) = (self.part(a, key), self.part(b, key));
                // A key without letters of its own has the general ones.
                match key.numeric || key.reverse {
                    true => self.compare_texts(a, b, key.numeric, key.reverse),
                    false => self.compare_texts(a, b, self.numeric, self.reverse),
                }
            })
        })
    }

    fn compare_texts(&self, a: &[u8], b: &[u8], numeric: bool, reverse: bool) -> Ordering {
        let order = match (numeric, self.fold_case) {
            (true, _) => compare_numbers(a, b),
            (false, false) => a.cmp(b),
            (false, true) => {
                let fold = |text: &[u8]| text.to_ascii_uppercase();
                fold(a).cmp(&fold(b))
            }
        };
        match reverse {
            true => order.reverse(),
            false => order,
        }
    }

    fn part<'l>(&self, line: &'l [u8], key: &Key) -> &'l [u8] {
        let start = self.field_end(line, key.first - 1);
        let end = key
            .last
            .map_or(line.len(), |last| self.field_end(line, last));
        let part = &line[start..end.max(start)];
        match self.separator {
            Some(separator) if start > 0 => part.strip_prefix(&[separator]).unwrap_or(part),
            _ => part,
        }
    }

    /// Where the field of a number ends; field 0 ends at the start. Blanks
    /// before a field are part of it.
    fn field_end(&self, line: &[u8], number: usize) -> usize {
        let mut at = 0;
        for field in 0..number {
            let rest = &line[at..];
            at += match self.separator {
                Some(separator) => {
                    let skip = usize::from(field > 0).min(rest.len());
                    let end = rest[skip..].iter().position(|byte| *byte == separator);
                    end.map_or(rest.len(), |end| end + skip)
                }
                None => {
                    let blank = |byte: &u8| byte.is_ascii_whitespace();
                    let skip = rest.iter().take_while(|byte| blank(byte)).count();
                    let end = rest[skip..].iter().position(blank);
                    end.map_or(rest.len(), |end| end + skip)
                }
            };
        }
        at
    }
}

/// A number's sign, the digits of its whole part without leading zeroes, and
/// of its fraction without trailing ones.
fn number(text: &[u8]) -> (bool, &[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits(text));
    let fraction = match rest {
        [b'.', rest @ ..] => &rest[..digits(rest)],
        _ => &[],
    };
    let zeroes = whole.iter().take_while(|digit| **digit == b'0').count();
    let end = fraction.iter().rposition(|digit| *digit != b'0');
    let (whole, fraction) = (&whole[zeroes..], &fraction[..end.map_or(0, |end| end + 1)]);
    let zero = whole.is_empty() && fraction.is_empty();
    (negative && !zero, whole, fraction)
}

/// Numbers of any length; what is none counts as 0.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (number(a), number(b));
    let size = || {
        (a.1.len().cmp(&b.1.len()))
            .then(a.1.cmp(b.1))
            .then(a.2.cmp(b.2))
    };
    match (a.0, b.0) {
        (false, false) => size(),
        (true, true) => size().reverse(),
        (negative, _) if negative => Ordering::Less,
        _ => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<'a>(order: &Order, lines: &[&'a str]) -> Vec<&'a str> {
        let mut lines = lines.to_vec();
        lines.sort_by(|a, b| order.compare(a.as_bytes(), b.as_bytes()));
        lines
    }

    #[test]
    fn numbers() {
        let order = Order {
            numeric: true,
            ..Order::default()
        };
        let lines = ["10", "9", "x", "-3", "-20", " 9.5", "0100", "9.25", "-0"];
        let expected = ["-20", "-3", "-0", "x", "9", "9.25", " 9.5", "10", "0100"];
        assert_eq!(sorted(&order, &lines), expected);
        let long = "123456789012345678901234567890";
        assert_eq!(sorted(&order, &[long, "2"]), ["2", long]);
    }

    #[test]
    fn keys() {
        let by = |keys: &str, separator| Order {
            separator,
            keys: keys
                .split(' ')
                .map(|key| Key::parse(key).unwrap())
                .collect(),
            ..Order::default()
        };
        let lines = ["a 10", "b 9", "c 9"];
        assert_eq!(sorted(&by("2n", None), &lines), ["b 9", "c 9", "a 10"]);
        assert_eq!(sorted(&by("2nr", None), &lines), ["a 10", "b 9", "c 9"]);
        assert_eq!(sorted(&by("2,2n 1r", None), &lines), ["c 9", "b 9", "a 10"]);
        let lines = ["x:b:1", "y:a:2", "z"];
        let by_second = by("2,2", Some(b':'));
        assert_eq!(sorted(&by_second, &lines), ["z", "y:a:2", "x:b:1"]);
        for wrong in ["", "0", "x", "1,", "1,x", "n"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn case_and_reverse() {
        let mut order = Order {
            fold_case: true,
            ..Order::default()
        };
        assert_eq!(sorted(&order, &["b", "A", "a", "B"]), ["A", "a", "B", "b"]);
        order.reverse = true;
        assert_eq!(sorted(&order, &["a", "b"]), ["b", "a"]);
    }
}
