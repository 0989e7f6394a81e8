//! Console output goes to standard output; there is no input.

use std::io::Write;

pub fn write(bytes: &[u8]) {
    // A closed output has nobody left to tell.
    let _ = std::io::stdout().write_all(bytes);
}

pub fn read() -> Option<u8> {
    None
}
