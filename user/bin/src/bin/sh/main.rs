//! `sh [-ceux] [FILE | COMMANDS] [ARGUMENT…]`: the shell; see
//! `user_bin::shell` for its language.
//!
//! [`shell`] is what a shell knows, [`read`] its loop; [`run`] walks the tree,
//! [`simple`] runs programs, functions and built-ins, [`child`] forks,
//! [`control`] waits for jobs and passes the terminal to them.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod builtin;
mod child;
mod context;
mod control;
mod read;
mod redirect;
mod run;
mod shell;
mod simple;
mod source;

use alloc::vec::Vec;
use shell::Shell;
use source::Source;
use weft::io::Text;

weft::program!(main);

fn main() -> i32 {
    let words: Vec<&[u8]> = weft::args().map(core::ffi::CStr::to_bytes).collect();
    let mut shell = Shell::new(words.first().copied().unwrap_or(b"sh"));
    let mut rest = words.get(1..).unwrap_or(&[]);
    let mut text_wanted = false;
    while let Some((flags, after)) = rest.split_first()
        && let [b'-' | b'+', letters @ ..] = *flags
        && !letters.is_empty()
    {
        rest = after;
        if *flags == b"--" {
            break;
        }
        for &letter in letters {
            match letter {
                b'c' => text_wanted = true,
                _ if shell.options.set(letter, flags[0] == b'-') => {}
                _ => {
                    weft::eprintln!("usage: sh [-efux] [-c COMMANDS | FILE] [ARGUMENT...]");
                    return 2;
                }
            }
        }
    }
    let source = match (text_wanted, rest.split_first()) {
        (true, None) => {
            weft::eprintln!("sh: -c: expected commands after it");
            return 2;
        }
        (true, Some((text, after))) => {
            rest = after;
            if let Some((name, after)) = rest.split_first() {
                shell.name = name.to_vec();
                rest = after;
            }
            Source::text(text)
        }
        (false, Some((name, after))) => {
            rest = after;
            shell.name = name.to_vec();
            match Source::file(name) {
                Ok(source) => source,
                Err(error) => {
                    weft::eprintln!("sh: {}: {error}", Text(name));
                    return 127;
                }
            }
        }
        (false, None) => Source::input(),
    };
    shell.positional = rest.iter().map(|word| word.to_vec()).collect();
    if source.interactive() {
        shell.become_interactive();
    }
    read::all(&mut shell, source);
    shell.leave()
}
