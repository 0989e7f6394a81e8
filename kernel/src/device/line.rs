//! The line discipline: from keys to lines, and from newlines to what a
//! terminal needs (termios(3)).
//!
//! Plain data and no devices; the terminal's lock guards it. [`Line::input`]
//! takes a byte from the keyboard, edits the line, and says what to echo and
//! what to tell others; [`Line::peek`] and [`Line::consume`] are the reader's.

use abi::Errno;
use abi::signal::{SIGINT, SIGQUIT, SIGTSTP};
use abi::tty::*;
use alloc::boxed::Box;

use crate::files::allocate::try_vec;

/// What can wait to be read, the unfinished line included.
const CAPACITY: usize = 4096;

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
/// ^P, which asks for the list of threads.
const LIST: u8 = 0x10;
/// A key that is switched off.
const DISABLED: u8 = 0;

/// A line ends behind this byte.
const END: u16 = 0x100;
/// The end of the file: no byte, and the end of what is there.
const EOF: u16 = 0x200;

/// The modes a terminal starts with.
const INITIAL: Termios = {
    let mut cc = [DISABLED; 19];
    cc[VINTR] = ctrl(b'C');
    cc[VQUIT] = ctrl(b'\\');
    cc[VERASE] = DELETE;
    cc[VKILL] = ctrl(b'U');
    cc[VEOF] = ctrl(b'D');
    cc[VMIN] = 1;
    cc[VSUSP] = ctrl(b'Z');
    cc[VREPRINT] = ctrl(b'R');
    cc[VWERASE] = ctrl(b'W');
    cc[VLNEXT] = ctrl(b'V');
    Termios {
        iflag: ICRNL | IUTF8,
        oflag: OPOST | ONLCR,
        cflag: B38400 | CS8 | CREAD,
        lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        line: 0,
        cc,
    }
};

const fn ctrl(key: u8) -> u8 {
    key & 0x1f
}

/// What a key asks for besides being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Readers have something new.
    Readable,
    /// The foreground group gets this signal.
    Signal(u32),
    ListThreads,
}

/// Bytes to read, oldest first, some with a mark.
struct Queue {
    slots: Box<[u16]>,
    start: usize,
    length: usize,
}

impl Queue {
    fn get(&self, index: usize) -> u16 {
        self.slots[(self.start + index) % CAPACITY]
    }

    fn set_last(&mut self, mark: u16) {
        self.slots[(self.start + self.length - 1) % CAPACITY] |= mark;
    }

    fn push(&mut self, slot: u16) {
        self.slots[(self.start + self.length) % CAPACITY] = slot;
        self.length += 1;
    }

    fn drop_front(&mut self, count: usize) {
        self.start = (self.start + count) % CAPACITY;
        self.length -= count;
    }
}

/// See the module.
pub struct Line {
    modes: Termios,
    queue: Queue,
    /// How many slots at the end of the queue are the unfinished line.
    edited: usize,
    /// The next byte is taken as it is: the key before it was VLNEXT.
    literal: bool,
    /// Whether there is a key that asks for the list of threads.
    lists_threads: bool,
}

/// What a reader would get: bytes copied, and slots they take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peeked {
    pub bytes: usize,
    slots: usize,
}

impl Line {
    /// ENOMEM.
    pub fn new(lists_threads: bool) -> Result<Line, Errno> {
        let mut slots = try_vec(CAPACITY)?;
        slots.resize(CAPACITY, 0);
        Ok(Line {
            modes: INITIAL,
            queue: Queue {
                slots: slots.into_boxed_slice(),
                start: 0,
                length: 0,
            },
            edited: 0,
            literal: false,
            lists_threads,
        })
    }

    pub fn modes(&self) -> Termios {
        self.modes
    }

    /// Changes the modes. What was typed stays: leaving line editing makes it
    /// readable, entering it makes a line of it.
    pub fn set_modes(&mut self, modes: Termios) {
        let was_editing = self.editing();
        self.modes = modes;
        if was_editing == self.editing() {
            return;
        }
        self.edited = 0;
        if self.editing() && self.queue.length > 0 {
            self.queue.set_last(END);
        }
    }

    /// Forgets all input.
    pub fn flush(&mut self) {
        self.queue.length = 0;
        self.edited = 0;
        self.literal = false;
    }

