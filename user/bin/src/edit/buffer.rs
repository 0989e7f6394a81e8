//! A text as lines of bytes, with every change on record.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Before a byte of a line, or behind its last one; a place is never inside a
/// character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// What stood at a place, and what stands there now.
#[derive(Clone, Debug)]
struct Change {
    at: Place,
    removed: Vec<u8>,
    inserted: Vec<u8>,
}

pub struct Buffer {
    /// Without their newlines; at least one.
    lines: Vec<Vec<u8>>,
    done: Vec<Change>,
    undone: Vec<Change>,
    /// How many changes were done when the text was saved; `None` if there is
    /// no way back there.
    saved: Option<usize>,
    /// The next insertion may become part of the last change.
    joining: bool,
}

impl Buffer {
    /// A last line without a newline is given one when saved.
    pub fn new(text: &[u8]) -> Buffer {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        Buffer {
            lines: text.split(|byte| *byte == b'\n').map(Into::into).collect(),
            done: Vec::new(),
            undone: Vec::new(),
            saved: Some(0),
            joining: false,
        }
    }

    /// As a file holds it; an empty text is an empty file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.lines.join(&b'\n');
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    }

    pub fn lines(&self) -> &[Vec<u8>] {
        &self.lines
    }

    pub fn line(&self, number: usize) -> &[u8] {
        self.lines.get(number).map_or(b"", Vec::as_slice)
    }

    pub fn modified(&self) -> bool {
        self.saved != Some(self.done.len())
    }

    pub fn mark_saved(&mut self) {
        self.saved = Some(self.done.len());
        self.joining = false;
    }

    /// The next change is one of its own.
    pub fn end_change(&mut self) {
        self.joining = false;
    }

    /// The place behind everything.
    pub fn end(&self) -> Place {
        let line = self.lines.len() - 1;
        Place {
            line,
            column: self.line(line).len(),
        }
    }

    /// The place one character on.
    pub fn next(&self, place: Place) -> Place {
        let line = self.line(place.line);
        if place.column < line.len() {
            let column = place.column + character(&line[place.column..]);
            return Place { column, ..place };
        }
        match place.line + 1 < self.lines.len() {
            true => Place {
                line: place.line + 1,
                column: 0,
            },
            false => place,
        }
    }

    /// The place one character back.
    pub fn previous(&self, place: Place) -> Place {
        if place.column > 0 {
            let line = self.line(place.line);
            let mut column = 0;
            loop {
                let next = column + character(&line[column..]);
                if next >= place.column {
                    return Place { column, ..place };
                }
                column = next;
            }
        }
        match place.line.checked_sub(1) {
            Some(line) => Place {
                line,
                column: self.line(line).len(),
            },
            None => place,
        }
    }

    /// Inserts text; the place behind it.
    pub fn insert(&mut self, at: Place, text: &[u8]) -> Place {
        let joins = self.joining && !text.contains(&b'\n');
        let end = self.replace(at, at, text);
        let count = self.done.len();
        if let [.., before, last] = self.done.as_mut_slice()
            && joins
            && self.saved != Some(count - 1)
            && behind(before.at, &before.inserted) == last.at
        {
            before.inserted.append(&mut last.inserted);
            self.done.pop();
        }
        self.joining = !text.contains(&b'\n');
        end
    }

    /// Removes what is between two places; what that was.
    pub fn remove(&mut self, from: Place, to: Place) -> Vec<u8> {
        self.joining = false;
        if from == to {
            return Vec::new();
        }
        self.replace(from, to, b"");
        self.done
            .last()
            .map(|change| change.removed.clone())
            .unwrap_or_default()
    }

    /// Takes the last change back; where it was.
    pub fn undo(&mut self) -> Option<Place> {
        let change = self.done.pop()?;
        let end = behind(change.at, &change.inserted);
        self.splice(change.at, end, &change.removed);
        let place = behind(change.at, &change.removed);
        self.undone.push(change);
        self.joining = false;
        Some(place)
    }

    /// Does again what was taken back.
    pub fn redo(&mut self) -> Option<Place> {
        let change = self.undone.pop()?;
        let end = behind(change.at, &change.removed);
        let place = self.splice(change.at, end, &change.inserted).1;
        self.done.push(change);
        self.joining = false;
        Some(place)
    }

    fn replace(&mut self, from: Place, to: Place, text: &[u8]) -> Place {
        if self.saved.is_some_and(|saved| saved > self.done.len()) {
            self.saved = None;
        }
        self.undone.clear();
        let (removed, end) = self.splice(from, to, text);
        self.done.push(Change {
            at: from,
            removed,
            inserted: text.into(),
        });
        end
    }

    /// Puts text in place of other text, which is given back with the place
    /// behind the new one.
    fn splice(&mut self, from: Place, to: Place, text: &[u8]) -> (Vec<u8>, Place) {
        let first = &self.lines[from.line];
        let mut new = first[..from.column].to_vec();
        new.extend_from_slice(text);
        let rest = &self.lines[to.line][to.column..];
        new.extend_from_slice(rest);
        let new: Vec<Vec<u8>> = new.split(|byte| *byte == b'\n').map(Into::into).collect();
        let old: Vec<Vec<u8>> = self.lines.splice(from.line..=to.line, new).collect();
        let mut removed = old.join(&b'\n');
        let after = old.last().map_or(0, Vec::len) - to.column;
        removed.truncate(removed.len() - after);
        removed.drain(..from.column);
        (removed, behind(from, text))
    }

    /// The first place of a text at or behind `from`, else from the start on.
    pub fn find(&self, wanted: &[u8], from: Place) -> Option<Place> {
        if wanted.is_empty() {
            return None;
        }
        let count = self.lines.len();
        for step in 0..=count {
            let line = (from.line + step) % count;
            let start = if step == 0 { from.column } else { 0 };
            let text = self.line(line);
            let rest = text.get(start..).unwrap_or(b"");
            let found = rest
                .windows(wanted.len())
                .position(|part| part == wanted)
                .map(|at| Place {
                    line,
                    column: start + at,
                });
            // A line that was left before its end comes again at last.
            let past = step == count && found.is_some_and(|at| at.cmp(&from) != Ordering::Less);
            if found.is_some() && !past {
                return found;
            }
        }
        None
    }
}

/// The place behind a text that begins at a place.
fn behind(at: Place, text: &[u8]) -> Place {
    match text.iter().rposition(|byte| *byte == b'\n') {
        None => Place {
            column: at.column + text.len(),
            ..at
        },
        Some(last) => Place {
            line: at.line + text.iter().filter(|byte| **byte == b'\n').count(),
            column: text.len() - last - 1,
        },
    }
}

/// The bytes of the first character; a byte that begins none counts as one.
pub fn character(text: &[u8]) -> usize {
    let head = &text[..text.len().min(4)];
    let chunk = head.utf8_chunks().next();
    let first = chunk.and_then(|chunk| chunk.valid().chars().next());
    first.map_or(1, char::len_utf8)
}
