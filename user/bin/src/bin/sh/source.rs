//! Where the shell's commands come from.

use alloc::vec::Vec;
use core::ffi::CStr;
use weft::io::Lines;
use weft::{Errno, abi, file};

pub enum Source {
    Text(Vec<u8>),
    File(Lines),
    /// Standard input, which the commands read too: not a byte may be taken
    /// past the line. A terminal hands out lines by itself.
    Input {
        terminal: bool,
    },
}

impl Source {
    pub fn text(text: &[u8]) -> Source {
        Source::Text(text.into())
    }

    pub fn file(name: &CStr) -> Result<Source, Errno> {
        let fd = file::open(name, abi::file::O_RDONLY)?;
        // Out of the way of descriptors that commands name, and not theirs.
        let high = file::control(fd, abi::file::F_DUPFD_CLOEXEC, 10)? as i32;
        file::close(fd)?;
        Ok(Source::File(Lines::new(high)))
    }

    pub fn input() -> Source {
        Source::Input {
            terminal: file::terminal(file::STDIN).is_ok(),
        }
    }

    pub fn interactive(&self) -> bool {
        matches!(self, Source::Input { terminal: true })
    }

    /// Appends a line to `text`; false if it was the last.
    pub fn read_line(&mut self, text: &mut Vec<u8>) -> bool {
        match self {
            Source::Text(whole) => {
                text.append(whole);
                false
            }
            Source::File(lines) => match lines.next_line() {
                Ok(Some(line)) => {
                    text.extend_from_slice(line);
                    line.ends_with(b"\n")
                }
                Ok(None) => false,
                Err(error) => report(error),
            },
            Source::Input { terminal } => read_input(text, if *terminal { 512 } else { 1 }),
        }
    }
}

fn read_input(text: &mut Vec<u8>, step: usize) -> bool {
    let mut buffer = [0; 512];
    loop {
        match file::read(file::STDIN, &mut buffer[..step]) {
            Ok(0) => return false,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
            Err(Errno::EINTR) => continue,
            Err(error) => return report(error),
        }
        if text.ends_with(b"\n") {
            return true;
        }
    }
}

fn report(error: Errno) -> bool {
    weft::eprintln!("sh: reading commands: {error}");
    false
}
