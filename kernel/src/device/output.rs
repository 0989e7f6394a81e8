//! What a terminal makes of the bytes written to it (termios(3), OPOST). Pure.

use abi::tty::{ONLCR, OPOST, Termios};

/// Passes `bytes` on as the terminal needs them under `modes`.
pub fn process_output(modes: &Termios, bytes: &[u8], write: &mut impl FnMut(&[u8])) {
    if modes.oflag & (OPOST | ONLCR) != OPOST | ONLCR {
        return write(bytes);
    }
    let mut rest = bytes;
    while let Some(newline) = rest.iter().position(|&byte| byte == b'\n') {
        if newline > 0 {
            write(&rest[..newline]);
        }
        write(b"\r\n");
        rest = &rest[newline + 1..];
    }
    if !rest.is_empty() {
        write(rest);
    }
}
