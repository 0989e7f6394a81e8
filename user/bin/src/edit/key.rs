//! Keys, out of the bytes that a terminal sends: characters in UTF-8, control
//! keys as bytes below 32, others as sequences that begin with ESC.

use alloc::vec::Vec;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// One character.
    Text(Vec<u8>),
    /// ^A and so on, by the capital letter.
    Control(u8),
    Enter,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Escape,
    /// A sequence that means nothing here.
    Unknown,
}

/// The longest sequence that is waited for.
const LONGEST: usize = 16;

/// The first key of some bytes and how many of them it takes; `None` if more
/// must come. With `all`, nothing more comes soon: ESC is a key then.
pub fn decode(bytes: &[u8], all: bool) -> Option<(Key, usize)> {
    let first = *bytes.first()?;
    let key = match first {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        8 | 0x7f => Key::Backspace,
        0x1b => return sequence(bytes, all),
        0..0x20 => Key::Control(first + b'@'),
        _ => return text(bytes, all),
    };
    Some((key, 1))
}

fn text(bytes: &[u8], all: bool) -> Option<(Key, usize)> {
    let wanted = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let length = match bytes.len() < wanted {
        // A valid start: the rest is on its way.
        true if !all && unfinished(bytes) => return None,
        true => 1,
        false => super::buffer::character(bytes),
    };
    Some((Key::Text(bytes[..length].into()), length))
}

fn unfinished(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn sequence(bytes: &[u8], all: bool) -> Option<(Key, usize)> {
    if !matches!(bytes.get(1), Some(b'[' | b'O')) {
        let alone = all || bytes.len() > 1;
        return alone.then_some((Key::Escape, 1));
    }
    let body = &bytes[2..];
    let Some(end) = body.iter().position(|byte| matches!(byte, b'@'..=b'~')) else {
        let never = all || body.len() > LONGEST;
        return never.then_some((Key::Unknown, bytes.len()));
    };
    let key = match &body[..=end] {
        b"A" => Key::Up,
        b"B" => Key::Down,
        b"C" => Key::Right,
        b"D" => Key::Left,
        b"H" | b"1~" | b"7~" => Key::Home,
        b"F" | b"4~" | b"8~" => Key::End,
        b"3~" => Key::Delete,
        b"5~" => Key::PageUp,
        b"6~" => Key::PageDown,
        _ => Key::Unknown,
    };
    Some((key, end + 3))
}
