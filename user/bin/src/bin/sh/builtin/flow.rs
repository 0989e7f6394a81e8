//! Built-ins that decide what runs next.

use super::{done, number};
use crate::child;
use crate::read;
use crate::shell::{Flow, Leave, Shell};
use crate::source::Source;
use alloc::ffi::CString;
use alloc::vec::Vec;
use user_bin::shell::tree::is_name;
use user_bin::signals;
use weft::abi::signal::{SIG_DFL, SIG_IGN};
use weft::io::Text;
use weft::{file, process};

/// Most files that read each other by `.`.
const FILES: usize = 64;

pub fn exit(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    match words.get(1).map(|word| number(word)) {
        None => Err(Leave::Exit),
        Some(Some(code)) => {
            shell.status = code as u8;
            Err(Leave::Exit)
        }
        Some(None) => {
            weft::eprintln!("sh: exit: {}: expected a number", Text(&words[1]));
            shell.status = 2;
            shell.fatal()
        }
    }
}

pub fn leave_function(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    match words.get(1).map(|word| number(word)) {
        Some(None) => {
            weft::eprintln!("sh: return: {}: expected a number", Text(&words[1]));
            shell.status = 2;
            return shell.fatal();
        }
        Some(Some(code)) => shell.status = code as u8,
        None => {}
    }
    Err(Leave::Return)
}

pub fn break_loop(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    out_of(shell, words, Leave::Break)
}

pub fn continue_loop(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    out_of(shell, words, Leave::Continue)
}

/// Outside loops nothing happens; more levels than there are mean all of them.
fn out_of(shell: &mut Shell, words: &[Vec<u8>], leave: fn(usize) -> Leave) -> Flow {
    let levels = words.get(1).map_or(Some(1), |word| number(word));
    shell.status = 0;
    match levels {
        Some(levels @ 1..) if shell.loops > 0 => Err(leave(levels.min(shell.loops))),
        Some(1..) => Ok(()),
        _ => {
            let (name, level) = (Text(&words[0]), Text(&words[1]));
            weft::eprintln!("sh: {name}: {level}: expected a number above 0");
            shell.status = 2;
            shell.fatal()
        }
    }
}

pub fn eval(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let text = words[1..].join(&b' ');
    shell.status = 0;
    read::text(shell, &text)
}

/// `. FILE`: reads commands of a file into this shell.
pub fn source(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(name) = words.get(1) else {
        weft::eprintln!("sh: .: expected a file");
        shell.status = 2;
        return shell.fatal();
    };
    if shell.files == FILES {
        weft::eprintln!("sh: .: more than {FILES} files inside each other");
        shell.status = 2;
        return Err(Leave::Exit);
    }
    let path = shell.variables.get(b"PATH").unwrap_or(b"").to_vec();
    let files = CString::new(name.clone()).map(|name| child::candidates(&path, &name));
    let files = files.unwrap_or_default();
    let found = files.iter().find(|file| file::stat(file).is_ok());
    let opened = found.map_or(Err(weft::Errno::ENOENT), |file| {
        Source::file(file.to_bytes())
    });
    let mut source = match opened {
        Ok(source) => source,
        Err(error) => {
            weft::eprintln!("sh: .: {}: {error}", Text(name));
            shell.status = 2;
            return shell.fatal();
        }
    };
    shell.files += 1;
    shell.status = 0;
    let flow = read::until_left(shell, &mut source);
    shell.files -= 1;
    source.close();
    match flow {
        Err(Leave::Return) => Ok(()),
        flow => flow,
    }
}

/// `exec PROGRAM…` turns the shell into the program; without one, the
/// redirections before it stay in force.
pub fn exec(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if words.len() == 1 {
        return done(shell, 0);
    }
    child::heed_keys_if(shell.terminal.is_some());
    shell.status = child::exec(shell, &words[1..]);
    if shell.terminal.is_none() {
        return Err(Leave::Exit);
    }
    // The shell is still here: it does not want the keys.
    child::ignore_keys();
    Ok(())
}

/// `trap COMMANDS EXIT`, `trap '' SIGNAL…` and `trap - SIGNAL…`.
pub fn trap(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some((action, names)) = words[1..].split_first() else {
        if let Some(text) = &shell.at_exit {
            let text = user_bin::shell::variables::quote(text);
            weft::println!("trap -- {} EXIT", Text(&text));
        }
        return done(shell, 0);
    };
    // A number alone resets it.
    let (action, names) = match number(action) {
        Some(_) if names.is_empty() => (b"-".as_slice(), &words[1..]),
        _ => (action.as_slice(), names),
    };
    shell.status = 0;
    for name in names {
        match (name.as_slice(), action) {
            (b"EXIT" | b"0", b"-") => shell.at_exit = None,
            (b"EXIT" | b"0", text) => shell.at_exit = Some(text.into()),
            (name, action) => set_signal(shell, name, action),
        }
    }
    Ok(())
}

fn set_signal(shell: &mut Shell, name: &[u8], action: &[u8]) {
    let result = match (signals::number(name), action) {
        (None, _) => Err("there is no such signal"),
        (Some(signal), b"-") => process::set_signal(signal, SIG_DFL).map_err(|_| "not possible"),
        (Some(signal), b"") => process::set_signal(signal, SIG_IGN).map_err(|_| "not possible"),
        _ => Err("only '' (ignore) and - (default) are supported for signals"),
    };
    if let Err(what) = result {
        weft::eprintln!("sh: trap: {}: {what}", Text(name));
        shell.status = 1;
    }
}

/// `command [-v] NAME…`: the program or built-in of that name, past functions.
pub fn command(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let words = &words[1..];
    match words.first().map(Vec::as_slice) {
        None => done(shell, 0),
        Some(b"-v") => {
            let mut status = u8::from(words.len() < 2);
            for name in &words[1..] {
                match kind(shell, name) {
                    None => status = 127,
                    Some(Kind::File(file)) => weft::println!("{}", Text(&file)),
                    Some(_) => weft::println!("{}", Text(name)),
                }
            }
            done(shell, status)
        }
        Some(name) => {
            let builtin = super::special(name).or_else(|| super::ordinary(name));
            match builtin {
                Some(builtin) => builtin(shell, words),
                None => {
                    let words = words.to_vec();
                    let text = words.join(&b' ');
                    shell.run_job(&text, |shell| child::exec(shell, &words));
                    Ok(())
                }
            }
        }
    }
}

enum Kind {
    Function,
    Builtin,
    File(Vec<u8>),
}

fn kind(shell: &Shell, name: &[u8]) -> Option<Kind> {
    if is_name(name) && shell.functions.contains_key(name) {
        return Some(Kind::Function);
    }
    if super::special(name).is_some() || super::ordinary(name).is_some() {
        return Some(Kind::Builtin);
    }
    let path = shell.variables.get(b"PATH").unwrap_or(b"");
    let name = CString::new(name).ok()?;
    let files = child::candidates(path, &name);
    let file = files.into_iter().find(|file| file::stat(file).is_ok())?;
    Some(Kind::File(file.into_bytes()))
}

pub fn type_of(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut status = 0;
    for name in &words[1..] {
        let shown = Text(name);
        match kind(shell, name) {
            Some(Kind::Function) => weft::println!("{shown} is a function"),
            Some(Kind::Builtin) => weft::println!("{shown} is a shell builtin"),
            Some(Kind::File(file)) => weft::println!("{shown} is {}", Text(&file)),
            None => {
                weft::eprintln!("sh: {shown}: not found");
                status = 127;
            }
        }
    }
    done(shell, status)
}
