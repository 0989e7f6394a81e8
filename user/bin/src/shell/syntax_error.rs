//! What is wrong with a text.

use super::parser::DEPTH;
use alloc::string::String;
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
