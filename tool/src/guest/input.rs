//! The guest's input: what the user types, or what the standard input holds.

use std::io::{BufRead, Read, Write, stdin};
use std::process::ChildStdin;
use std::sync::mpsc::Receiver;
use std::thread;

use super::escape::{Escape, Typed};

/// The word on the kernel's command line that makes its readers ask for input.
pub const PACED: &str = "console=paced";

/// End of file, as the guest's console takes it.
const END: u8 = 4;

/// Takes the meaning of a key from the byte behind it.
const LITERAL: u8 = 0x16;

/// What is sent at a time, if no line ends before: less than the guest keeps.
const PORTION: usize = 120;

const HELP: &str = "\n\
    Ctrl-A X   leave Weft\n\
    Ctrl-A A   send Ctrl-A\n\
    Ctrl-P     (to the guest) list the threads\n";

/// Copies the standard input to the guest, a line for each time that it asks
/// for input, and ends it there as it ends here.
pub fn forward(mut guest: ChildStdin, asked: Receiver<()>) {
    thread::spawn(move || {
        for () in asked {
            let mut input = stdin().lock();
            // An input that cannot be read ends here too.
            let bytes = input.fill_buf().unwrap_or_default();
            let taken = portion(bytes);
            let keys = keys(taken);
            let length = taken.len();
            input.consume(length);
            drop(input);
            if guest.write_all(&keys).is_err() {
                // The guest has ended.
                return;
            }
        }
    });
}

/// What to send of `bytes` at a time: to the end of a line, if it is near.
fn portion(bytes: &[u8]) -> &[u8] {
    let line = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |end| end + 1);
    &bytes[..line.min(PORTION)]
}

/// The keys that type `bytes`: control characters are marked as data, and what
/// is no whole line is handed to the reader by the key for the end of the file.
/// For no bytes that key means what it says.
fn keys(bytes: &[u8]) -> Vec<u8> {
    let mut keys = Vec::with_capacity(bytes.len() + 1);
    for byte in bytes {
        if byte.is_ascii_control() && !matches!(byte, b'\n' | b'\t') {
            keys.push(LITERAL);
        }
        keys.push(*byte);
    }
    if bytes.last() != Some(&b'\n') {
        keys.push(END);
    }
    keys
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
    fn lines_go_one_at_a_time() {
        assert_eq!(portion(b"one\ntwo\n"), b"one\n");
        assert_eq!(portion(b"one"), b"one");
        assert_eq!(portion(b""), b"");
        assert_eq!(portion(&[b'x'; 1000]).len(), PORTION);
    }

    #[test]
    fn control_characters_are_data() {
        assert_eq!(keys(b"a\tb\n"), b"a\tb\n");
        assert_eq!(
            keys(b"\x03\x16\x7f\r\n"),
            b"\x16\x03\x16\x16\x16\x7f\x16\r\n"
        );
    }

    #[test]
    fn what_is_no_line_is_handed_over() {
        assert_eq!(keys(b"abc"), b"abc\x04");
        assert_eq!(keys(b""), b"\x04");
    }
}