    /// Bytes that could be read now.
    pub fn available(&self) -> usize {
        self.queue.length - self.edited
    }

    /// Whether a read has something to return: a line, or in raw mode as many
    /// bytes as VMIN asks for, of `wanted` at most.
    pub fn readable(&self, wanted: usize) -> bool {
        if self.editing() {
            return self.available() > 0;
        }
        let least = usize::from(self.modes.cc[VMIN]).clamp(1, wanted.max(1));
        self.available() >= least
    }

    /// Whether poll(2) says that it can be read: a read that wants as much as can be
    /// would not wait, but for more bytes behind a first one.
    pub fn ready(&self) -> bool {
        let wanted = if self.modes.cc[VTIME] == 0 {
            usize::MAX
        } else {
            1
        };
        self.readable(wanted)
    }

    /// How many bytes [`Line::input`] takes now without losing one for lack of
    /// room. What makes a line too long is lost, else no end of it would fit.
    pub fn room(&self) -> usize {
        let room = CAPACITY - 1 - self.queue.length.min(CAPACITY - 1);
        match self.editing() && self.available() == 0 {
            true => room.max(1),
            false => room,
        }
    }

    /// Takes one byte from the keyboard. `echo` gets what the terminal is to
    /// show, before output processing.
    pub fn input(&mut self, byte: u8, echo: &mut impl FnMut(&[u8])) -> Option<Event> {
        if core::mem::take(&mut self.literal) && self.editing() {
            self.add(byte, echo);
            return None;
        }
        let byte = match byte {
            b'\r' if self.has_input(IGNCR) => return None,
            b'\r' if self.has_input(ICRNL) => b'\n',
            b'\n' if self.has_input(INLCR) => b'\r',
            byte => byte,
        };
        if self.has(ISIG) {
            let event = self.signal_key(byte, echo);
            if event.is_some() {
                return event;
            }
        }
        if self.editing() {
            self.edit(byte, echo)
        } else {
            if self.queue.length < CAPACITY {
                self.queue.push(byte.into());
                self.echo(byte, echo);
            }
            Some(Event::Readable)
        }
    }

    /// Copies what a read would return into `into`: up to the end of a line
    /// when editing.
    pub fn peek(&self, into: &mut [u8]) -> Peeked {
        let mut bytes = 0;
        let mut slots = 0;
        while slots < self.available() {
            let slot = self.queue.get(slots);
            if slot & EOF != 0 {
                slots += 1;
                break;
            }
            if bytes == into.len() {
                break;
            }
            into[bytes] = slot as u8;
            bytes += 1;
            slots += 1;
            if slot & END != 0 {
                break;
            }
        }
        Peeked { bytes, slots }
    }

    /// Removes what was peeked, of which `taken` bytes got to the reader.
    pub fn consume(&mut self, peeked: Peeked, taken: usize) {
        let slots = match taken == peeked.bytes {
            true => peeked.slots,
            false => taken,
        };
        // A flush may have come between.
        self.queue.drop_front(slots.min(self.available()));
    }

    fn has(&self, local: u32) -> bool {
        self.modes.lflag & local != 0
    }

    fn has_input(&self, flag: u32) -> bool {
        self.modes.iflag & flag != 0
    }

    fn editing(&self) -> bool {
        self.has(ICANON)
    }

    fn is_key(&self, byte: u8, key: usize) -> bool {
        byte != DISABLED && byte == self.modes.cc[key]
    }

    fn signal_key(&mut self, byte: u8, echo: &mut impl FnMut(&[u8])) -> Option<Event> {
        let keys = [(VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)];
        if let Some((_, signal)) = keys.into_iter().find(|&(key, _)| self.is_key(byte, key)) {
            if !self.has(NOFLSH) {
                self.flush();
            }
            self.echo(byte, echo);
            return Some(Event::Signal(signal));
        }
        (self.lists_threads && self.editing() && byte == LIST).then_some(Event::ListThreads)
    }

