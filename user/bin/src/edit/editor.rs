//! What keys do.

use super::buffer::{Buffer, Place};
use super::key::Key;
use super::prompt::{Prompt, Question, Step};
use super::view;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the program has to do after a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    None,
    /// Writes the text to the file of that name, then tells by
    /// [`Editor::saved`].
    Save(Vec<u8>),
    Quit,
}

pub struct Editor {
    pub buffer: Buffer,
    pub cursor: Place,
    /// The file; empty if there is none yet.
    pub name: Vec<u8>,
    pub(super) prompt: Option<Prompt>,
    pub message: String,
    /// The first line and column on the screen.
    pub(super) top: usize,
    pub(super) left: usize,
    /// Lines of text on the screen.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// The column of the screen that moving up and down heads for.
    wanted: Option<usize>,
    sought: Vec<u8>,
    cut: Vec<u8>,
    /// The last key cut a line: the next one adds to it.
    cutting: bool,
    /// Leaves when it is saved.
    leaving: bool,
}

impl Editor {
    pub fn new(name: &[u8], text: &[u8]) -> Editor {
        Editor {
            buffer: Buffer::new(text),
            cursor: Place::default(),
            name: name.into(),
            prompt: None,
            message: "^S save  ^Q quit  ^F find  ^G again  ^K cut  ^U paste  ^Z undo  ^Y redo"
                .into(),
            top: 0,
            left: 0,
            rows: 22,
            columns: 80,
            wanted: None,
            sought: Vec::new(),
            cut: Vec::new(),
            cutting: false,
            leaving: false,
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: &Key) -> Action {
        self.message.clear();
        if let Some(prompt) = self.prompt.take() {
            return match prompt.press(key) {
                Step::Open(prompt) => {
                    self.prompt = Some(prompt);
                    Action::None
                }
                Step::Given(question, answer) => self.answered(question, answer),
                Step::Dropped => {
                    self.leaving = false;
                    Action::None
                }
            };
        }
        let cutting = core::mem::take(&mut self.cutting);
        if !matches!(key, Key::Text(_) | Key::Tab) {
            self.buffer.end_change();
        }
        if !matches!(key, Key::Up | Key::Down | Key::PageUp | Key::PageDown) {
            self.wanted = None;
        }
        match key {
            Key::Control(b'S') => return self.save(),
            Key::Control(b'Q') => return self.quit(),
            Key::Control(b'F') => self.prompt = Some(Prompt::new(Question::Find)),
            Key::Control(b'G') => self.find(),
            Key::Control(b'Z') => self.step_back(Buffer::undo, "nothing to undo"),
            Key::Control(b'Y') => self.step_back(Buffer::redo, "nothing to redo"),
            Key::Control(b'K') => self.cut_line(cutting),
            Key::Control(b'U') => self.cursor = self.buffer.insert(self.cursor, &self.cut),
            Key::Text(text) => self.cursor = self.buffer.insert(self.cursor, text),
            Key::Tab => self.cursor = self.buffer.insert(self.cursor, b"\t"),
            Key::Enter => self.cursor = self.buffer.insert(self.cursor, b"\n"),
            Key::Backspace => {
                let before = self.buffer.previous(self.cursor);
                self.buffer.remove(before, self.cursor);
                self.cursor = before;
            }
            Key::Delete | Key::Control(b'D') => {
                let after = self.buffer.next(self.cursor);
                self.buffer.remove(self.cursor, after);
            }
            key => self.travel(key),
        }
        Action::None
    }

    fn travel(&mut self, key: &Key) {
        match key {
            Key::Left => self.cursor = self.buffer.previous(self.cursor),
            Key::Right => self.cursor = self.buffer.next(self.cursor),
            Key::Up => self.go_to_line(self.cursor.line.saturating_sub(1)),
            Key::Down => self.go_to_line(self.cursor.line + 1),
            Key::PageUp => self.go_to_line(self.cursor.line.saturating_sub(self.rows)),
            Key::PageDown => self.go_to_line(self.cursor.line + self.rows),
            Key::Home | Key::Control(b'A') => self.cursor.column = 0,
            Key::End | Key::Control(b'E') => {
                self.cursor.column = self.buffer.line(self.cursor.line).len();
            }
            _ => {}
        }
    }

    /// To another line, as near as it can be to the same column of the screen.
    fn go_to_line(&mut self, line: usize) {
        let here = self.buffer.line(self.cursor.line);
        let wanted = *self
            .wanted
            .get_or_insert_with(|| view::width(&here[..self.cursor.column]));
        let line = line.min(self.buffer.lines().len() - 1);
        let column = view::byte_at(self.buffer.line(line), wanted);
        self.cursor = Place { line, column };
    }

    fn step_back(&mut self, step: fn(&mut Buffer) -> Option<Place>, nothing: &str) {
        match step(&mut self.buffer) {
            Some(place) => self.cursor = place,
            None => self.message = nothing.into(),
        }
    }

    fn cut_line(&mut self, cutting: bool) {
        let from = Place {
            column: 0,
            ..self.cursor
        };
        let end = Place {
            column: self.buffer.line(from.line).len(),
            ..from
        };
        let removed = self.buffer.remove(from, self.buffer.next(end));
        if !cutting {
            self.cut.clear();
        }
        self.cut.extend(removed);
        self.cutting = true;
        self.cursor = from;
    }

    fn find(&mut self) {
        if self.sought.is_empty() {
            self.message = "nothing to find; ^F asks for it".into();
            return;
        }
        match self
            .buffer
            .find(&self.sought, self.buffer.next(self.cursor))
        {
            Some(place) => self.cursor = place,
            None => {
                let text = String::from_utf8_lossy(&self.sought);
                self.message = format!("'{text}' is not in the text");
            }
        }
    }

    fn save(&mut self) -> Action {
        match self.name.is_empty() {
            true => {
                self.prompt = Some(Prompt::new(Question::Name));
                Action::None
            }
            false => Action::Save(self.name.clone()),
        }
    }

    fn quit(&mut self) -> Action {
        match self.buffer.modified() {
            true => {
                self.prompt = Some(Prompt::new(Question::Quit));
                Action::None
            }
            false => Action::Quit,
        }
    }

    fn answered(&mut self, question: Question, answer: Vec<u8>) -> Action {
        match (question, answer.as_slice()) {
            (Question::Quit, b"y") => {
                self.leaving = true;
                return self.save();
            }
            (Question::Quit, _) => return Action::Quit,
            (_, b"") => self.leaving = false,
            (Question::Find, _) => {
                self.sought = answer;
                self.find();
            }
            (Question::Name, _) => return Action::Save(answer),
        }
        Action::None
    }

    /// What became of [`Action::Save`].
    pub fn saved(&mut self, name: &[u8], result: Result<(), String>) -> Action {
        let leaving = core::mem::take(&mut self.leaving);
        let shown = String::from_utf8_lossy(name).into_owned();
        match result {
            Ok(()) => {
                self.name = name.into();
                self.buffer.mark_saved();
                self.message = format!("saved {shown}");
                match leaving {
                    true => Action::Quit,
                    false => Action::None,
                }
            }
            Err(error) => {
                self.message = format!("{shown}: {error}: not saved");
                Action::None
            }
        }
    }
}
