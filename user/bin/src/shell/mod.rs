//! The language of `sh`, as far as it is a matter of text alone, so that it is
//! tested on the host:
//!
//! - [`lexer`] and [`word`] read tokens, [`parser`] and [`compound`] make the
//!   [`tree`] of them.
//! - [`expand`] turns words into fields, with [`glob`] for patterns,
//!   [`arithmetic`] for `$((…))` and [`variables`] for what is kept.
//! - [`jobs`] knows what became of the pipelines that were started.
//! - [`condition`] is `test`, [`format`] is `printf`, [`fields`] is `read`.
//!
//! Running the tree is the program's (`bin/sh`).

pub mod arithmetic;
mod compound;
pub mod condition;
pub mod expand;
pub mod fields;
pub mod format;
pub mod glob;
pub mod jobs;
pub mod lexer;
pub mod parser;
mod syntax_error;
pub mod tree;
pub mod variables;
mod word;

#[cfg(test)]
mod tests;

pub use parser::parse;
pub use syntax_error::SyntaxError;
