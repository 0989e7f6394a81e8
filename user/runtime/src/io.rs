//! Formatted output, and buffered lines in and out.
//!
//! Each `print!` is one `write` (up to 512 bytes), so that lines of several
//! threads do not mix.

use crate::file;
use abi::Errno;
use alloc::vec::Vec;
use core::fmt;

/// Collects output in `N` bytes and writes it when full or flushed.
pub struct Writer<const N: usize = 4096> {
    fd: i32,
    used: usize,
    buffer: [u8; N],
    error: Option<Errno>,
}

impl<const N: usize> Writer<N> {
    pub const fn new(fd: i32) -> Self {
        Writer {
            fd,
            used: 0,
            buffer: [0; N],
            error: None,
        }
    }

    pub fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.used == N {
                self.drain();
            }
            let n = bytes.len().min(N - self.used);
            self.buffer[self.used..self.used + n].copy_from_slice(&bytes[..n]);
            self.used += n;
            bytes = &bytes[n..];
        }
    }

    fn drain(&mut self) {
        if self.error.is_none() {
            self.error = file::write_all(self.fd, &self.buffer[..self.used]).err();
        }
        self.used = 0;
    }

    /// Writes what is left; reports the first error since the last flush.
    pub fn flush(&mut self) -> Result<(), Errno> {
        self.drain();
        self.error.take().map_or(Ok(()), Err)
    }
}

impl<const N: usize> fmt::Write for Writer<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

impl<const N: usize> Drop for Writer<N> {
    fn drop(&mut self) {
        if self.used > 0 {
            self.drain();
        }
    }
}

/// What `print!` and `eprint!` expand to. Errors are dropped, as there is
/// nowhere left to tell them.
pub fn print(fd: i32, text: fmt::Arguments<'_>) {
    let mut writer = Writer::<512>::new(fd);
    let _ = fmt::write(&mut writer, text);
}

/// Prints to standard output.
#[macro_export]
macro_rules! print {
    ($($t:tt)*) => { $crate::io::print(1, format_args!($($t)*)) };
}

/// Prints a line to standard output.
#[macro_export]
macro_rules! println {
    () => { $crate::io::print(1, format_args!("\n")) };
    ($form:literal $($t:tt)*) => { $crate::io::print(1, format_args!("{}\n", format_args!($form $($t)*))) };
}

/// Prints to standard error.
#[macro_export]
macro_rules! eprint {
    ($($t:tt)*) => { $crate::io::print(2, format_args!($($t)*)) };
}

/// Prints a line to standard error.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::io::print(2, format_args!("\n")) };
    ($form:literal $($t:tt)*) => { $crate::io::print(2, format_args!("{}\n", format_args!($form $($t)*))) };
}

/// Shows bytes as text, with what is not UTF-8 replaced.
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

/// Reads a descriptor line by line.
pub struct Lines {
    fd: i32,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
}

impl Lines {
    pub const fn new(fd: i32) -> Lines {
        Lines {
            fd,
            buffer: Vec::new(),
            start: 0,
            ended: false,
        }
    }

    pub const fn fd(&self) -> i32 {
        self.fd
    }

    /// The next line with its newline (the last may lack it); `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, Errno> {
        let mut searched = self.start;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|&b| b == b'\n') {
                let line = self.start..searched + at + 1;
                self.start = line.end;
                return Ok(Some(&self.buffer[line]));
            }
            if self.ended {
                let line = self.start..self.buffer.len();
                self.start = line.end;
                return Ok((!line.is_empty()).then(|| &self.buffer[line]));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            self.buffer.resize(searched + 4096, 0);
            let got = file::read(self.fd, &mut self.buffer[searched..]);
            self.buffer.truncate(searched + got.unwrap_or(0));
            self.ended = got? == 0;
        }
    }
}
