//! From tokens to a tree, by recursive descent:
//!
//! ```text
//! list     = { chain (";" | "&" | newline) } [ chain ]
//! chain    = pipeline { ("&&" | "||") pipeline }
//! pipeline = ["!"] command { "|" command }
//! command  = compound { redirect } | name "(" ")" command
//!          | { assignment | redirect } { word | redirect }
//! compound = "(" list ")" | "{" list "}" | if | while | until | for | case
//! redirect = [number] ("<" | ">" | ">>" | "<>" | ">&" | "<<") word
//! ```
//!
//! [`super::compound`] reads the compound commands.

use super::lexer::{Pending, Token};
use super::syntax_error::SyntaxError;
use super::tree::*;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;

/// Most groups, loops and substitutions inside each other, as each costs the
/// parser stack.
pub(super) const DEPTH: usize = 64;

/// Words that mean something where a command begins, and end a list there.
pub(super) const ENDS: [&[u8]; 8] = [
    b"then", b"else", b"elif", b"fi", b"do", b"done", b"esac", b"}",
];

/// The tree of a whole text.
pub fn parse(text: &[u8]) -> Result<List, SyntaxError> {
    Parser::new(text, 0).list_until(&Token::End)
}

/// Reads a text; [`super::lexer`], [`super::word`] and [`super::compound`] hold
/// the rest of it.
pub(super) struct Parser<'a> {
    pub text: &'a [u8],
    pub at: usize,
    /// Where the last token read begins.
    pub token_start: usize,
    /// Where the last token taken ends.
    end: usize,
    peeked: Option<(Token, usize)>,
    pub pending: Vec<Pending>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], depth: usize) -> Parser<'a> {
        Parser {
            text,
            at: 0,
            token_start: 0,
            end: 0,
            peeked: None,
            pending: Vec::new(),
            depth,
        }
    }

    /// Reads another text, which counts as inside this one.
    pub(super) fn nested<T>(
        &self,
        text: &[u8],
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        let mut inner = Parser::new(text, self.depth + 1);
        if inner.depth > DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        match read(&mut inner) {
            // More lines after the outer text cannot complete the inner one.
            Err(SyntaxError::Incomplete(what)) => {
                Err(SyntaxError::Unexpected(alloc::format!("end before {what}")))
            }
            result => result,
        }
    }

    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth == DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn peek(&mut self) -> Result<&Token, SyntaxError> {
        if self.peeked.is_none() {
            let token = self.read_token()?;
            self.peeked = Some((token, self.token_start));
        }
        Ok(&self.peeked.as_ref().expect("just filled").0)
    }

    pub(super) fn next(&mut self) -> Result<Token, SyntaxError> {
        self.peek()?;
        let (token, _) = self.peeked.take().expect("just filled");
        self.end = self.at;
        Ok(token)
    }

    /// Where the next token begins.
    fn start(&mut self) -> Result<usize, SyntaxError> {
        self.peek()?;
        Ok(self.peeked.as_ref().expect("just filled").1)
    }

    pub(super) fn take(&mut self, wanted: &Token) -> Result<bool, SyntaxError> {
        let found = self.peek()? == wanted;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Whether the next token is this word, without quotes.
    pub(super) fn peek_word(&mut self, wanted: &[u8]) -> Result<bool, SyntaxError> {
        Ok(matches!(self.peek()?, Token::Word(word) if word.plain() == Some(wanted)))
    }

    pub(super) fn take_word(&mut self, wanted: &[u8]) -> Result<bool, SyntaxError> {
        let found = self.peek_word(wanted)?;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub(super) fn expect_word(&mut self, wanted: &str) -> Result<(), SyntaxError> {
        match self.take_word(wanted.as_bytes())? {
            true => Ok(()),
            false => self.unexpected(wanted),
        }
    }

    /// The error that the next token is, where `wanted` should stand.
    pub(super) fn unexpected<T>(&mut self, wanted: &str) -> Result<T, SyntaxError> {
        Err(match self.peek()? {
            Token::End => SyntaxError::Incomplete(wanted.into()),
            token => SyntaxError::Unexpected(token.spelling()),
        })
    }

    pub(super) fn skip_newlines(&mut self) -> Result<(), SyntaxError> {
        while self.take(&Token::Newline)? {}
        Ok(())
    }

    /// A list with the token that ends it.
    pub(super) fn list_until(&mut self, end: &Token) -> Result<List, SyntaxError> {
        let list = self.list()?;
        match self.take(end)? {
            true if self.pending.is_empty() || *end != Token::End => Ok(list),
            true => Err(SyntaxError::Incomplete("a here-document".into())),
            false => self.unexpected("a closing )"),
        }
    }

    pub(super) fn list(&mut self) -> Result<List, SyntaxError> {
        let mut list = List::new();
        loop {
            self.skip_newlines()?;
            let ends = match self.peek()? {
                Token::End | Token::Close | Token::EndArm => true,
                Token::Word(word) => word.plain().is_some_and(|word| ENDS.contains(&word)),
                _ => false,
            };
            if ends {
                return Ok(list);
            }
            let mut chain = self.chain()?;
            chain.background = self.take(&Token::Background)?;
            let ended =
                chain.background || self.take(&Token::Semicolon)? || self.take(&Token::Newline)?;
            list.push(chain);
            if !ended {
                return Ok(list);
            }
        }
    }

    /// A list that must hold something.
    pub(super) fn body(&mut self, wanted: &str) -> Result<List, SyntaxError> {
        let list = self.list()?;
        if list.is_empty() {
            return self.unexpected(wanted);
        }
        Ok(list)
    }

    fn chain(&mut self) -> Result<Chain, SyntaxError> {
        let start = self.start()?;
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let condition = if self.take(&Token::And)? {
                Condition::Success
            } else if self.take(&Token::Or)? {
                Condition::Failure
            } else {
                break;
            };
            self.skip_newlines()?;
            rest.push((condition, self.pipeline()?));
        }
        Ok(Chain {
            first,
            rest,
            background: false,
            text: self.text[start..self.end].into(),
        })
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut negated = false;
        while self.take_word(b"!")? {
            negated = !negated;
        }
        let mut commands = alloc::vec![self.command()?];
        while self.take(&Token::Pipe)? {
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        let Some(what) = self.compound()? else {
            return self.simple();
        };
        let mut redirects = Vec::new();
        while self.redirect(&mut redirects)? {}
        match self.peek()? {
            Token::Open => self.unexpected(""),
            Token::Word(word) if word.plain().is_none_or(|word| !ENDS.contains(&word)) => {
                self.unexpected("")
            }
            _ => Ok(Command { what, redirects }),
        }
    }

    fn simple(&mut self) -> Result<Command, SyntaxError> {
        let mut redirects = Vec::new();
        let mut assignments = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        loop {
            if let Token::Word(word) = self.peek()? {
                let word = word.clone();
                self.next()?;
                let word = if words.is_empty() {
                    match word.into_assignment() {
                        Ok(assignment) => {
                            assignments.push(assignment);
                            continue;
                        }
                        Err(word) => word,
                    }
                } else {
                    word
                };
                words.push(word);
            } else if !self.redirect(&mut redirects)? {
                break;
            }
        }
        let empty = words.is_empty() && assignments.is_empty() && redirects.is_empty();
        if empty {
            return self.unexpected("a command");
        }
        if *self.peek()? == Token::Open {
            let alone = words.len() == 1 && assignments.is_empty() && redirects.is_empty();
            return match words[..].first().and_then(Word::plain) {
                Some(name) if alone && is_name(name) => self.function(name.into()),
                _ => self.unexpected(""),
            };
        }
        let what = What::Simple { assignments, words };
        Ok(Command { what, redirects })
    }

    /// After the name of a function.
    fn function(&mut self, name: Vec<u8>) -> Result<Command, SyntaxError> {
        self.next()?;
        if !self.take(&Token::Close)? {
            return self.unexpected("a closing )");
        }
        self.skip_newlines()?;
        let body = self.deeper(Self::command)?;
        if matches!(body.what, What::Simple { .. } | What::Function { .. }) {
            return Err(SyntaxError::Unexpected("command where { should be".into()));
        }
        let body = Rc::new(body);
        Ok(Command {
            what: What::Function { name, body },
            redirects: Vec::new(),
        })
    }

    fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Result<bool, SyntaxError> {
        let &Token::Redirect(fd, operator) = self.peek()? else {
            return Ok(false);
        };
        self.next()?;
        let Token::Word(word) = self.peek()? else {
            return Err(SyntaxError::NoTarget(operator.spelling()));
        };
        let word = word.clone();
        let target = match operator {
            Operator::Here { strip } => {
                let place = Rc::new(OnceCell::new());
                self.pending.push(Pending {
                    delimiter: word,
                    strip,
                    place: place.clone(),
                });
                Target::Document(place)
            }
            _ => Target::Word(word),
        };
        self.next()?;
        redirects.push(Redirect {
            fd,
            operator,
            target,
        });
        Ok(true)
    }
}
