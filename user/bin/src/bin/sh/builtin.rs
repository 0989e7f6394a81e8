//! Commands that change the shell itself.

use crate::run::Shell;
use alloc::ffi::CString;
use core::ffi::CStr;
use weft::io::Text;
use weft::{args, file, process};

/// Whether `name` is one of them.
pub fn is_builtin(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"cd" | b"exit" | b"exec" | b"wait" | b":")
}

/// Runs a built-in; its status.
pub fn run(shell: &mut Shell, words: &[CString]) -> u8 {
    let argument = words.get(1);
    match words[0].to_bytes() {
        b"cd" => change_folder(argument.map(CString::as_c_str)),
        b"exit" => leave(shell, argument),
        b"exec" => replace(shell, &words[1..]),
        b"wait" => {
            while process::wait().is_ok() {}
            0
        }
        _ => 0,
    }
}

fn change_folder(to: Option<&CStr>) -> u8 {
    let home = args::variable("HOME").and_then(|home| CString::new(home).ok());
    let to = to.or(home.as_deref()).unwrap_or(c"/");
    match file::chdir(to) {
        Ok(()) => 0,
        Err(error) => {
            weft::eprintln!("sh: cd: {}: {error}", Text(to.to_bytes()));
            1
        }
    }
}

fn leave(shell: &Shell, code: Option<&CString>) -> u8 {
    let Some(code) = code else {
        process::exit(shell.status.into())
    };
    match code.to_str().ok().and_then(|code| code.parse::<i32>().ok()) {
        Some(code) => process::exit(code),
        None => {
            weft::eprintln!("sh: exit: {}: expected a number", Text(code.to_bytes()));
            2
        }
    }
}

/// `exec PROGRAM…` turns the shell into the program; without one, the
/// redirections before it stay in force.
fn replace(shell: &Shell, words: &[CString]) -> u8 {
    if words.is_empty() {
        return 0;
    }
    let code = crate::run::exec(words);
    if !shell.interactive {
        process::exit(code.into());
    }
    // The shell is still here: it does not want ^C back.
    let _ = process::set_signal(weft::abi::signal::SIGINT, weft::abi::signal::SIG_IGN);
    code
}
