//! Built-ins that only print or answer.

use super::done;
use crate::shell::{Flow, Shell};
use alloc::vec::Vec;
use user_bin::shell::{condition, format};
use user_bin::system::facts::Facts;
use weft::io::Text;
use weft::{abi, file};

pub fn succeed(shell: &mut Shell, _words: &[Vec<u8>]) -> Flow {
    done(shell, 0)
}

pub fn fail(shell: &mut Shell, _words: &[Vec<u8>]) -> Flow {
    done(shell, 1)
}

fn print(shell: &mut Shell, name: &str, bytes: &[u8]) -> Flow {
    let result = file::write_all(file::STDOUT, bytes);
    if let Err(error) = result {
        weft::eprintln!("sh: {name}: {error}");
    }
    done(shell, result.is_err().into())
}

/// `echo [-n] [WORD…]`.
pub fn echo(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut words = &words[1..];
    let bare = words.first().is_some_and(|word| word == b"-n");
    if bare {
        words = &words[1..];
    }
    let mut line = words.join(&b' ');
    if !bare {
        line.push(b'\n');
    }
    print(shell, "echo", &line)
}

pub fn pwd(shell: &mut Shell, _words: &[Vec<u8>]) -> Flow {
    let mut buffer = [0; abi::file::PATH_MAX];
    match file::current_folder(&mut buffer) {
        Ok(folder) => {
            let line = [folder.to_bytes(), b"\n"].concat();
            print(shell, "pwd", &line)
        }
        Err(error) => {
            weft::eprintln!("sh: pwd: {error}");
            done(shell, 1)
        }
    }
}

pub fn printf(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let words: Vec<&[u8]> = words[1..].iter().map(Vec::as_slice).collect();
    let Some((form, arguments)) = words.split_first() else {
        weft::eprintln!("usage: printf FORMAT [ARGUMENT...]");
        return done(shell, 2);
    };
    let (text, error) = format::format(form, arguments);
    print(shell, "printf", &text)?;
    if let Some(error) = error {
        weft::eprintln!("sh: printf: {error}");
        shell.status = 1;
    }
    Ok(())
}

pub fn test(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut arguments: Vec<&[u8]> = words[1..].iter().map(Vec::as_slice).collect();
    if words[0] == b"[" && arguments.pop() != Some(b"]") {
        weft::eprintln!("sh: [: expected ']' at the end");
        return done(shell, 2);
    }
    match condition::evaluate(&arguments, &mut Facts) {
        Ok(holds) => done(shell, !holds as u8),
        Err(error) => {
            weft::eprintln!("sh: {}: {error}", Text(&words[0]));
            done(shell, 2)
        }
    }
}
