//! The editor `edit`, as far as it needs no system, so that it is tested on the
//! host: [`buffer`] is the text, [`key`] makes keys of a terminal's bytes,
//! [`editor`] is what keys do, [`view`] is what the screen shows.

pub mod buffer;
pub mod editor;
pub mod key;
mod prompt;
mod view;

#[cfg(test)]
mod tests;
