//! The guest's input: what the user types, or what the standard input holds.

use std::io::{Read, Write, stdin};
use std::process::ChildStdin;
use std::thread;

use super::escape::{Escape, Typed};

/// End of file, as the guest's console takes it.
const END: u8 = 4;

const HELP: &str = "\n\
    Ctrl-A X   leave Weft\n\
    Ctrl-A A   send Ctrl-A\n\
    Ctrl-P     (to the guest) list the threads\n";

/// Copies the standard input to the guest, and ends it there as it ends here.
/// The thread lives as long as the standard input does.
pub fn forward(mut guest: ChildStdin) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut last = b'\n';
        loop {
            match stdin().lock().read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    last = buffer[length - 1];
                    if guest.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
            }
        }
        // The first one only ends a line that has begun. A guest that has ended needs neither.
        guest.write_all(end_of_file(last)).ok();
        // The pipe stays open until QEMU ends: its end would mean nothing to the guest.
        thread::park();
    });
}

/// What ends the input after the byte `last`.
fn end_of_file(last: u8) -> &'static [u8] {
    if last == b'\n' { &[END] } else { &[END, END] }
}

/// Copies what the user types to the guest; calls `quit` when Ctrl-A X is typed.
pub fn type_in(mut guest: ChildStdin, quit: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        let mut escape = Escape::default();
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = stdin().lock().read(&mut buffer) {
            let mut bytes = Vec::with_capacity(length);
            for byte in &buffer[..length] {
                match escape.feed(*byte) {
                    Typed::Byte(byte) => bytes.push(byte),
                    Typed::Nothing => {}
                    Typed::Help => eprint!("{HELP}"),
                    Typed::Quit => return quit(),
                }
            }
            if guest.write_all(&bytes).is_err() {
                return;
            }
        }
        // The terminal is gone.
        quit();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_has_begun_needs_two() {
        assert_eq!(end_of_file(b'\n'), [4]);
        assert_eq!(end_of_file(b'a'), [4, 4]);
    }
}
