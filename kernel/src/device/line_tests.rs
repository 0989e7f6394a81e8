//! Tests of the line discipline: examples, and a model of line editing.

use super::*;
use crate::device::output::process_output;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

struct Terminal {
    line: Line,
    screen: Vec<u8>,
    events: Vec<Event>,
}

impl Terminal {
    fn new() -> Terminal {
        Terminal {
            line: Line::new(true).unwrap(),
            screen: Vec::new(),
            events: Vec::new(),
        }
    }

    fn keys(&mut self, keys: &[u8]) {
        for &key in keys {
            let screen = &mut self.screen;
            let event = self.line.input(key, &mut |bytes| screen.extend(bytes));
            self.events.extend(event);
        }
    }

    fn read(&mut self, most: usize) -> Option<Vec<u8>> {
        if !self.line.readable(most) {
            return None;
        }
        let mut bytes = vec![0; most];
        let peeked = self.line.peek(&mut bytes);
        self.line.consume(peeked, peeked.bytes);
        bytes.truncate(peeked.bytes);
        Some(bytes)
    }

    fn raw(&mut self, least: u8) {
        let mut modes = self.line.modes();
        modes.lflag = 0;
        modes.cc[VMIN] = least;
        self.line.set_modes(modes);
    }
}

#[test]
fn the_literal_key_takes_away_the_meaning_of_the_next() {
    let mut terminal = Terminal::new();
    terminal.keys(b"a\x16\x03\x16\x04\x16\r\x16\x7f\x16\x16b\n");
    let line = terminal.read(20);
    assert_eq!(line.as_deref(), Some(&b"a\x03\x04\r\x7f\x16b\n"[..]));
    assert_eq!(terminal.events, [Event::Readable]);
}

#[test]
fn a_line_is_edited_before_it_is_read() {
    let mut terminal = Terminal::new();
    terminal.keys(b"lx\x7fs\x08s foo bar\x17baz");
    assert_eq!(terminal.read(100), None);
    terminal.keys(b"\rrest");
    assert_eq!(terminal.read(100).unwrap(), b"ls foo baz\n");
    assert_eq!(terminal.read(100), None);
    terminal.keys(b"\x15new\r");
    assert_eq!(terminal.read(2).unwrap(), b"ne");
    assert_eq!(terminal.read(100).unwrap(), b"w\n");
    assert_eq!(terminal.events, [Event::Readable, Event::Readable]);
}

#[test]
fn end_of_file_ends_what_is_there() {
    let mut terminal = Terminal::new();
    terminal.keys(b"\x04ab\x04c\n");
    assert_eq!(terminal.read(10).unwrap(), b"");
    assert_eq!(terminal.read(2).unwrap(), b"ab");
    assert_eq!(terminal.read(10).unwrap(), b"c\n");
    assert_eq!(terminal.read(10), None);
}

#[test]
fn echo_wipes_what_was_erased() {
    let mut terminal = Terminal::new();
    terminal.keys(b"a\x01\x7f\x7f\x7f");
    assert_eq!(terminal.screen, b"a^A\x08 \x08\x08 \x08\x08 \x08");
    terminal.screen.clear();
    terminal.keys("é\x7f".as_bytes());
    assert_eq!(terminal.screen, "é\x08 \x08".as_bytes());
}

#[test]
fn keys_send_signals() {
    let mut terminal = Terminal::new();
    terminal.keys(b"abc\x03\x10\x1c\x1ad\n");
    let expected = [
        Event::Signal(SIGINT),
        Event::ListThreads,
        Event::Signal(SIGQUIT),
        Event::Signal(SIGTSTP),
        Event::Readable,
    ];
    assert_eq!(terminal.events, expected);
    assert_eq!(terminal.read(10).unwrap(), b"d\n");
    assert!(terminal.screen.starts_with(b"abc^C"));
}

#[test]
fn raw_mode_gives_every_byte() {
    let mut terminal = Terminal::new();
    terminal.keys(b"typed");
    terminal.raw(1);
    assert_eq!(terminal.read(3).unwrap(), b"typ");
    terminal.keys(b"\x03\r\x7f\x04\x10");
    assert_eq!(terminal.read(10).unwrap(), b"ed\x03\n\x7f\x04\x10");
    terminal.raw(3);
    terminal.keys(b"xy");
    assert_eq!(terminal.read(10), None);
    assert_eq!(terminal.read(2).unwrap(), b"xy");
    terminal.keys(b"q");
    terminal.line.set_modes(INITIAL);
    assert_eq!(terminal.read(10).unwrap(), b"q");
}

#[test]
fn a_full_line_still_ends() {
    let mut terminal = Terminal::new();
    terminal.keys(&[b'x'; 5000]);
    assert_eq!(terminal.read(8000), None);
    terminal.keys(b"\n");
    let line = terminal.read(8000).unwrap();
    assert_eq!(line.len(), CAPACITY);
    assert_eq!(line.last(), Some(&b'\n'));
}

#[test]
fn newlines_on_output() {
    let output = |modes: &Termios, bytes: &[u8]| {
        let mut all = Vec::<u8>::new();
        process_output(modes, bytes, &mut |part| all.extend(part));
        all
    };
    assert_eq!(output(&INITIAL, b"\na\n\nb"), b"\r\na\r\n\r\nb");
    let mut raw = INITIAL;
    raw.oflag = 0;
    assert_eq!(output(&raw, b"\na"), b"\na");
}

/// What line editing means, on whole lines.
#[derive(Default)]
struct Model {
    line: Vec<u8>,
    done: Vec<Vec<u8>>,
}

impl Model {
    fn key(&mut self, key: u8) {
        match key {
            0x7f | 0x08 => drop(self.line.pop()),
            0x15 => self.line.clear(),
            0x17 => {
                while self.line.pop_if(|byte| *byte == b' ').is_some() {}
                while self.line.pop_if(|byte| *byte != b' ').is_some() {}
            }
            0x03 => *self = Model::default(),
            0x04 => self.done.push(std::mem::take(&mut self.line)),
            b'\n' => {
                self.line.push(b'\n');
                self.done.push(std::mem::take(&mut self.line));
            }
            key => self.line.push(key),
        }
    }
}

proptest! {
    #[test]
    fn behaves_as_the_model(keys in "[ab \n\u{3}\u{4}\u{8}\u{15}\u{17}\u{7f}]{0,80}") {
        let mut terminal = Terminal::new();
        let mut model = Model::default();
        for key in keys.bytes() {
            terminal.keys(&[key]);
            model.key(key);
        }
        let mut lines = Vec::new();
        while let Some(line) = terminal.read(1000) {
            lines.push(line);
        }
        prop_assert_eq!(lines, model.done);
    }

    #[test]
    fn small_reads_lose_nothing(keys in "[ab\n]{0,80}", sizes in proptest::collection::vec(1usize..5, 1..9)) {
        let mut terminal = Terminal::new();
        terminal.keys(keys.as_bytes());
        let mut all = Vec::new();
        let mut sizes = sizes.into_iter().cycle();
        while let Some(part) = terminal.read(sizes.next().unwrap()) {
            all.extend(part);
        }
        let complete = keys.rfind('\n').map_or(0, |last| last + 1);
        prop_assert_eq!(&all, &keys.as_bytes()[..complete]);
    }
}
