//! The screen that `top` draws on, and the key that ends it.

use alloc::string::String;
use weft::abi::tty::{ECHO, ICANON, Termios, VMIN, VTIME};
use weft::{Errno, file};

pub struct Screen {
    before: Termios,
}

impl Screen {
    /// Keys come at once and unseen from now on.
    pub fn open() -> Result<Screen, Errno> {
        let before = file::terminal(file::STDIN)?;
        let mut modes = before;
        modes.lflag &= !(ICANON | ECHO);
        modes.cc[VMIN] = 1;
        modes.cc[VTIME] = 0;
        file::set_terminal(file::STDIN, &modes)?;
        Ok(Screen { before })
    }

    /// Draws as many lines of the text as there is room for.
    pub fn show(&self, text: &str) -> Result<(), Errno> {
        let size = file::window_size(file::STDOUT).unwrap_or_default();
        let rows = if size.rows == 0 { 24 } else { size.rows.into() };
        let columns = if size.columns == 0 {
            80
        } else {
            size.columns.into()
        };
        let mut frame = String::from("\x1b[H");
        for (row, line) in text.lines().take(rows).enumerate() {
            if row > 0 {
                frame.push('\n');
            }
            frame.extend(line.chars().take(columns));
            frame.push_str("\x1b[K");
        }
        frame.push_str("\x1b[J");
        file::write_all(file::STDOUT, frame.as_bytes())
    }

    /// Waits so long for a key; whether it ends the program.
    pub fn asked_to_end(&self, milliseconds: i32) -> Result<bool, Errno> {
        if !file::wait_readable(file::STDIN, milliseconds)? {
            return Ok(false);
        }
        let mut key = [0];
        let length = file::read(file::STDIN, &mut key)?;
        Ok(length == 0 || key[0] == b'q')
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = file::set_terminal(file::STDIN, &self.before);
        let _ = file::write_all(file::STDOUT, b"\n");
    }
}
