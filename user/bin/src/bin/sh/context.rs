//! What words are expanded in: the shell's variables and parameters, the
//! output of commands, and the files there are.

use crate::control::Place;
use crate::shell::Shell;
use alloc::ffi::CString;
use alloc::vec::Vec;
use user_bin::shell::expand::Context;
use user_bin::shell::glob::Folders;
use user_bin::shell::jobs::Change;
use user_bin::shell::tree::List;
use user_bin::shell::variables::ReadOnly;
use weft::{Errno, file, process};

impl Context for Shell {
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        let number = |value: i64| Some(alloc::format!("{value}").into_bytes());
        match name {
            b"?" => number(self.status.into()),
            b"$" => number(self.id.into()),
            b"#" => number(self.positional.len() as i64),
            b"!" => number(self.last_background?.into()),
            b"-" => Some(self.options.letters()),
            b"0" => Some(self.name.clone()),
            [b'0'..=b'9', ..] => {
                let index: usize = core::str::from_utf8(name).ok()?.parse().ok()?;
                self.positional.get(index.checked_sub(1)?).cloned()
            }
            _ => self.variables.get(name).map(<[u8]>::to_vec),
        }
    }

    fn assign(&mut self, name: &[u8], value: &[u8]) -> Result<(), ReadOnly> {
        self.variables.set(name, value)
    }

    fn positional(&self) -> &[Vec<u8>] {
        &self.positional
    }

    fn output_of(&mut self, list: &List) -> Vec<u8> {
        let (read, write) = match file::pipe() {
            Ok(ends) => ends,
            Err(error) => {
                weft::eprintln!("sh: cannot make a pipe: {error}");
                return Vec::new();
            }
        };
        // It stays in the shell's group: keys reach it if they reach the shell.
        match self.fork(Place::default()) {
            Ok(None) => {
                let _ = file::close(read);
                if write != file::STDOUT {
                    let _ = file::dup2(write, file::STDOUT).and(file::close(write));
                }
                let flow = self.run_list(list);
                self.end_child(flow)
            }
            Ok(Some(child)) => {
                let _ = file::close(write);
                let output = read_all(read);
                let _ = file::close(read);
                let code = wait_for(self, child);
                self.status = code;
                self.substitution = Some(code);
                output
            }
            Err(_) => {
                let _ = file::close(read).and(file::close(write));
                Vec::new()
            }
        }
    }

    fn unset_is_error(&self) -> bool {
        self.options.unset_is_error
    }

    fn patterns_off(&self) -> bool {
        self.options.patterns_off
    }
}

fn read_all(fd: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match file::read(fd, &mut buffer) {
            Ok(0) => return bytes,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(Errno::EINTR) => {}
            Err(_) => return bytes,
        }
    }
}

/// Waits for a child that is no job.
fn wait_for(shell: &mut Shell, child: i32) -> u8 {
    loop {
        match process::wait_status(child, 0) {
            Ok(Some((id, status))) if id == child => return Change::from_status(status).code(),
            Ok(Some((id, status))) => shell.jobs.note(id, Change::from_status(status)),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(_) => return 127,
        }
    }
}

impl Folders for Shell {
    fn names(&mut self, folder: &[u8]) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        let Ok(folder) = CString::new(folder) else {
            return names;
        };
        // What cannot be read matches nothing.
        let flags = weft::abi::file::O_RDONLY | weft::abi::file::O_DIRECTORY;
        let Ok(fd) = file::open(&folder, flags) else {
            return names;
        };
        let mut buffer = [0; 4096];
        let mut each = |entry: file::Entry<'_>| names.push(entry.name.to_bytes().to_vec());
        while let Ok(true) = file::read_folder(fd, &mut buffer, &mut each) {}
        let _ = file::close(fd);
        names
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        CString::new(path).is_ok_and(|path| file::lstat(&path).is_ok())
    }
}
