//! A terminal whose keys a program takes as they come.

use weft::abi::tty::{ECHO, ICANON, ICRNL, IEXTEN, ISIG, Termios, VMIN, VTIME};
use weft::{Errno, file};

/// Gives the terminal back as it was when dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Neither lines nor signals are made of keys from now on, nor are they shown.
    ///
    /// # Errors
    /// ENOTTY if the standard input is no terminal.
    pub fn open() -> Result<Raw, Errno> {
        Raw::without(ICANON | ECHO | ISIG | IEXTEN, ICRNL)
    }

    /// As [`Raw::open`], but ^C still ends the program.
    pub fn with_signals() -> Result<Raw, Errno> {
        Raw::without(ICANON | ECHO, 0)
    }

    fn without(local: u32, input: u32) -> Result<Raw, Errno> {
        let before = file::terminal(file::STDIN)?;
        let mut modes = before;
        modes.lflag &= !local;
        modes.iflag &= !input;
        modes.cc[VMIN] = 1;
        modes.cc[VTIME] = 0;
        file::set_terminal(file::STDIN, &modes)?;
        Ok(Raw { before })
    }

    /// Rows and columns; 24 and 80 where nobody has told.
    pub fn size(&self) -> (usize, usize) {
        let size = file::window_size(file::STDIN).unwrap_or_default();
        match (size.rows, size.columns) {
            (0, _) | (_, 0) => (24, 80),
            (rows, columns) => (rows.into(), columns.into()),
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = file::set_terminal(file::STDIN, &self.before);
    }
}
