//! Built-ins that read, and those that change where and how files are made.

use super::done;
use crate::shell::{Flow, Shell};
use alloc::ffi::CString;
use alloc::vec::Vec;
use user_bin::shell::fields::{self, Line};
use user_bin::shell::tree::is_name;
use weft::io::Text;
use weft::{Errno, abi, file};

pub fn cd(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let variable = |name: &[u8]| shell.variables.get(name).map(<[u8]>::to_vec);
    let back = words.get(1).is_some_and(|word| word == b"-");
    let to = match words.get(1) {
        Some(_) if back => variable(b"OLDPWD"),
        Some(to) => Some(to.clone()),
        None => Some(variable(b"HOME").unwrap_or(b"/".into())),
    };
    let Some(to) = to else {
        weft::eprintln!("sh: cd: OLDPWD is not set");
        return done(shell, 2);
    };
    let changed = CString::new(to.as_slice()).map_err(|_| Errno::ENOENT);
    if let Err(error) = changed.and_then(|path| file::chdir(&path)) {
        weft::eprintln!("sh: cd: {}: {error}", Text(&to));
        return done(shell, 2);
    }
    let old = variable(b"PWD").unwrap_or_default();
    let mut buffer = [0; abi::file::PATH_MAX];
    let now = file::current_folder(&mut buffer).map_or(to, |path| path.to_bytes().into());
    if back {
        weft::println!("{}", Text(&now));
    }
    shell.status = 0;
    if shell.assign_or_report(b"OLDPWD", &old) {
        shell.assign_or_report(b"PWD", &now);
    }
    Ok(())
}

pub fn umask(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(word) = words.get(1) else {
        let mask = file::umask(0).unwrap_or(0);
        let _ = file::umask(mask);
        weft::println!("{mask:04o}");
        return done(shell, 0);
    };
    let text = core::str::from_utf8(word).unwrap_or("");
    match u32::from_str_radix(text, 8) {
        Ok(mask) if mask <= 0o777 => {
            let _ = file::umask(mask);
            done(shell, 0)
        }
        _ => {
            weft::eprintln!("sh: umask: {}: expected an octal mode", Text(word));
            done(shell, 2)
        }
    }
}

/// `read [-r] [-p PROMPT] NAME…`: a line, split at IFS; the last name gets
/// what is left.
pub fn read(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut names = &words[1..];
    let mut raw = false;
    loop {
        match names.first().map(Vec::as_slice) {
            Some(b"-r") => {
                raw = true;
                names = &names[1..];
            }
            Some(b"-p") if names.len() > 1 => {
                weft::eprint!("{}", Text(&names[1]));
                names = &names[2..];
            }
            _ => break,
        }
    }
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        weft::eprintln!("sh: read: '{}' cannot name a variable", Text(name));
        return done(shell, 2);
    }
    let default = [b"REPLY".to_vec()];
    let names = if names.is_empty() { &default } else { names };
    let mut line = Line::new(raw);
    let whole = loop {
        // Byte by byte: what follows the line is for whoever reads next.
        let mut byte = [0];
        match file::read(file::STDIN, &mut byte) {
            Ok(0) => break false,
            Ok(_) if line.push(byte[0]) => break true,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => {
                weft::eprintln!("sh: read: {error}");
                break false;
            }
        }
    };
    let separators = shell.variables.get(b"IFS").unwrap_or(b" \t\n").to_vec();
    let values = fields::assign(&line, &separators, names.len());
    shell.status = u8::from(!whole);
    for (name, value) in names.iter().zip(values) {
        if !shell.assign_or_report(name, &value) {
            break;
        }
    }
    Ok(())
}
