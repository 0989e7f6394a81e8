//! From text to tokens: operators and words, and the here-documents that
//! follow a line.

use super::parser::Parser;
use super::syntax_error::SyntaxError;
use super::tree::{Operator, Piece, Word};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(Word),
    /// `N<`, `N>`, `N>>`, `N>&`, …, with the descriptor spelled or implied.
    Redirect(i32, Operator),
    Pipe,
    And,
    Or,
    Semicolon,
    /// `;;`.
    EndArm,
    Background,
    Open,
    Close,
    Newline,
    End,
}

impl Token {
    /// As it is spelled, for messages.
    pub fn spelling(&self) -> String {
        let known = match self {
            Token::Word(word) => {
                return String::from_utf8_lossy(&word.literal()).into_owned();
            }
            Token::Redirect(_, operator) => operator.spelling(),
            Token::Pipe => "|",
            Token::And => "&&",
            Token::Or => "||",
            Token::Semicolon => ";",
            Token::EndArm => ";;",
            Token::Background => "&",
            Token::Open => "(",
            Token::Close => ")",
            Token::Newline => "end of line",
            Token::End => "end of input",
        };
        known.into()
    }
}

/// A here-document that a line has named and that has not been read yet.
pub(super) struct Pending {
    pub delimiter: Word,
    pub strip: bool,
    pub place: Rc<OnceCell<Word>>,
}

/// Whether the byte ends a word outside quotes.
pub(super) fn ends_word(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b'|' | b'&' | b';' | b'(' | b')' | b'<' | b'>'
    )
}

impl Parser<'_> {
    /// What has not been read.
    pub(super) fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over `prefix` if it comes next.
    pub(super) fn skip(&mut self, prefix: &[u8]) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    pub(super) fn read_token(&mut self) -> Result<Token, SyntaxError> {
        loop {
            if self.skip(b"\\\n") {
                self.next_line()?;
            } else if !matches!(self.byte(), Some(b' ' | b'\t' | b'\r')) {
                break;
            } else {
                self.at += 1;
            }
        }
        if self.byte() == Some(b'#') {
            let line = self.rest().iter().position(|&b| b == b'\n');
            self.at += line.unwrap_or(self.rest().len());
        }
        self.token_start = self.at;
        if self.byte().is_none() {
            return Ok(Token::End);
        }
        if self.skip(b"\n") {
            self.read_documents()?;
            return Ok(Token::Newline);
        }
        match self.operator() {
            Some(token) => Ok(token),
            None => self.word().map(Token::Word),
        }
    }

    fn operator(&mut self) -> Option<Token> {
        let simple: [(&[u8], Token); 8] = [
            (b"&&", Token::And),
            (b"||", Token::Or),
            (b";;", Token::EndArm),
            (b"|", Token::Pipe),
            (b";", Token::Semicolon),
            (b"&", Token::Background),
            (b"(", Token::Open),
            (b")", Token::Close),
        ];
        simple
            .into_iter()
            .find(|(spelling, _)| self.skip(spelling))
            .map(|(_, token)| token)
            .or_else(|| self.redirection())
    }

    /// `2>` is a redirection of descriptor 2; `2 >` is a word and one of 1.
    fn redirection(&mut self) -> Option<Token> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 3 || !matches!(rest.get(digits), Some(b'<' | b'>')) {
            return None;
        }
        let number = rest[..digits]
            .iter()
            .fold(0, |n, &b| n * 10 + i32::from(b - b'0'));
        self.at += digits;
        let operators: [(&[u8], Operator, i32); 9] = [
            (b">>", Operator::Append, 1),
            (b">&", Operator::Duplicate, 1),
            (b">|", Operator::Write, 1),
            (b">", Operator::Write, 1),
            (b"<<-", Operator::Here { strip: true }, 0),
            (b"<<", Operator::Here { strip: false }, 0),
            (b"<&", Operator::Duplicate, 0),
            (b"<>", Operator::ReadWrite, 0),
            (b"<", Operator::Read, 0),
        ];
        let (_, operator, implied) = operators
            .into_iter()
            .find(|(spelling, ..)| self.skip(spelling))?;
        Some(Token::Redirect(
            if digits > 0 { number } else { implied },
            operator,
        ))
    }

    /// After the end of a line: the texts of the here-documents it named.
    fn read_documents(&mut self) -> Result<(), SyntaxError> {
        for pending in core::mem::take(&mut self.pending) {
            let delimiter = pending.delimiter.literal();
            let mut text = Vec::new();
            loop {
                let rest = self.rest();
                let end = rest.iter().position(|&b| b == b'\n');
                let mut line = &rest[..end.unwrap_or(rest.len())];
                let step = line.len() + usize::from(end.is_some());
                while pending.strip && line.first() == Some(&b'\t') {
                    line = &line[1..];
                }
                if line == delimiter {
                    self.at += step;
                    break;
                }
                if end.is_none() {
                    let end = String::from_utf8_lossy(&delimiter).into_owned();
                    return Err(SyntaxError::Incomplete(end));
                }
                text.extend_from_slice(line);
                text.push(b'\n');
                self.at += step;
            }
            let document = if pending.delimiter.has_quotes() {
                Word(alloc::vec![Piece::Quoted(text)])
            } else {
                self.nested(&text, |inner| inner.document())?
            };
            // Each place is filled once: it leaves the list of pending ones.
            let _ = pending.place.set(document);
        }
        Ok(())
    }
}
