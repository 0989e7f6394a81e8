//! Built-ins about variables, parameters and options.

use super::{done, number};
use crate::shell::{Flow, Shell};
use alloc::vec::Vec;
use user_bin::shell::tree::is_name;
use user_bin::shell::variables::{Variable, Variables, quote};
use weft::io::{Text, Writer};

pub fn export(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    mark(
        shell,
        words,
        |variable| variable.exported,
        Variables::export,
    )
}

pub fn readonly(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    mark(
        shell,
        words,
        |variable| variable.read_only,
        Variables::protect,
    )
}

/// Marks the variables named, which may be assigned to as well; without names
/// (or with -p) lists those that are marked.
fn mark(
    shell: &mut Shell,
    words: &[Vec<u8>],
    marked: fn(&Variable) -> bool,
    mark: fn(&mut Variables, &[u8]),
) -> Flow {
    let names = &words[1..];
    if names.first().is_none_or(|word| word == b"-p") {
        let mut out = Writer::<512>::new(1);
        for (name, variable) in shell.variables.iter().filter(|(_, v)| marked(v)) {
            print(&mut out, &words[0], name, variable);
        }
        return done(shell, 0);
    }
    for word in names {
        let (name, value) = halves(word);
        if !is_name(name) {
            weft::eprintln!(
                "sh: {}: '{}' cannot name a variable",
                Text(&words[0]),
                Text(name)
            );
            shell.status = 2;
            return shell.fatal();
        }
        if let Some(value) = value
            && !shell.assign_or_report(name, value)
        {
            return shell.fatal();
        }
        mark(&mut shell.variables, name);
    }
    done(shell, 0)
}

fn print(out: &mut Writer<512>, command: &[u8], name: &[u8], variable: &Variable) {
    if !command.is_empty() {
        out.write(command);
        out.write(b" ");
    }
    out.write(name);
    if let Some(value) = &variable.value {
        out.write(b"=");
        out.write(&quote(value));
    }
    out.write(b"\n");
}

/// `name=value` in its halves, or a name alone.
fn halves(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    }
}

/// In a function: the variables get their values back at its end.
pub fn local(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if shell.locals.is_empty() {
        weft::eprintln!("sh: local: not in a function");
        return done(shell, 2);
    }
    shell.status = 0;
    for word in &words[1..] {
        let (name, value) = halves(word);
        if !is_name(name) {
            weft::eprintln!("sh: local: '{}' cannot name a variable", Text(name));
            return done(shell, 2);
        }
        let saved = shell.variables.save(name);
        if let Some(locals) = shell.locals.last_mut() {
            locals.push((name.into(), saved));
        }
        if let Some(value) = value
            && !shell.assign_or_report(name, value)
        {
            return shell.fatal();
        }
    }
    Ok(())
}

pub fn unset(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut names = &words[1..];
    let functions = names.first().is_some_and(|word| word == b"-f");
    if functions || names.first().is_some_and(|word| word == b"-v") {
        names = &names[1..];
    }
    for name in names {
        if functions {
            shell.functions.remove(name);
        } else if shell.variables.unset(name).is_err() {
            weft::eprintln!("sh: {}: is read only", Text(name));
            shell.status = 2;
            return shell.fatal();
        }
    }
    done(shell, 0)
}

/// `set [-efux] [+efux] [--] [ARGUMENT…]`; alone it lists the variables.
pub fn set(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut rest = &words[1..];
    if rest.is_empty() {
        let mut out = Writer::<512>::new(1);
        for (name, variable) in shell.variables.iter().filter(|(_, v)| v.value.is_some()) {
            print(&mut out, b"", name, variable);
        }
        return done(shell, 0);
    }
    let mut replaces = false;
    while let Some((word, after)) = rest.split_first() {
        match word.as_slice() {
            b"--" => {
                replaces = true;
                rest = after;
                break;
            }
            [sign @ (b'-' | b'+'), letters @ ..] if !letters.is_empty() => {
                for &letter in letters {
                    if !shell.options.set(letter, *sign == b'-') {
                        weft::eprintln!("sh: set: {}: there is no such option", Text(word));
                        shell.status = 2;
                        return shell.fatal();
                    }
                }
                rest = after;
            }
            _ => break,
        }
    }
    if replaces || !rest.is_empty() {
        shell.positional = rest.to_vec();
    }
    done(shell, 0)
}

pub fn shift(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    match words.get(1).map_or(Some(1), |word| number(word)) {
        Some(count) if count <= shell.positional.len() => {
            shell.positional.drain(..count);
            done(shell, 0)
        }
        _ => {
            weft::eprintln!("sh: shift: there are not so many parameters");
            shell.status = 2;
            shell.fatal()
        }
    }
}
