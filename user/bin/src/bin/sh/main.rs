//! `sh [-c COMMANDS | FILE]`: the shell. Reads commands from its standard input,
//! a file or an argument; see `user_bin::shell` for the language.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod builtin;
mod redirect;
mod run;
mod source;

use alloc::vec::Vec;
use run::Shell;
use source::Source;
use user_bin::shell::{parse, parser::SyntaxError};
use weft::io::Text;
use weft::{abi, file, process};

weft::program!(main);

fn main() -> i32 {
    let mut args = weft::args().skip(1);
    let mut source = match (args.next(), args.next()) {
        (None, _) => Source::input(),
        (Some(flag), Some(text)) if flag == c"-c" => Source::text(text.to_bytes()),
        (Some(flag), _) if flag.to_bytes().starts_with(b"-") => {
            weft::eprintln!("usage: sh [-c COMMANDS | FILE]");
            return 2;
        }
        (Some(name), _) => match Source::file(name) {
            Ok(source) => source,
            Err(error) => {
                weft::eprintln!("sh: {}: {error}", Text(name.to_bytes()));
                return 127;
            }
        },
    };
    let mut shell = Shell::new(source.interactive());
    if shell.interactive {
        // ^C is for the commands, which get their default back.
        let _ = process::set_signal(abi::signal::SIGINT, abi::signal::SIG_IGN);
    }
    read_and_run(&mut shell, &mut source);
    shell.status.into()
}

/// Until the input ends. A syntax error costs only what was typed.
fn read_and_run(shell: &mut Shell, source: &mut Source) {
    let mut text = Vec::new();
    loop {
        shell.reap();
        if shell.interactive {
            weft::eprint!("{}", if text.is_empty() { "$ " } else { "> " });
        }
        let more = source.read_line(&mut text);
        match parse(&text) {
            Err(SyntaxError::Incomplete(_)) if more => continue,
            Ok(list) => {
                shell.run_list(&list);
            }
            Err(error) => {
                weft::eprintln!("sh: syntax error: {error}");
                shell.status = 2;
            }
        }
        text.clear();
        if !more {
            if shell.interactive {
                let _ = file::write_all(file::STDERR, b"\n");
            }
            return;
        }
    }
}
