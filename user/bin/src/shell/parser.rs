//! From tokens to a tree, by recursive descent:
//!
//! ```text
//! list     = [ chain { (";" | "&" | newline) [ chain ] } ]
//! chain    = pipeline { ("&&" | "||") pipeline }
//! pipeline = command { "|" command }
//! command  = "(" list ")" { redirect } | { word | redirect }
//! redirect = [number] ("<" | ">" | ">>" | ">&") word
//! ```

use super::lexer::{Operator, Token, Word, tokens};
use alloc::vec::Vec;
use core::fmt;

/// Commands to run one after the other.
pub type List = Vec<Chain>;

/// Pipelines of which each but the first depends on the status before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub first: Pipeline,
    pub rest: Vec<(Condition, Pipeline)>,
    /// Ended by `&`: nobody waits for it.
    pub background: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `&&`: runs if the last status is 0.
    Success,
    /// `||`: runs if it is not.
    Failure,
}

/// One command, or several with pipes between them.
pub type Pipeline = Vec<Command>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub what: What,
    pub redirects: Vec<Redirect>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A program or built-in with its arguments; no word at all if there are
    /// only redirections.
    Simple(Vec<Word>),
    /// `( … )`: a list in a shell of its own.
    Group(List),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub fd: i32,
    pub operator: Operator,
    /// The file, or for `>&` the descriptor.
    pub target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// The text ends too early; more lines may complete it.
    Incomplete(&'static str),
    Unexpected(&'static str),
    NoTarget(&'static str),
    TooDeep,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyntaxError::Incomplete(what) => write!(f, "expected {what} before the end"),
            SyntaxError::Unexpected(what) => write!(f, "unexpected '{what}'"),
            SyntaxError::NoTarget(operator) => write!(f, "expected a file name after '{operator}'"),
            SyntaxError::TooDeep => write!(f, "more than {DEPTH} '(' inside each other"),
        }
    }
}

/// Most groups inside each other, as each costs the parser stack.
const DEPTH: usize = 64;

/// The tree of a whole text.
pub fn parse(text: &[u8]) -> Result<List, SyntaxError> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        rest: &tokens,
        depth: 0,
    };
    let list = parser.list()?;
    match parser.rest.first() {
        None => Ok(list),
        Some(token) => Err(SyntaxError::Unexpected(token.spelling())),
    }
}

struct Parser<'a> {
    rest: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.rest.first() == Some(wanted);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn skip_newlines(&mut self) {
        while self.take(&Token::Newline) {}
    }

    fn list(&mut self) -> Result<List, SyntaxError> {
        let mut list = List::new();
        loop {
            self.skip_newlines();
            if matches!(self.rest.first(), None | Some(Token::Close)) {
                return Ok(list);
            }
            let mut chain = self.chain()?;
            chain.background = self.take(&Token::Background);
            list.push(chain);
            let ended = list.last().is_some_and(|chain| chain.background)
                || self.take(&Token::Semicolon)
                || self.take(&Token::Newline);
            if !ended {
                return Ok(list);
            }
        }
    }

    fn chain(&mut self) -> Result<Chain, SyntaxError> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let condition = match () {
                () if self.take(&Token::And) => Condition::Success,
                () if self.take(&Token::Or) => Condition::Failure,
                () => {
                    return Ok(Chain {
                        first,
                        rest,
                        background: false,
                    });
                }
            };
            self.skip_newlines();
            rest.push((condition, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut commands = alloc::vec![self.command()?];
        while self.take(&Token::Pipe) {
            self.skip_newlines();
            commands.push(self.command()?);
        }
        Ok(commands)
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        let mut redirects = Vec::new();
        if self.take(&Token::Open) {
            let list = self.group()?;
            while self.redirect(&mut redirects)? {}
            return match self.rest.first() {
                Some(Token::Word(_) | Token::Open) => Err(SyntaxError::Unexpected("word after ')")),
                _ => Ok(Command {
                    what: What::Group(list),
                    redirects,
                }),
            };
        }
        let mut words = Vec::new();
        loop {
            if let Some(Token::Word(word)) = self.rest.first() {
                words.push(word.clone());
                self.rest = &self.rest[1..];
            } else if !self.redirect(&mut redirects)? {
                break;
            }
        }
        match self.rest.first() {
            Some(Token::Open) => Err(SyntaxError::Unexpected("(")),
            _ if !words.is_empty() || !redirects.is_empty() => Ok(Command {
                what: What::Simple(words),
                redirects,
            }),
            None => Err(SyntaxError::Incomplete("a command")),
            Some(token) => Err(SyntaxError::Unexpected(token.spelling())),
        }
    }

    /// What follows `(`, with its `)`.
    fn group(&mut self) -> Result<List, SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        let list = self.list()?;
        self.depth -= 1;
        match self.rest.first() {
            None => Err(SyntaxError::Incomplete("a closing )")),
            Some(Token::Close) if list.is_empty() => Err(SyntaxError::Unexpected(")")),
            _ if self.take(&Token::Close) => Ok(list),
            Some(token) => Err(SyntaxError::Unexpected(token.spelling())),
        }
    }

    fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Result<bool, SyntaxError> {
        let Some(&Token::Redirect(fd, operator)) = self.rest.first() else {
            return Ok(false);
        };
        let Some(Token::Word(target)) = self.rest.get(1) else {
            return Err(SyntaxError::NoTarget(self.rest[0].spelling()));
        };
        redirects.push(Redirect {
            fd,
            operator,
            target: target.clone(),
        });
        self.rest = &self.rest[2..];
        Ok(true)
    }
}
