//! The language of `sh`, as pure functions from text to a tree:
//! [`lexer`] makes tokens, [`parser`] makes a [`parser::List`] of them.
//! Running the tree is the program's (`bin/sh`).

pub mod lexer;
pub mod parser;

#[cfg(test)]
mod tests;

pub use parser::parse;