    /// One key while editing.
    fn edit(&mut self, byte: u8, echo: &mut impl FnMut(&[u8])) -> Option<Event> {
        if self.is_key(byte, VERASE) || byte == BACKSPACE || byte == DELETE {
            self.erase(echo);
        } else if self.is_key(byte, VKILL) {
            self.kill(byte, echo);
        } else if self.is_key(byte, VWERASE) && self.has(IEXTEN) {
            self.erase_word(echo);
        } else if self.is_key(byte, VREPRINT) && self.has(IEXTEN) {
            self.reprint(byte, echo);
        } else if self.is_key(byte, VEOF) {
            return self.end_line(EOF);
        } else if byte == b'\n' || self.is_key(byte, VEOL) || self.is_key(byte, VEOL2) {
            if self.has(ECHO) || byte == b'\n' && self.has(ECHONL) {
                echo(&[byte]);
            }
            return self.end_line(END | u16::from(byte));
        } else if self.is_key(byte, VLNEXT) && self.has(IEXTEN) {
            self.literal = true;
        } else {
            self.add(byte, echo);
        }
        None
    }

    /// Adds a byte to the unfinished line.
    fn add(&mut self, byte: u8, echo: &mut impl FnMut(&[u8])) {
        // The last slot is kept for the end of the line.
        if self.queue.length < CAPACITY - 1 {
            self.queue.push(byte.into());
            self.edited += 1;
            self.echo(byte, echo);
        }
    }

    /// Makes the line readable.
    fn end_line(&mut self, slot: u16) -> Option<Event> {
        if self.queue.length < CAPACITY {
            self.queue.push(slot);
        } else {
            // Full of finished lines: only the mark is lost.
            return None;
        }
        self.edited = 0;
        Some(Event::Readable)
    }

    /// The last byte of the unfinished line.
    fn last(&self) -> Option<u8> {
        match self.edited {
            0 => None,
            _ => Some(self.queue.get(self.queue.length - 1) as u8),
        }
    }

    fn pop(&mut self) {
        self.queue.length -= 1;
        self.edited -= 1;
    }

    /// Erases one character, on the screen as well.
    fn erase(&mut self, echo: &mut impl FnMut(&[u8])) {
        while let Some(byte) = self.last() {
            self.pop();
            let continues = self.has_input(IUTF8) && byte & 0xc0 == 0x80;
            if !continues {
                if self.has(ECHO) {
                    for _ in 0..self.width(byte) {
                        echo(b"\x08 \x08");
                    }
                }
                return;
            }
        }
    }

    /// Erases blanks and then the word before them.
    fn erase_word(&mut self, echo: &mut impl FnMut(&[u8])) {
        let is_blank = |byte| byte == b' ' || byte == b'\t';
        while self.last().is_some_and(is_blank) {
            self.erase(echo);
        }
        while self.last().is_some_and(|byte| !is_blank(byte)) {
            self.erase(echo);
        }
    }

    fn kill(&mut self, key: u8, echo: &mut impl FnMut(&[u8])) {
        if self.has(ECHOKE) && self.has(ECHOE) {
            while self.last().is_some() {
                self.erase(echo);
            }
            return;
        }
        self.queue.length -= self.edited;
        self.edited = 0;
        self.echo(key, echo);
        if self.has(ECHO) && self.has(ECHOK) {
            echo(b"\n");
        }
    }

    /// Shows the line once more.
    fn reprint(&mut self, key: u8, echo: &mut impl FnMut(&[u8])) {
        self.echo(key, echo);
        if self.has(ECHO) {
            echo(b"\n");
        }
        for index in self.available()..self.queue.length {
            self.echo(self.queue.get(index) as u8, echo);
        }
    }

    /// Whether `byte` shows as `^X`.
    fn shows_caret(&self, byte: u8) -> bool {
        let control = byte < b' ' && byte != b'\n' && byte != b'\t' || byte == DELETE;
        control && self.has(ECHOCTL)
    }

    fn width(&self, byte: u8) -> usize {
        match byte {
            _ if self.shows_caret(byte) => 2,
            // What follows a tab stop is not known here: one column back.
            b'\t' => 1,
            0..b' ' | DELETE => 0,
            _ => 1,
        }
    }

    fn echo(&self, byte: u8, echo: &mut impl FnMut(&[u8])) {
        if !self.has(ECHO) {
            return;
        }
        match self.shows_caret(byte) {
            true => echo(&[b'^', byte ^ 0x40]),
            false => echo(&[byte]),
        }
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
