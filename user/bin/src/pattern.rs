//! Matching lines for `grep`: literal bytes, `.` for any byte, `*` for any
//! number of the byte before it, `^` and `$` for the ends, `\` for the next
//! byte as it is.

use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum One {
    Any,
    Byte(u8),
}

#[derive(Clone, Copy, Debug)]
struct Item {
    one: One,
    repeated: bool,
}

/// A pattern, ready to match.
#[derive(Debug)]
pub struct Pattern {
    items: Vec<Item>,
    at_start: bool,
    at_end: bool,
}

impl Pattern {
    pub fn new(text: &[u8]) -> Pattern {
        let (at_start, mut text) = match text.strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut items: Vec<Item> = Vec::new();
        let mut at_end = false;
        while let Some((&byte, rest)) = text.split_first() {
            text = rest;
            let one = match byte {
                b'$' if rest.is_empty() => {
                    at_end = true;
                    break;
                }
                b'*' if !items.is_empty() => {
                    items.last_mut().expect("not empty").repeated = true;
                    continue;
                }
                b'.' => One::Any,
                b'\\' if !rest.is_empty() => {
                    text = &rest[1..];
                    One::Byte(rest[0])
                }
                _ => One::Byte(byte),
            };
            items.push(Item {
                one,
                repeated: false,
            });
        }
        Pattern {
            items,
            at_start,
            at_end,
        }
    }

    /// Whether it occurs in the line. Costs line times pattern, never more.
    pub fn matches(&self, line: &[u8]) -> bool {
        // Which items may come next, one flag each and one for the end: all
        // ways to match are followed at once.
        let mut states = alloc::vec![false; self.items.len() + 1];
        for at in 0..=line.len() {
            if at == 0 || !self.at_start {
                states[0] = true;
            }
            for i in 0..self.items.len() {
                states[i + 1] |= states[i] && self.items[i].repeated;
            }
            if states[self.items.len()] && (!self.at_end || at == line.len()) {
                return true;
            }
            let Some(&byte) = line.get(at) else { break };
            for i in (0..states.len()).rev() {
                let stays = states[i]
                    && self
                        .items
                        .get(i)
                        .is_some_and(|item| item.accepts(byte) && item.repeated);
                let comes = i > 0
                    && states[i - 1]
                    && !self.items[i - 1].repeated
                    && self.items[i - 1].accepts(byte);
                states[i] = stays || comes;
            }
        }
        false
    }
}

impl Item {
    fn accepts(self, byte: u8) -> bool {
        self.one == One::Any || self.one == One::Byte(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, line: &str) -> bool {
        Pattern::new(pattern.as_bytes()).matches(line.as_bytes())
    }

    /// The plain recursive definition, to compare with.
    fn naive(items: &[Item], line: &[u8], at_end: bool) -> bool {
        match items.split_first() {
            None => !at_end || line.is_empty(),
            Some((item, rest)) if item.repeated => {
                naive(rest, line, at_end)
                    || line.first().is_some_and(|b| item.accepts(*b))
                        && naive(items, &line[1..], at_end)
            }
            Some((item, rest)) => {
                line.first().is_some_and(|b| item.accepts(*b)) && naive(rest, &line[1..], at_end)
            }
        }
    }

    #[test]
    fn examples() {
        for (pattern, line, expected) in [
            ("", "", true),
            ("abc", "xabcx", true),
            ("abc", "ab", false),
            ("^a", "ba", false),
            ("a$", "ab", false),
            ("^$", "", true),
            ("^$", "x", false),
            ("a.c", "abc", true),
            ("ab*c", "ac", true),
            ("ab*c", "abbbc", true),
            ("^.*x$", "aaax", true),
            ("a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
            ("\\.", "a", false),
            ("\\.", ".", true),
            ("*a", "*a", true),
            ("a$b", "a$b", true),
        ] {
            assert_eq!(found(pattern, line), expected, "{pattern:?} {line:?}");
        }
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut seed = 3u64;
        let mut next = |limit: usize| {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 33) as usize % limit
        };
        for _ in 0..50_000 {
            let pattern: Vec<u8> = (0..next(7)).map(|_| b"ab.*^$"[next(6)]).collect();
            let line: Vec<u8> = (0..next(7)).map(|_| b"abc"[next(3)]).collect();
            let parsed = Pattern::new(&pattern);
            let starts = if parsed.at_start {
                0..=0
            } else {
                0..=line.len()
            };
            let expected = starts
                .into_iter()
                .any(|i| naive(&parsed.items, &line[i..], parsed.at_end));
            assert_eq!(parsed.matches(&line), expected, "{pattern:?} {line:?}");
        }
    }
}
