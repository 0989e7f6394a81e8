//! From words to fields: parameters, commands, arithmetic, then splitting at
//! IFS, then the names that patterns match.
//!
//! A field is built as a pattern in which every byte that stands for itself is
//! escaped (see [`glob`]), so that quotes need no second record.

use super::arithmetic;
use super::glob;
use super::tree::*;
use super::variables::ReadOnly;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What words are expanded in: the shell, or a test.
pub trait Context: glob::Folders {
    /// A variable, or a special parameter that is one value.
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>>;
    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), ReadOnly>;
    fn positional(&self) -> &[Vec<u8>];
    /// Runs commands; what they print.
    fn output_of(&mut self, list: &List) -> Vec<u8>;
    /// `set -u`: an unset parameter is an error.
    fn unset_is_error(&self) -> bool;
    /// `set -f`: patterns are left as they are.
    fn patterns_off(&self) -> bool;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// `${name?message}`, or an unset name under `set -u`.
    Unset(Vec<u8>, Vec<u8>),
    ReadOnly(Vec<u8>),
    CannotAssign(Vec<u8>),
    Arithmetic(arithmetic::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        match self {
            Error::Unset(name, message) => write!(f, "{}: {}", text(name), text(message)),
            Error::ReadOnly(name) => write!(f, "{}: is read only", text(name)),
            Error::CannotAssign(name) => write!(f, "${}: cannot be assigned", text(name)),
            Error::Arithmetic(error) => error.fmt(f),
        }
    }
}

/// All fields of the words.
pub fn fields(words: &[Word], context: &mut dyn Context) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = Vec::new();
    for word in words {
        let mut expander = Expander::new(context, true);
        expander.word(word, Mode::Top)?;
        for pattern in expander.finish() {
            let found = match glob::is_pattern(&pattern) && !context.patterns_off() {
                true => glob::paths(&pattern, context),
                false => Vec::new(),
            };
            if found.is_empty() {
                all.push(glob::unescape(&pattern));
            } else {
                all.extend(found);
            }
        }
    }
    Ok(all)
}

/// The word as one field: nothing is split, no names are looked up.
pub fn single(word: &Word, context: &mut dyn Context) -> Result<Vec<u8>, Error> {
    pattern(word, context).map(|pattern| glob::unescape(&pattern))
}

/// The word as a pattern, with what is quoted in it escaped.
pub fn pattern(word: &Word, context: &mut dyn Context) -> Result<Vec<u8>, Error> {
    let mut expander = Expander::new(context, false);
    expander.word(word, Mode::Top)?;
    Ok(expander.finish().concat())
}

/// Where a piece of text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// In the word itself: text makes no new fields.
    Top,
    /// In the word of `${name-word}`: text is split as a value is.
    Inner,
}

struct Expander<'a> {
    context: &'a mut dyn Context,
    split: bool,
    separators: Vec<u8>,
    done: Vec<Vec<u8>>,
    current: Option<Vec<u8>>,
    /// A blank ended the last field: a separator right after belongs to it.
    after_blank: bool,
}

