//! Patterns: `*`, `?`, `[…]`, and `\` before a byte that stands for itself;
//! matched against a text, or against the names in folders.

use alloc::vec::Vec;

/// Whether anything in the pattern is more than itself.
pub fn is_pattern(pattern: &[u8]) -> bool {
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' => return true,
            b'[' if bytes.as_slice().contains(&b']') => return true,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    false
}

/// Adds `byte` to a pattern so that it stands for itself.
pub fn push_literal(pattern: &mut Vec<u8>, byte: u8) {
    if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'-' | b'!' | b'^') {
        pattern.push(b'\\');
    }
    pattern.push(byte);
}

/// The text that a pattern without special bytes stands for.
pub fn unescape(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => text.push(*bytes.next().unwrap_or(&byte)),
            _ => text.push(byte),
        }
    }
    text
}

/// Whether the whole text matches. Costs text times pattern, never more: only
/// the last star has to be tried again, as a later one can take any earlier
/// one's part.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Past the last star, and where its part ends for now.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => None,
            Some(_) if t == text.len() => None,
            Some(_) => one(&pattern[p..], text[t]),
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((after, end))) if end < text.len() => {
                star = Some((after, end + 1));
                (p, t) = (after, end + 1);
            }
            _ => return false,
        }
    }
}

/// The length of the pattern's first item if it matches the byte.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern[0] {
        b'?' => Some(1),
        b'[' => match bracket(pattern) {
            Some((length, set)) => set_holds(set, byte).then_some(length),
            None => (byte == b'[').then_some(1),
        },
        b'\\' if pattern.len() > 1 => (pattern[1] == byte).then_some(2),
        plain => (plain == byte).then_some(1),
    }
}

/// The length of a bracket expression, and what stands between its brackets.
fn bracket(pattern: &[u8]) -> Option<(usize, &[u8])> {
    let mut at = 1;
    if matches!(pattern.get(at), Some(b'!' | b'^')) {
        at += 1;
    }
    // A bracket right at the start is one of the set.
    if pattern.get(at) == Some(&b']') {
        at += 1;
    }
    loop {
        match pattern.get(at)? {
            b']' => return Some((at + 1, &pattern[1..at])),
            b'\\' => at += 2,
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let end = pattern[at..].windows(2).position(|two| two == b":]");
                at += end.map_or(1, |end| end + 2);
            }
            _ => at += 1,
        }
    }
}

fn set_holds(set: &[u8], byte: u8) -> bool {
    let (negated, mut set) = match set.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    while let Some((low, rest)) = element(set) {
        set = rest;
        match low {
            Element::Class(class) => found |= class(byte),
            Element::Byte(low) => match set.strip_prefix(b"-").and_then(element) {
                Some((Element::Byte(high), rest)) => {
                    found |= (low..=high).contains(&byte);
                    set = rest;
                }
                _ => found |= low == byte,
            },
        }
    }
    found != negated
}

enum Element {
    Byte(u8),
    Class(fn(u8) -> bool),
}

/// The first element of a set, and the rest of it.
fn element(set: &[u8]) -> Option<(Element, &[u8])> {
    let (&first, rest) = set.split_first()?;
    if let Some(inside) = set.strip_prefix(b"[:")
        && let Some(end) = inside.windows(2).position(|two| two == b":]")
        && let Some(class) = class(&inside[..end])
    {
        return Some((Element::Class(class), &inside[end + 2..]));
    }
    match (first, rest.split_first()) {
        (b'\\', Some((&escaped, rest))) => Some((Element::Byte(escaped), rest)),
        _ => Some((Element::Byte(first), rest)),
    }
}

/// A class of characters by its name, as in `[[:alpha:]]`; also for `tr`.
pub fn class(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alpha" => |b| b.is_ascii_alphabetic(),
        b"digit" => |b| b.is_ascii_digit(),
        b"alnum" => |b| b.is_ascii_alphanumeric(),
        b"upper" => |b| b.is_ascii_uppercase(),
        b"lower" => |b| b.is_ascii_lowercase(),
        b"space" => |b| b.is_ascii_whitespace() || b == 0x0b,
        b"blank" => |b| b == b' ' || b == b'\t',
        b"punct" => |b| b.is_ascii_punctuation(),
        b"print" => |b| b == b' ' || b.is_ascii_graphic(),
        b"graph" => |b| b.is_ascii_graphic(),
        b"cntrl" => |b| b.is_ascii_control(),
        b"xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// The folders that patterns look into.
pub trait Folders {
    /// The names in a folder, in any order, `.` and `..` among them or not.
    fn names(&mut self, folder: &[u8]) -> Vec<Vec<u8>>;
    fn exists(&mut self, path: &[u8]) -> bool;
}

/// All paths that match, sorted; none if none does. A name that begins with a
/// dot is matched only by one that is spelled.
pub fn paths(pattern: &[u8], folders: &mut dyn Folders) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = alloc::vec![Vec::new()];
    let parts: Vec<&[u8]> = pattern.split(|byte| *byte == b'/').collect();
    for (i, part) in parts.iter().enumerate() {
        let last = i + 1 == parts.len();
        let mut longer = Vec::new();
        for base in found {
            if !is_pattern(part) {
                let mut path = base;
                path.extend(unescape(part));
                longer.push(path);
                continue;
            }
            let folder: &[u8] = if base.is_empty() { b"." } else { &base };
            let dots = part.first() == Some(&b'.') || part.starts_with(b"\\.");
            for name in folders.names(folder) {
                let hidden = name.first() == Some(&b'.') && !dots;
                if !hidden && matches(part, &name) {
                    longer.push([base.as_slice(), &name].concat());
                }
            }
        }
        if !last {
            longer.iter_mut().for_each(|path| path.push(b'/'));
        }
        found = longer;
    }
    found.retain(|path| folders.exists(path));
    found.sort_unstable();
    found
}
