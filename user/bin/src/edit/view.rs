//! What the screen shows: lines of text, a line about the file, and one for
//! messages and questions.

use super::buffer::character;
use super::editor::Editor;
use alloc::format;
use alloc::string::String;

/// Columns between the stops of tabs.
const TAB: usize = 8;

/// How a text begins on the screen, and how many bytes and columns that takes
/// where it stands in `column`.
fn shown(text: &[u8], column: usize) -> (char, usize, usize) {
    match text[0] {
        b'\t' => (' ', 1, TAB - column % TAB),
        // Bytes that would tell the terminal something.
        0..0x20 | 0x7f => ('?', 1, 1),
        _ => {
            let length = character(text);
            let valid = core::str::from_utf8(&text[..length]).ok();
            let shown = valid.and_then(|text| text.chars().next());
            let shown = shown.filter(|shown| !shown.is_control());
            (shown.unwrap_or('?'), length, 1)
        }
    }
}

/// The columns that a text takes from the left edge on.
pub fn width(mut text: &[u8]) -> usize {
    let mut column = 0;
    while !text.is_empty() {
        let (_, bytes, columns) = shown(text, column);
        text = &text[bytes..];
        column += columns;
    }
    column
}

/// The byte of a line that is shown in a column, or its end.
pub fn byte_at(line: &[u8], wanted: usize) -> usize {
    let (mut at, mut column) = (0, 0);
    while at < line.len() {
        let (_, bytes, columns) = shown(&line[at..], column);
        if column + columns > wanted {
            break;
        }
        at += bytes;
        column += columns;
    }
    at
}

/// The part of a line from a column on, cut at the screen's edge.
fn part(line: &[u8], left: usize, columns: usize, into: &mut String) {
    let mut rest = line;
    let mut column = 0;
    while !rest.is_empty() && column < left + columns {
        let (shown, bytes, width) = shown(rest, column);
        rest = &rest[bytes..];
        for at in column..column + width {
            if (left..left + columns).contains(&at) {
                into.push(shown);
            }
        }
        column += width;
    }
}

impl Editor {
    /// The screen's size: at least one line of text and the two below it.
    pub fn resize(&mut self, rows: usize, columns: usize) {
        self.rows = rows.max(3) - 2;
        self.columns = columns.max(8);
    }

    /// Bytes for a terminal that draw the whole screen.
    pub fn draw(&mut self) -> String {
        let column = self.scroll();
        let mut frame = String::from("\x1b[?25l\x1b[H");
        for row in 0..self.rows {
            match self.buffer.lines().get(self.top + row) {
                Some(line) => part(line, self.left, self.columns, &mut frame),
                None => frame.push('~'),
            }
            frame.push_str("\x1b[K\r\n");
        }
        let mark = if self.buffer.modified() {
            " (changed)"
        } else {
            ""
        };
        let name = match self.name.as_slice() {
            b"" => "new file".into(),
            name => String::from_utf8_lossy(name),
        };
        let (line, of) = (self.cursor.line + 1, self.buffer.lines().len());
        let status = format!(" {name}{mark}  line {line} of {of}, column {}", column + 1);
        frame.push_str("\x1b[7m");
        part(status.as_bytes(), 0, self.columns, &mut frame);
        frame.push_str("\x1b[K\x1b[m\r\n");
        let (mut row, mut at) = (self.cursor.line - self.top, column - self.left);
        match &self.prompt {
            Some(prompt) => {
                let line = [prompt.question.text().as_bytes(), &prompt.answer].concat();
                let hidden = (width(&line) + 1).saturating_sub(self.columns);
                part(&line, hidden, self.columns, &mut frame);
                (row, at) = (self.rows + 1, width(&line) - hidden);
            }
            None => part(self.message.as_bytes(), 0, self.columns, &mut frame),
        }
        let (row, at) = (row + 1, at + 1);
        frame.push_str(&format!("\x1b[K\x1b[{row};{at}H\x1b[?25h"));
        frame
    }

    /// Moves the window so that the cursor is in it; the cursor's column.
    fn scroll(&mut self) -> usize {
        let line = self.cursor.line;
        self.top = self.top.clamp((line + 1).saturating_sub(self.rows), line);
        let column = width(&self.buffer.line(line)[..self.cursor.column]);
        let least = (column + 1).saturating_sub(self.columns);
        self.left = self.left.clamp(least, column);
        // Back to the edge as soon as that shows the cursor.
        if column + 1 < self.columns {
            self.left = 0;
        }
        column
    }
}
