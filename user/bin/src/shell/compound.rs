//! Compound commands, as far as the parser's grammar names them:
//!
//! ```text
//! if    = "if" list "then" list { "elif" list "then" list } [ "else" list ] "fi"
//! while = "while" list "do" list "done"              (until: the same)
//! for   = "for" name [ "in" { word } ";" ] "do" list "done"
//! case  = "case" word "in" { ["("] word { "|" word } ")" [ list ] ";;" } "esac"
//! ```

use super::lexer::Token;
use super::parser::{ENDS, Parser};
use super::syntax_error::SyntaxError;
use super::tree::*;
use alloc::string::String;
use alloc::vec::Vec;

impl Parser<'_> {
    /// The compound command that comes next, if one does.
    pub(super) fn compound(&mut self) -> Result<Option<What>, SyntaxError> {
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
}
