//! The line at the bottom where the editor asks for something.

use super::key::Key;
use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Find,
    /// The name to save under.
    Name,
    /// Changes would be lost.
    Quit,
}

impl Question {
    pub fn text(self) -> &'static str {
        match self {
            Question::Find => "Find: ",
            Question::Name => "Save as: ",
            Question::Quit => "Save the changes first? y, n, or ESC to go on: ",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Prompt {
    pub question: Question,
    pub answer: Vec<u8>,
}

/// What became of a prompt.
pub enum Step {
    Open(Prompt),
    Given(Question, Vec<u8>),
    Dropped,
}

impl Prompt {
    pub fn new(question: Question) -> Prompt {
        Prompt {
            question,
            answer: Vec::new(),
        }
    }

    pub fn press(mut self, key: &Key) -> Step {
        match key {
            Key::Escape | Key::Control(b'C') => return Step::Dropped,
            Key::Text(answer) if self.question == Question::Quit => {
                return match answer.as_slice() {
                    b"y" | b"Y" | b"n" | b"N" => {
                        Step::Given(self.question, answer.to_ascii_lowercase())
                    }
                    _ => Step::Open(self),
                };
            }
            Key::Enter if self.question != Question::Quit => {
                return Step::Given(self.question, self.answer);
            }
            Key::Text(text) => self.answer.extend_from_slice(text),
            Key::Backspace => {
                let text = &self.answer;
                let last = (0..text.len()).rev().find(|at| text[*at] & 0xc0 != 0x80);
                self.answer.truncate(last.unwrap_or(0));
            }
            _ => {}
        }
        Step::Open(self)
    }
}
