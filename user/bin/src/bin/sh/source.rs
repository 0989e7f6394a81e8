//! Where the shell's commands come from.

use alloc::ffi::CString;
use alloc::vec::Vec;
use weft::io::Lines;
use weft::{Errno, abi, file};

pub enum Source {
    /// A text, and how much of it has been read.
    Text(Vec<u8>, usize),
    File(Lines),
    /// Standard input, which the commands read too: not a byte may be taken
    /// past the line. A terminal hands out lines by itself.
    Input {
        terminal: bool,
    },
}

impl Source {
    pub fn text(text: &[u8]) -> Source {
        Source::Text(text.into(), 0)
    }

    pub fn file(name: &[u8]) -> Result<Source, Errno> {
        let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
        let fd = file::open(&name, abi::file::O_RDONLY)?;
        // Out of the way of descriptors that commands name, and not theirs.
        let high = file::control(fd, abi::file::F_DUPFD_CLOEXEC, 10);
        file::close(fd)?;
        Ok(Source::File(Lines::new(high? as i32)))
    }

    pub fn input() -> Source {
        Source::Input {
            terminal: file::terminal(file::STDIN).is_ok(),
        }
    }

    /// Gives back the descriptor of a file.
    pub fn close(self) {
        if let Source::File(lines) = self {
            let _ = file::close(lines.fd());
        }
    }

    pub fn interactive(&self) -> bool {
        matches!(self, Source::Input { terminal: true })
    }

    /// Appends a line to `text`; false if it was the last.
    pub fn read_line(&mut self, text: &mut Vec<u8>) -> bool {
        match self {
            Source::Text(whole, at) => {
                let rest = &whole[*at..];
                let end = rest.iter().position(|byte| *byte == b'\n');
                let line = &rest[..end.map_or(rest.len(), |end| end + 1)];
                text.extend_from_slice(line);
                *at += line.len();
                *at < whole.len()
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
