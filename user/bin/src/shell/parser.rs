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

use super::lexer::{Pending, Token};
use super::tree::*;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;
use core::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// The text ends too early; more lines may complete it.
    Incomplete(String),
    Unexpected(String),
    NoTarget(&'static str),
    BadSubstitution,
    BadName(String),
    TooDeep,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SyntaxError::Incomplete(what) => write!(f, "expected {what} before the end"),
            SyntaxError::Unexpected(what) => write!(f, "unexpected '{what}'"),
            SyntaxError::NoTarget(operator) => write!(f, "expected a file name after '{operator}'"),
            SyntaxError::BadSubstitution => f.write_str("bad substitution in ${…}"),
            SyntaxError::BadName(name) => write!(f, "'{name}' cannot name a variable"),
            SyntaxError::TooDeep => write!(f, "more than {DEPTH} things inside each other"),
        }
    }
}

/// Most groups, loops and substitutions inside each other, as each costs the
/// parser stack.
const DEPTH: usize = 64;

/// Words that mean something where a command begins, and end a list there.
const ENDS: [&[u8]; 8] = [
    b"then", b"else", b"elif", b"fi", b"do", b"done", b"esac", b"}",
];

/// The tree of a whole text.
pub fn parse(text: &[u8]) -> Result<List, SyntaxError> {
    Parser::new(text, 0).list_until(&Token::End)
}

/// Reads a text; [`super::lexer`] and [`super::word`] hold the rest of it.
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

    fn peek(&mut self) -> Result<&Token, SyntaxError> {
        if self.peeked.is_none() {
            let token = self.read_token()?;
            self.peeked = Some((token, self.token_start));
        }
        Ok(&self.peeked.as_ref().expect("just filled").0)
    }

    fn next(&mut self) -> Result<Token, SyntaxError> {
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

    fn take(&mut self, wanted: &Token) -> Result<bool, SyntaxError> {
        let found = self.peek()? == wanted;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Whether the next token is this word, without quotes.
    fn peek_word(&mut self, wanted: &[u8]) -> Result<bool, SyntaxError> {
        Ok(matches!(self.peek()?, Token::Word(word) if word.plain() == Some(wanted)))
    }

    fn take_word(&mut self, wanted: &[u8]) -> Result<bool, SyntaxError> {
        let found = self.peek_word(wanted)?;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn expect_word(&mut self, wanted: &str) -> Result<(), SyntaxError> {
        match self.take_word(wanted.as_bytes())? {
            true => Ok(()),
            false => self.unexpected(wanted),
        }
    }

    /// The error that the next token is, where `wanted` should stand.
    fn unexpected<T>(&mut self, wanted: &str) -> Result<T, SyntaxError> {
        Err(match self.peek()? {
            Token::End => SyntaxError::Incomplete(wanted.into()),
            token => SyntaxError::Unexpected(token.spelling()),
        })
    }

    fn skip_newlines(&mut self) -> Result<(), SyntaxError> {
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

    fn list(&mut self) -> Result<List, SyntaxError> {
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
    fn body(&mut self, wanted: &str) -> Result<List, SyntaxError> {
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

    /// The compound command that comes next, if one does.
    fn compound(&mut self) -> Result<Option<What>, SyntaxError> {
        if self.take(&Token::Open)? {
            return self.deeper(Self::subshell).map(Some);
        }
        let Token::Word(word) = self.peek()? else {
            return Ok(None);
        };
        let read: fn(&mut Self) -> Result<What, SyntaxError> = match word.plain() {
            Some(b"{") => Self::group,
            Some(b"if") => Self::choice,
            Some(b"while") => |parser| parser.repetition(false),
            Some(b"until") => |parser| parser.repetition(true),
            Some(b"for") => Self::iteration,
            Some(b"case") => Self::case,
            Some(other) if ENDS.contains(&other) => return self.unexpected(""),
            _ => return Ok(None),
        };
        self.next()?;
        self.deeper(read).map(Some)
    }

    fn subshell(&mut self) -> Result<What, SyntaxError> {
        let list = self.body("a command")?;
        match self.take(&Token::Close)? {
            true => Ok(What::Subshell(list)),
            false => self.unexpected("a closing )"),
        }
    }

    fn group(&mut self) -> Result<What, SyntaxError> {
        let list = self.body("a command")?;
        self.expect_word("}")?;
        Ok(What::Group(list))
    }

    fn choice(&mut self) -> Result<What, SyntaxError> {
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.body("a command")?;
            self.expect_word("then")?;
            arms.push((condition, self.body("a command")?));
            if self.take_word(b"elif")? {
                continue;
            }
            if self.take_word(b"else")? {
                otherwise = Some(self.body("a command")?);
            }
            self.expect_word("fi")?;
            return Ok(What::If { arms, otherwise });
        }
    }

    fn repetition(&mut self, negated: bool) -> Result<What, SyntaxError> {
        let condition = self.body("a command")?;
        let body = self.do_group()?;
        Ok(What::Loop {
            negated,
            condition,
            body,
        })
    }

    fn do_group(&mut self) -> Result<List, SyntaxError> {
        self.expect_word("do")?;
        let body = self.body("a command")?;
        self.expect_word("done")?;
        Ok(body)
    }

    fn iteration(&mut self) -> Result<What, SyntaxError> {
        let Token::Word(word) = self.peek()? else {
            return self.unexpected("a name");
        };
        let name = word.literal();
        if word.plain().is_none_or(|name| !is_name(name)) {
            return Err(SyntaxError::BadName(
                String::from_utf8_lossy(&name).into_owned(),
            ));
        }
        self.next()?;
        self.skip_newlines()?;
        let mut words = None;
        if self.take_word(b"in")? {
            let mut list = Vec::new();
            while let Token::Word(word) = self.peek()? {
                list.push(word.clone());
                self.next()?;
            }
            words = Some(list);
            if !self.take(&Token::Semicolon)? && !self.take(&Token::Newline)? {
                return self.unexpected("do");
            }
        } else {
            self.take(&Token::Semicolon)?;
        }
        self.skip_newlines()?;
        let body = self.do_group()?;
        Ok(What::For { name, words, body })
    }

    fn case(&mut self) -> Result<What, SyntaxError> {
        let Token::Word(subject) = self.peek()? else {
            return self.unexpected("a word");
        };
        let subject = subject.clone();
        self.next()?;
        self.skip_newlines()?;
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.take_word(b"esac")? {
                return Ok(What::Case { subject, arms });
            }
            self.take(&Token::Open)?;
            let mut patterns = Vec::new();
            loop {
                match self.peek()? {
                    Token::Word(word) => patterns.push(word.clone()),
                    _ => return self.unexpected("a pattern"),
                }
                self.next()?;
                if !self.take(&Token::Pipe)? {
                    break;
                }
            }
            if !self.take(&Token::Close)? {
                return self.unexpected(")");
            }
            let body = self.list()?;
            arms.push(Arm { patterns, body });
            if !self.take(&Token::EndArm)? && !self.peek_word(b"esac")? {
                return self.unexpected("esac");
            }
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
