//! `test` and `[`: conditions on strings, numbers and files.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    NotANumber(Vec<u8>),
    MissingArgument,
    Unexpected(Vec<u8>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        match self {
            Error::NotANumber(word) => write!(f, "{}: expected a whole number", text(word)),
            Error::MissingArgument => f.write_str("an argument is missing"),
            Error::Unexpected(word) => write!(f, "{}: unexpected", text(word)),
        }
    }
}

/// What is known of files and descriptors.
pub trait Files {
    /// `-e`, `-f`, `-d` and their like, by their letter.
    fn is(&mut self, letter: u8, path: &[u8]) -> bool;
    /// `-nt`, `-ot`, `-ef`, by their letters.
    fn compare(&mut self, operator: &[u8], a: &[u8], b: &[u8]) -> bool;
}

/// The letters of [`Files::is`].
const LETTERS: &[u8] = b"abcdefghkLnprstuwxzSO";

/// Whether the condition holds.
pub fn evaluate(words: &[&[u8]], files: &mut dyn Files) -> Result<bool, Error> {
    // With few words, their number alone says what each is: an operator may
    // then also stand as a plain string.
    match words {
        [] => return Ok(false),
        [word] => return Ok(!word.is_empty()),
        [b"!", rest @ ..] if rest.len() <= 3 => return evaluate(rest, files).map(|v| !v),
        [a, operator, b] if is_binary(operator) => return binary(a, operator, b, files),
        [b"(", word, b")"] => return Ok(!word.is_empty()),
        [operator, word] if is_unary(operator) => return unary(operator, word, files),
        _ => {}
    }
    let mut reader = Reader { rest: words, files };
    let value = reader.either()?;
    match reader.rest {
        [] => Ok(value),
        [word, ..] => Err(Error::Unexpected(word.to_vec())),
    }
}

fn is_unary(word: &[u8]) -> bool {
    matches!(word, [b'-', letter] if LETTERS.contains(letter))
}

fn is_binary(word: &[u8]) -> bool {
    matches!(
        word,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
            | b"-a"
            | b"-o"
    )
}

fn unary(operator: &[u8], word: &[u8], files: &mut dyn Files) -> Result<bool, Error> {
    Ok(match operator[1] {
        b'n' => !word.is_empty(),
        b'z' => word.is_empty(),
        letter => files.is(letter, word),
    })
}

fn binary(a: &[u8], operator: &[u8], b: &[u8], files: &mut dyn Files) -> Result<bool, Error> {
    Ok(match operator {
        b"=" | b"==" => a == b,
        b"!=" => a != b,
        b"<" => a < b,
        b">" => a > b,
        b"-a" => !a.is_empty() && !b.is_empty(),
        b"-o" => !a.is_empty() || !b.is_empty(),
        b"-nt" | b"-ot" | b"-ef" => files.compare(operator, a, b),
        _ => {
            let (a, b) = (number(a)?, number(b)?);
            match operator {
                b"-eq" => a == b,
                b"-ne" => a != b,
                b"-lt" => a < b,
                b"-le" => a <= b,
                b"-gt" => a > b,
                _ => a >= b,
            }
        }
    })
}

fn number(word: &[u8]) -> Result<i64, Error> {
    let text = core::str::from_utf8(word.trim_ascii()).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::NotANumber(word.into()))
}

struct Reader<'a> {
    rest: &'a [&'a [u8]],
    files: &'a mut dyn Files,
}

impl Reader<'_> {
    fn take(&mut self, word: &[u8]) -> bool {
        let found = self.rest.first() == Some(&word);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn either(&mut self) -> Result<bool, Error> {
        let mut value = self.both()?;
        while self.take(b"-o") {
            value |= self.both()?;
        }
        Ok(value)
    }

    fn both(&mut self) -> Result<bool, Error> {
        let mut value = self.one()?;
        while self.take(b"-a") {
            value &= self.one()?;
        }
        Ok(value)
    }

    fn one(&mut self) -> Result<bool, Error> {
        let mut negated = false;
        while self.rest.len() > 1 && self.take(b"!") {
            negated = !negated;
        }
        let value = match *self.rest {
            [a, operator, b, ..] if is_binary(operator) && !matches!(operator, b"-a" | b"-o") => {
                self.rest = &self.rest[3..];
                binary(a, operator, b, self.files)?
            }
            [b"(", ..] => {
                self.rest = &self.rest[1..];
                let value = self.either()?;
                if !self.take(b")") {
                    return Err(Error::MissingArgument);
                }
                value
            }
            [operator, word, ..] if is_unary(operator) => {
                self.rest = &self.rest[2..];
                unary(operator, word, self.files)?
            }
            [word, ..] => {
                self.rest = &self.rest[1..];
                !word.is_empty()
            }
            [] => return Err(Error::MissingArgument),
        };
        Ok(value != negated)
    }
}
