//! Commands that the shell carries out itself: those that change it, and a few
//! that scripts run so often that a process for each would be slow.

mod flow;
mod input;
mod jobs;
mod output;
mod variables;

use crate::shell::{Flow, Shell};
use alloc::vec::Vec;

/// Runs with its name and arguments; leaves its status in the shell.
pub type Builtin = fn(&mut Shell, &[Vec<u8>]) -> Flow;

/// Those that POSIX calls special: assignments before them stay, and functions
/// cannot take their names.
pub fn special(name: &[u8]) -> Option<Builtin> {
    Some(match name {
        b":" => output::succeed,
        b"." => flow::source,
        b"break" => flow::break_loop,
        b"continue" => flow::continue_loop,
        b"eval" => flow::eval,
        b"exec" => flow::exec,
        b"exit" => flow::exit,
        b"export" => variables::export,
        b"readonly" => variables::readonly,
        b"return" => flow::leave_function,
        b"set" => variables::set,
        b"shift" => variables::shift,
        b"trap" => flow::trap,
        b"unset" => variables::unset,
        _ => return None,
    })
}

pub fn ordinary(name: &[u8]) -> Option<Builtin> {
    Some(match name {
        b"[" | b"test" => output::test,
        b"bg" => jobs::bg,
        b"cd" => input::cd,
        b"command" => flow::command,
        b"echo" => output::echo,
        b"false" => output::fail,
        b"fg" => jobs::fg,
        b"jobs" => jobs::jobs,
        b"kill" => jobs::kill,
        b"local" => variables::local,
        b"printf" => output::printf,
        b"pwd" => output::pwd,
        b"read" => input::read,
        b"true" => output::succeed,
        b"type" => flow::type_of,
        b"umask" => input::umask,
        b"wait" => jobs::wait,
        _ => return None,
    })
}

/// Ends a built-in with a status.
fn done(shell: &mut Shell, status: u8) -> Flow {
    shell.status = status;
    Ok(())
}

/// A whole number, not negative.
fn number(word: &[u8]) -> Option<usize> {
    core::str::from_utf8(word).ok()?.parse().ok()
}
