//! Forked shells: what they forget, and how they become programs.

use crate::control::Place;
use crate::shell::{Flow, Shell};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::shell::jobs::Jobs;
use user_bin::shell::tree::*;
use weft::abi::signal::*;
use weft::io::Text;
use weft::{Errno, abi, file, process};

/// What keys at the terminal send, and what the terminal sends to those who
/// must not use it: an interactive shell is not to be stopped by them.
const KEYS: [u32; 5] = [SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU];

pub fn ignore_keys() {
    for signal in KEYS {
        let _ = process::set_signal(signal, SIG_IGN);
    }
}

/// A shell that ignored the keys must not pass that on.
pub fn heed_keys_if(ignored: bool) {
    if ignored {
        heed_keys();
    }
}

fn heed_keys() {
    for signal in KEYS {
        let _ = process::set_signal(signal, SIG_DFL);
    }
}

impl Shell {
    /// Forks. In the child `None`, with nothing of the parent's that must not
    /// be there twice; in the parent the child's id, or the status after a message.
    pub fn fork(&mut self, place: Place) -> Result<Option<i32>, u8> {
        match process::fork() {
            Ok(None) => {
                if let Some(terminal) = self.terminal.take() {
                    if let Some(group) = place.group {
                        let _ = process::set_group(0, group);
                        if place.in_front {
                            terminal.give_to(process::group());
                        }
                    }
                    heed_keys();
                } else if place.background {
                    // Keys are not for it, and it has no group that would keep them away.
                    let _ = process::set_signal(SIGINT, SIG_IGN);
                    let _ = process::set_signal(SIGQUIT, SIG_IGN);
                    if let Ok(null) = file::open(c"/dev/null", abi::file::O_RDONLY) {
                        let _ = file::dup2(null, file::STDIN).and(file::close(null));
                    }
                }
                self.jobs = Jobs::default();
                self.at_exit = None;
                Ok(None)
            }
            Ok(Some(child)) => {
                if let (Some(_), Some(group)) = (&self.terminal, place.group) {
                    // Both do it, as either may come first.
                    let _ = process::set_group(child, if group == 0 { child } else { group });
                }
                Ok(Some(child))
            }
            Err(error) => {
                weft::eprintln!("sh: cannot fork: {error}");
                Err(2)
            }
        }
    }

    /// In a child: runs one command of a pipeline, and nothing after it.
    pub fn become_command(&mut self, command: &Command) -> ! {
        let flow = match &command.what {
            What::Simple { assignments, words } => {
                self.become_simple(assignments, words, &command.redirects)
            }
            What::Subshell(list) => self.become_list(list, &command.redirects),
            _ => self.run_command(command, b""),
        };
        self.end_child(flow)
    }

    pub fn become_list(&mut self, list: &List, redirects: &[Redirect]) -> Flow {
        match crate::redirect::apply(self, redirects) {
            Ok(()) => self.run_list(list),
            Err(_) => {
                self.status = 1;
                Ok(())
            }
        }
    }
}

/// Turns the process into the program; comes back with the status that tells
/// why not.
pub fn exec(shell: &Shell, words: &[Vec<u8>]) -> u8 {
    let Some(strings) = strings(words) else {
        weft::eprintln!("sh: an argument holds a zero byte");
        return 126;
    };
    let Some(environment) = strings_of(shell.variables.environment()) else {
        return 126;
    };
    let words: Vec<&CStr> = strings.iter().map(CString::as_c_str).collect();
    let environment: Vec<&CStr> = environment.iter().map(CString::as_c_str).collect();
    let path = shell.variables.get(b"PATH").unwrap_or(b"/bin");
    let Some(name) = words.first() else {
        return 127;
    };
    let mut error = Errno::ENOENT;
    for file in candidates(path, name) {
        error = process::exec_with(&file, &words, &environment);
        if error == Errno::ENOEXEC {
            error = exec_script(&file, &words, &environment);
        }
        if !matches!(error, Errno::ENOENT | Errno::ENOTDIR) {
            break;
        }
    }
    let shown = Text(name.to_bytes());
    match error {
        Errno::ENOENT if !name.to_bytes().contains(&b'/') => {
            weft::eprintln!("sh: {shown}: not found");
            127
        }
        error => {
            weft::eprintln!("sh: {shown}: {error}");
            if error == Errno::ENOENT { 127 } else { 126 }
        }
    }
}

/// The files that a command's name can stand for.
pub fn candidates(path: &[u8], name: &CStr) -> Vec<CString> {
    if name.to_bytes().contains(&b'/') {
        return alloc::vec![name.into()];
    }
    if name.is_empty() {
        return Vec::new();
    }
    path.split(|byte| *byte == b':')
        .map(|folder| if folder.is_empty() { b"." } else { folder })
        .filter_map(|folder| CString::new([folder, b"/", name.to_bytes()].concat()).ok())
        .collect()
}

/// A file that is no program is a script for this shell, unless its first
/// line names another; one with a zero byte early on is neither.
fn exec_script(file: &CStr, words: &[&CStr], environment: &[&CStr]) -> Errno {
    let mut head = [0; 256];
    let read = file::open(file, abi::file::O_RDONLY).and_then(|fd| {
        let read = file::read_full(fd, &mut head);
        file::close(fd).and(read)
    });
    let head = match read {
        Ok(length) => &head[..length],
        Err(error) => return error,
    };
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    if line.contains(&0) {
        return Errno::ENOEXEC;
    }
    let mut program: Vec<CString> = Vec::new();
    if let Some(named) = line.strip_prefix(b"#!") {
        let named = named.trim_ascii();
        let mut parts = named.splitn(2, |byte| *byte == b' ');
        program.extend(parts.by_ref().filter_map(|part| {
            let part = part.trim_ascii();
            CString::new(part).ok().filter(|_| !part.is_empty())
        }));
    }
    if program.is_empty() {
        program.push(c"/bin/sh".into());
    }
    let mut all: Vec<&CStr> = program.iter().map(CString::as_c_str).collect();
    all.push(file);
    all.extend(words.get(1..).unwrap_or(&[]));
    process::exec_with(all[0], &all, environment)
}

fn strings(words: &[Vec<u8>]) -> Option<Vec<CString>> {
    strings_of(words.to_vec())
}

fn strings_of(words: Vec<Vec<u8>>) -> Option<Vec<CString>> {
    words
        .into_iter()
        .map(|word| CString::new(word).ok())
        .collect()
}
