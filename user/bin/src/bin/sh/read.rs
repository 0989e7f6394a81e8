//! Reads commands and runs them, one complete one after the other.

use crate::shell::{Flow, Leave, Shell};
use crate::source::Source;
use alloc::vec::Vec;
use user_bin::shell::{SyntaxError, parse};
use weft::file;
use weft::io::Text;

/// Everything that the source holds.
pub fn all(shell: &mut Shell, mut source: Source) {
    loop {
        match until_left(shell, &mut source) {
            Err(Leave::Exit) | Ok(()) => return,
            // Outside loops and functions these end only what was typed.
            Err(_) if source.interactive() => {}
            Err(Leave::Return) => return,
            Err(_) => {}
        }
    }
}

/// Commands out of a string, as `eval` runs them.
pub fn text(shell: &mut Shell, text: &[u8]) -> Flow {
    until_left(shell, &mut Source::text(text))
}

/// A syntax error costs only what was typed; a script ends by it.
pub fn until_left(shell: &mut Shell, source: &mut Source) -> Flow {
    let mut text = Vec::new();
    loop {
        if source.interactive() {
            shell.tell_changes();
            let prompt: &[u8] = if text.is_empty() { b"PS1" } else { b"PS2" };
            weft::eprint!("{}", Text(shell.variables.get(prompt).unwrap_or(b"")));
        }
        let more = source.read_line(&mut text);
        match parse(&text) {
            Err(SyntaxError::Incomplete(_)) if more => continue,
            Ok(list) => shell.run_list(&list)?,
            Err(error) => {
                weft::eprintln!("sh: syntax error: {error}");
                shell.status = 2;
                if !source.interactive() {
                    return Err(Leave::Exit);
                }
            }
        }
        text.clear();
        if !more {
            if source.interactive() {
                let _ = file::write_all(file::STDERR, b"\n");
            }
            return Ok(());
        }
    }
}
