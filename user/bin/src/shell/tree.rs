//! What the parser makes of a text: lists of chains of pipelines of commands,
//! and the words in them.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::OnceCell;

/// Commands to run one after the other.
pub type List = Vec<Chain>;

/// Pipelines of which each but the first depends on the status before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub first: Pipeline,
    pub rest: Vec<(Condition, Pipeline)>,
    /// Ended by `&`: nobody waits for it.
    pub background: bool,
    /// As it was written, for the list of jobs.
    pub text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `&&`: runs if the last status is 0.
    Success,
    /// `||`: runs if it is not.
    Failure,
}

/// One command, or several with pipes between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// After `!`: success is failure.
    pub negated: bool,
    pub commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub what: What,
    pub redirects: Vec<Redirect>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A program, function or built-in with its arguments; no word at all if
    /// there are only assignments and redirections.
    Simple {
        assignments: Vec<(Vec<u8>, Word)>,
        words: Vec<Word>,
    },
    /// `( … )`: a list in a shell of its own.
    Subshell(List),
    /// `{ …; }`: a list in this shell.
    Group(List),
    /// `if` and each `elif` with what follows its `then`, and the `else`.
    If {
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    /// `while`, or `until` if negated.
    Loop {
        negated: bool,
        condition: List,
        body: List,
    },
    /// Without `in`, over the positional parameters.
    For {
        name: Vec<u8>,
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        subject: Word,
        arms: Vec<Arm>,
    },
    /// Defines a function.
    Function {
        name: Vec<u8>,
        body: Rc<Command>,
    },
}

/// One choice of a `case`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: List,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub fd: i32,
    pub operator: Operator,
    pub target: Target,
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Read,
    Write,
    Append,
    ReadWrite,
    Duplicate,
    /// `<<`, and `<<-` which takes leading tabs away.
    Here {
        strip: bool,
    },
}

impl Operator {
    pub const fn spelling(self) -> &'static str {
        match self {
            Operator::Read => "<",
            Operator::Write => ">",
            Operator::Append => ">>",
            Operator::ReadWrite => "<>",
            Operator::Duplicate => ">&",
            Operator::Here { .. } => "<<",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file, or for [`Operator::Duplicate`] a descriptor or `-`.
    Word(Word),
    /// The text of a here-document, which stands after the line that names it.
    Document(Rc<OnceCell<Word>>),
}

/// A word: its pieces in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

/// Part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Outside quotes: `*`, `?` and `[` in it are patterns.
    Text(Vec<u8>),
    /// Inside quotes; even if empty it makes the word a field.
    Quoted(Vec<u8>),
    Parameter {
        parameter: Box<Parameter>,
        quoted: bool,
    },
    /// `$( … )`.
    Command { list: Rc<List>, quoted: bool },
    /// `$(( … ))`.
    Arithmetic { expression: Word, quoted: bool },
}

/// `$name` or `${name…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: Vec<u8>,
    pub operation: Operation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Value,
    /// `${#name}`.
    Length,
    /// `${name-word}` and its family; with a colon, empty counts as unset.
    Alternative {
        action: Action,
        colon: bool,
        word: Word,
    },
    /// `${name#pattern}` and `${name%pattern}`, doubled for the longest match.
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `-`: the word if unset.
    Default,
    /// `=`: as `-`, and assigned.
    Assign,
    /// `?`: an error with the word as its message if unset.
    Complain,
    /// `+`: the word unless unset.
    Replace,
}

impl Word {
    /// The word as it stands, if no part of it is quoted or expanded.
    pub fn plain(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether any part is quoted, which for the end of a here-document means
    /// that nothing in it is expanded.
    pub fn has_quotes(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Quoted(_)))
    }

    /// The bytes without their quotes; expansions count as nothing.
    pub fn literal(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            if let Piece::Text(text) | Piece::Quoted(text) = piece {
                bytes.extend_from_slice(text);
            }
        }
        bytes
    }

    pub(super) fn push(&mut self, byte: u8, quoted: bool) {
        match (self.0.last_mut(), quoted) {
            (Some(Piece::Text(text)), false) | (Some(Piece::Quoted(text)), true) => text.push(byte),
            (_, false) => self.0.push(Piece::Text(alloc::vec![byte])),
            (_, true) => self.0.push(Piece::Quoted(alloc::vec![byte])),
        }
    }

    /// Splits `name=value` into its halves.
    pub(super) fn into_assignment(mut self) -> Result<(Vec<u8>, Word), Word> {
        let Some(Piece::Text(text)) = self.0.first_mut() else {
            return Err(self);
        };
        let Some(at) = text.iter().position(|byte| *byte == b'=') else {
            return Err(self);
        };
        if !is_name(&text[..at]) {
            return Err(self);
        }
        let value = text.split_off(at + 1);
        text.pop();
        let name = core::mem::take(text);
        self.0[0] = Piece::Text(value);
        if matches!(&self.0[0], Piece::Text(text) if text.is_empty()) {
            self.0.remove(0);
        }
        Ok((name, self))
    }
}

/// Whether it can name a variable or a function.
pub fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|byte| !byte.is_ascii_digit())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
