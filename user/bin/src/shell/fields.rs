//! The line that `read` reads, and its fields.

use alloc::vec::Vec;

/// A line on its way in: its bytes, and whether a backslash protects each.
pub struct Line {
    bytes: Vec<(u8, bool)>,
    raw: bool,
    escaped: bool,
}

impl Line {
    /// In a raw line a backslash is only itself.
    pub fn new(raw: bool) -> Line {
        Line {
            bytes: Vec::new(),
            raw,
            escaped: false,
        }
    }

    /// Adds a byte; true at the end of the line.
    pub fn push(&mut self, byte: u8) -> bool {
        let escaped = core::mem::take(&mut self.escaped);
        match byte {
            // Both go: the line goes on with the next one.
            b'\n' if escaped => {}
            b'\n' => return true,
            b'\\' if !escaped && !self.raw => self.escaped = true,
            // No variable can hold it.
            0 => {}
            _ => self.bytes.push((byte, escaped)),
        }
        false
    }
}

/// The values of `count` variables: a field each, and for the last all that is
/// left. Those without a field are empty.
pub fn assign(line: &Line, separators: &[u8], count: usize) -> Vec<Vec<u8>> {
    let separates = |(byte, escaped): (u8, bool)| !escaped && separators.contains(&byte);
    let blank = |item: (u8, bool)| separates(item) && item.0.is_ascii_whitespace();
    let mut rest = line.bytes.as_slice();
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        while rest.first().is_some_and(|item| blank(*item)) {
            rest = &rest[1..];
        }
        let end = rest.iter().position(|item| separates(*item));
        let (field, mut after) = rest.split_at(end.unwrap_or(rest.len()));
        while after.first().is_some_and(|item| blank(*item)) {
            after = &after[1..];
        }
        if after.first().is_some_and(|item| separates(*item)) {
            after = &after[1..];
        }
        let last = values.len() + 1 == count;
        let mut field = if last && !after.is_empty() {
            rest
        } else {
            field
        };
        while last && field.last().is_some_and(|item| blank(*item)) {
            field = &field[..field.len() - 1];
        }
        values.push(field.iter().map(|(byte, _)| *byte).collect());
        rest = after;
    }
    values
}