impl<'a> Expander<'a> {
    fn new(context: &'a mut dyn Context, split: bool) -> Expander<'a> {
        let separators = context.value(b"IFS").unwrap_or(b" \t\n".into());
        Expander {
            context,
            split,
            separators,
            done: Vec::new(),
            current: None,
            after_blank: false,
        }
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.end_field();
        self.done
    }

    fn end_field(&mut self) {
        self.done.extend(self.current.take());
    }

    fn field(&mut self) -> &mut Vec<u8> {
        self.after_blank = false;
        self.current.get_or_insert_default()
    }

    fn push_quoted(&mut self, bytes: &[u8]) {
        let field = self.field();
        bytes.iter().for_each(|&b| glob::push_literal(field, b));
    }

    /// Text whose patterns are active; a backslash in it is one.
    fn push_text(&mut self, bytes: &[u8]) {
        let field = self.field();
        for &byte in bytes {
            if byte == b'\\' {
                field.push(b'\\');
            }
            field.push(byte);
        }
    }

    /// A value outside quotes.
    fn push_value(&mut self, bytes: &[u8]) {
        if !self.split {
            if !bytes.is_empty() {
                self.push_text(bytes);
            }
            return;
        }
        for &byte in bytes {
            if !self.separators.contains(&byte) {
                self.push_text(&[byte]);
            } else if byte.is_ascii_whitespace() {
                self.after_blank |= self.current.is_some();
                self.end_field();
            } else if self.after_blank {
                self.after_blank = false;
            } else {
                self.field();
                self.end_field();
            }
        }
    }

    fn word(&mut self, word: &Word, mode: Mode) -> Result<(), Error> {
        let pieces = self.tilde(word);
        for piece in pieces {
            self.piece(piece, mode)?;
        }
        Ok(())
    }

    /// `~` and `~/…` begin with the home folder; what is left of the word.
    fn tilde<'w>(&mut self, word: &'w Word) -> &'w [Piece] {
        let Some(Piece::Text(text)) = word.0.first() else {
            return &word.0;
        };
        let alone = text == b"~" && word.0.len() == 1;
        if !alone && !text.starts_with(b"~/") {
            return &word.0;
        }
        match self.context.value(b"HOME") {
            Some(home) => {
                self.push_quoted(&home);
                self.push_text(&text[1..]);
                &word.0[1..]
            }
            None => &word.0,
        }
    }

    fn piece(&mut self, piece: &Piece, mode: Mode) -> Result<(), Error> {
        match piece {
            Piece::Text(text) if mode == Mode::Inner => self.push_value(text),
            Piece::Text(text) => self.push_text(text),
            Piece::Quoted(text) => self.push_quoted(text),
            Piece::Parameter { parameter, quoted } => self.parameter(parameter, *quoted)?,
            Piece::Command { list, quoted } => {
                let mut output = self.context.output_of(list);
                while output.pop_if(|last| *last == b'\n').is_some() {}
                // No argument can hold a zero byte.
                output.retain(|byte| *byte != 0);
                self.push(&output, *quoted);
            }
            Piece::Arithmetic { expression, quoted } => {
                let text = single(expression, self.context)?;
                let value = arithmetic::evaluate(&text, &mut Numbers(self.context));
                let value = value.map_err(Error::Arithmetic)?;
                self.push(alloc::format!("{value}").as_bytes(), *quoted);
            }
        }
        Ok(())
    }

    fn push(&mut self, value: &[u8], quoted: bool) {
        match quoted {
            true => self.push_quoted(value),
            false => self.push_value(value),
        }
    }

    fn parameter(&mut self, parameter: &Parameter, quoted: bool) -> Result<(), Error> {
        let name = parameter.name.as_slice();
        let all = matches!(name, b"@" | b"*");
        match &parameter.operation {
            Operation::Value if all => self.all(name == b"@", quoted),
            Operation::Value => {
                let value = self.known(name)?;
                self.push(&value, quoted);
            }
            Operation::Length => {
                let length = match all {
                    true => self.context.positional().len(),
                    false => self.known(name)?.len(),
                };
                self.push(alloc::format!("{length}").as_bytes(), quoted);
            }
            Operation::Alternative {
                action,
                colon,
                word,
            } => self.alternative(name, *action, *colon, word, quoted)?,
            Operation::Trim {
                suffix,
                longest,
                pattern: word,
            } => {
                let value = match all {
                    true => self.joined(b' '),
                    false => self.known(name)?,
                };
                let pattern = pattern(word, self.context)?;
                self.push(trim(&value, &pattern, *suffix, *longest), quoted);
            }
        }
        Ok(())
    }

    /// The value of a parameter; an unset one is empty, unless that is an error.
    fn known(&mut self, name: &[u8]) -> Result<Vec<u8>, Error> {
        match self.context.value(name) {
            Some(value) => Ok(value),
            None if self.context.unset_is_error() => {
                Err(Error::Unset(name.into(), b"parameter not set".into()))
            }
            None => Ok(Vec::new()),
        }
    }

    fn joined(&self, separator: u8) -> Vec<u8> {
        self.context.positional().join(&separator)
    }

    /// `$@` and `$*`.
    fn all(&mut self, at: bool, quoted: bool) {
        if quoted && (!at || !self.split) {
            let joined = match (at, self.separators.first()) {
                (true, _) => self.joined(b' '),
                (false, Some(&separator)) => self.joined(separator),
                (false, None) => self.context.positional().concat(),
            };
            return self.push_quoted(&joined);
        }
        if !self.split {
            let joined = self.joined(b' ');
            return self.push_value(&joined);
        }
        let values = self.context.positional().to_vec();
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                self.end_field();
            }
            self.push(value, quoted);
        }
    }

    fn alternative(
        &mut self,
        name: &[u8],
        action: Action,
        colon: bool,
        word: &Word,
        quoted: bool,
    ) -> Result<(), Error> {
        let all = matches!(name, b"@" | b"*");
        let value = match all {
            true => (!self.context.positional().is_empty()).then(|| self.joined(b' ')),
            false => self.context.value(name),
        };
        let value = value.filter(|value| !colon || !value.is_empty());
        match (action, value) {
            (Action::Replace, Some(_)) | (Action::Default, None) => {
                if quoted && word.0.is_empty() {
                    self.push_quoted(b"");
                }
                self.word(word, Mode::Inner)
            }
            (Action::Replace, None) => {
                if quoted {
                    self.push_quoted(b"");
                }
                Ok(())
            }
            (_, Some(_)) if all => {
                self.all(name == b"@", quoted);
                Ok(())
            }
            (_, Some(value)) => {
                self.push(&value, quoted);
                Ok(())
            }
            (Action::Assign, None) => {
                if !is_name(name) {
                    return Err(Error::CannotAssign(name.into()));
                }
                let value = single(word, self.context)?;
                let assigned = self.context.assign(name, &value);
                assigned.map_err(|_| Error::ReadOnly(name.into()))?;
                self.push(&value, quoted);
                Ok(())
            }
            (Action::Complain, None) => {
                let mut message = single(word, self.context)?;
                if message.is_empty() {
                    message = b"parameter not set".into();
                }
                Err(Error::Unset(name.into(), message))
            }
        }
    }
}

/// Takes the part that matches off one end.
fn trim<'v>(value: &'v [u8], pattern: &[u8], suffix: bool, longest: bool) -> &'v [u8] {
    let length = value.len();
    let matched = |size: usize| match suffix {
        true => glob::matches(pattern, &value[length - size..]),
        false => glob::matches(pattern, &value[..size]),
    };
    let size = match longest {
        true => (0..=length).rev().find(|size| matched(*size)),
        false => (0..=length).find(|size| matched(*size)),
    };
    match (size.unwrap_or(0), suffix) {
        (size, true) => &value[..length - size],
        (size, false) => &value[size..],
    }
}

/// The context's variables, as numbers.
struct Numbers<'a>(&'a mut dyn Context);

impl arithmetic::Names for Numbers<'_> {
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        self.0.value(name)
    }

    fn assign(&mut self, name: &[u8], value: i64) -> bool {
        let value = alloc::format!("{value}");
        self.0.assign(name, value.as_bytes()).is_ok()
    }
}
