//! The screen that `top` draws on, and the key that ends it.

use alloc::string::String;
use user_bin::system::terminal::Raw;
use weft::{Errno, file};

pub struct Screen(Raw);

impl Screen {
    pub fn open() -> Result<Screen, Errno> {
        let screen = Raw::with_signals().map(Screen)?;
        file::write_all(file::STDOUT, b"\x1b[H\x1b[J")?;
        Ok(screen)
    }

    /// Draws as many lines of the text as there is room for.
    pub fn show(&self, text: &str) -> Result<(), Errno> {
        let (rows, columns) = self.0.size();
        let mut frame = String::from("\x1b[H");
        for (row, line) in text.lines().take(rows).enumerate() {
            if row > 0 {
                frame.push_str("\r\n");
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
        let _ = file::write_all(file::STDOUT, b"\r\n");
    }
}
