//! From text to tokens: words with their quotes resolved, and operators.

use super::parser::SyntaxError;
use alloc::vec::Vec;

/// Part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(Vec<u8>),
    /// `$?`: the status of the last command, known only when it runs.
    Status,
}

/// A word: its pieces in order; none at all stands for an empty quoted word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

impl Word {
    /// The bytes of the word, given the status of the last command.
    pub fn expand(&self, status: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => bytes.extend_from_slice(text),
                Piece::Status => bytes.extend_from_slice(alloc::format!("{status}").as_bytes()),
            }
        }
        bytes
    }

    fn push(&mut self, byte: u8) {
        if let Some(Piece::Text(text)) = self.0.last_mut() {
            text.push(byte);
        } else {
            self.0.push(Piece::Text(alloc::vec![byte]));
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(Word),
    /// `N<`, `N>`, `N>>`, `N>&`, with the descriptor spelled or implied.
    Redirect(i32, Operator),
    Pipe,
    And,
    Or,
    Semicolon,
    Background,
    Open,
    Close,
    Newline,
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Read,
    Write,
    Append,
    Duplicate,
}

impl Token {
    /// As it is spelled, for messages.
    pub fn spelling(&self) -> &'static str {
        match self {
            Token::Word(_) => "word",
            Token::Redirect(_, Operator::Read) => "<",
            Token::Redirect(_, Operator::Write) => ">",
            Token::Redirect(_, Operator::Append) => ">>",
            Token::Redirect(_, Operator::Duplicate) => ">&",
            Token::Pipe => "|",
            Token::And => "&&",
            Token::Or => "||",
            Token::Semicolon => ";",
            Token::Background => "&",
            Token::Open => "(",
            Token::Close => ")",
            Token::Newline => "end of line",
        }
    }
}

/// All tokens of `text`.
pub fn tokens(text: &[u8]) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { rest: text };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a [u8],
}

impl Lexer<'_> {
    fn take(&mut self, prefix: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next_token(&mut self) -> Result<Option<Token>, SyntaxError> {
        while self.take(b" ") || self.take(b"\t") || self.take(b"\r") || self.take(b"\\\n") {}
        if self.rest.first() == Some(&b'#') {
            let end = self
                .rest
                .iter()
                .position(|&b| b == b'\n')
                .unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        match self.operator() {
            Some(token) => Ok(Some(token)),
            None => self.word().map(|word| Some(Token::Word(word))),
        }
    }

    fn operator(&mut self) -> Option<Token> {
        let simple: [(&[u8], Token); 8] = [
            (b"&&", Token::And),
            (b"||", Token::Or),
            (b"|", Token::Pipe),
            (b";", Token::Semicolon),
            (b"&", Token::Background),
            (b"(", Token::Open),
            (b")", Token::Close),
            (b"\n", Token::Newline),
        ];
        simple
            .into_iter()
            .find(|(spelling, _)| self.take(spelling))
            .map(|(_, token)| token)
            .or_else(|| self.redirect())
    }

    /// `2>` is a redirection of descriptor 2; `2 >` is a word and one of 1.
    fn redirect(&mut self) -> Option<Token> {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 3 || !matches!(self.rest.get(digits), Some(b'<' | b'>')) {
            return None;
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = number.iter().fold(0, |n, &b| n * 10 + i32::from(b - b'0'));
        let (operator, implied) = match () {
            () if self.take(b">>") => (Operator::Append, 1),
            () if self.take(b">&") => (Operator::Duplicate, 1),
            () if self.take(b">") => (Operator::Write, 1),
            () if self.take(b"<&") => (Operator::Duplicate, 0),
            () => {
                self.take(b"<");
                (Operator::Read, 0)
            }
        };
        Some(Token::Redirect(
            if digits > 0 { number } else { implied },
            operator,
        ))
    }

    fn word(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        while let Some((&byte, rest)) = self.rest.split_first() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'|' | b'&' | b';' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                b'\'' => {
                    self.rest = rest;
                    self.single_quoted(&mut word)?;
                }
                b'"' => {
                    self.rest = rest;
                    self.double_quoted(&mut word)?;
                }
                b'\\' => {
                    let (&next, rest) = rest
                        .split_first()
                        .ok_or(SyntaxError::Incomplete("a line after '\\'"))?;
                    self.rest = rest;
                    if next != b'\n' {
                        word.push(next);
                    }
                }
                _ => self.plain(&mut word, byte),
            }
        }
        Ok(word)
    }

    /// One byte outside single quotes, or `$?`.
    fn plain(&mut self, word: &mut Word, byte: u8) {
        if self.take(b"$?") {
            word.0.push(Piece::Status);
        } else {
            self.rest = &self.rest[1..];
            word.push(byte);
        }
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        let end = self.rest.iter().position(|&b| b == b'\'');
        let end = end.ok_or(SyntaxError::Incomplete("a closing '"))?;
        self.rest[..end].iter().for_each(|&byte| word.push(byte));
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        loop {
            let byte = *self
                .rest
                .first()
                .ok_or(SyntaxError::Incomplete("a closing \""))?;
            match (byte, self.rest.get(1)) {
                (b'"', _) => {
                    self.rest = &self.rest[1..];
                    return Ok(());
                }
                (b'\\', Some(b'\n')) => self.rest = &self.rest[2..],
                (b'\\', Some(&escaped @ (b'"' | b'\\' | b'$' | b'`'))) => {
                    self.rest = &self.rest[2..];
                    word.push(escaped);
                }
                _ => self.plain(word, byte),
            }
        }
    }
}
