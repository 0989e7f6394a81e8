//! Keys typed at a text, and what becomes of it.

use super::buffer::{Buffer, Place};
use super::editor::{Action, Editor};
use super::key::{Key, decode};

const fn at(line: usize, column: usize) -> Place {
    Place { line, column }
}

/// Types what a terminal would send; the last action.
fn type_in(editor: &mut Editor, keys: &str) -> Action {
    let mut bytes = keys.as_bytes();
    let mut action = Action::None;
    while let Some((key, length)) = decode(bytes, true) {
        bytes = &bytes[length..];
        action = editor.press(&key);
        let _ = editor.draw();
    }
    action
}

fn after(text: &str, keys: &str) -> String {
    let mut editor = Editor::new(b"file", text.as_bytes());
    type_in(&mut editor, keys);
    String::from_utf8(editor.buffer.bytes()).unwrap()
}

#[test]
fn typing() {
    assert_eq!(after("", "ab\rc"), "ab\nc\n");
    assert_eq!(after("one\ntwo\n", "\x1b[B\x1b[CX\x1b[HY"), "one\nYtXwo\n");
    assert_eq!(after("one\ntwo\n", "\x1b[F\x1b[3~"), "onetwo\n");
    assert_eq!(after("one\ntwo\n", "\x1b[B\x7f-"), "one-two\n");
    assert_eq!(after("é\n", "\x1b[C\x7fx"), "x\n");
    assert_eq!(after("aéb\n", "\x1b[C\x1b[3~"), "ab\n");
    assert_eq!(after("x", "\x7f\x1b[D\x1b[A\x1b[3~\x1b[3~\x1b[3~"), "");
    assert_eq!(after("a\n", "\x1b[99~\x1b"), "a\n");
}

#[test]
fn lines_are_cut_and_pasted() {
    assert_eq!(after("1\n2\n3\n4\n", "\x0b\x0b\x1b[B\x15"), "3\n1\n2\n4\n");
    assert_eq!(after("1\n2\n", "\x0b\x1b[C\x0b\x15\x15"), "22\n");
    assert_eq!(after("1\n2\n", "\x0b\x1a"), "1\n2\n");
    assert_eq!(after("", "\x0b\x0b\x15a"), "a\n");
}

#[test]
fn columns_are_kept_over_short_lines() {
    let mut editor = Editor::new(b"", b"long line\nx\n\tlong line");
    type_in(&mut editor, "\x1b[F\x1b[B");
    assert_eq!(editor.cursor, at(1, 1));
    type_in(&mut editor, "\x1b[B");
    // The tab takes eight columns of the nine.
    assert_eq!(editor.cursor, at(2, 2));
    type_in(&mut editor, "\x1b[A\x1b[A");
    assert_eq!(editor.cursor, at(0, 9));
    type_in(&mut editor, "\x1b[6~");
    assert_eq!(editor.cursor.line, 2);
}

#[test]
fn undo_and_redo() {
    let mut editor = Editor::new(b"file", b"text\n");
    type_in(&mut editor, "abc\x1b[Bde\r");
    let text = |editor: &Editor| String::from_utf8(editor.buffer.bytes()).unwrap();
    assert_eq!(text(&editor), "abcde\ntext\n");
    type_in(&mut editor, "\x1a\x1a");
    assert_eq!(text(&editor), "abctext\n");
    type_in(&mut editor, "\x1a");
    assert!(text(&editor) == "text\n" && !editor.buffer.modified());
    type_in(&mut editor, "\x19");
    assert!(text(&editor) == "abctext\n" && editor.buffer.modified());
    type_in(&mut editor, "x\x19");
    assert_eq!(editor.message, "nothing to redo");
    // What was saved is behind a change that is gone: no way back to it.
    assert_eq!(type_in(&mut editor, "\x13"), Action::Save(b"file".into()));
    editor.saved(b"file", Ok(()));
    type_in(&mut editor, "\x1ay");
    assert!(editor.buffer.modified());
    type_in(&mut editor, "\x1a");
    assert!(editor.buffer.modified());
}

#[test]
fn search_goes_round() {
    let mut editor = Editor::new(b"", b"ab ab\nx\nab");
    type_in(&mut editor, "\x06ab\r");
    assert_eq!(editor.cursor, at(0, 3));
    type_in(&mut editor, "\x07");
    assert_eq!(editor.cursor, at(2, 0));
    type_in(&mut editor, "\x07");
    assert_eq!(editor.cursor, at(0, 0));
    type_in(&mut editor, "\x06none\r");
    assert_eq!(editor.message, "'none' is not in the text");
    type_in(&mut editor, "\x06é\x7fx\r");
    assert_eq!(editor.cursor, at(1, 0));
    // The only one is found again.
    type_in(&mut editor, "\x07");
    assert_eq!(editor.cursor, at(1, 0));
}

#[test]
fn saving_and_leaving() {
    let mut editor = Editor::new(b"", b"");
    assert_eq!(type_in(&mut editor, "\x11"), Action::Quit);
    assert_eq!(type_in(&mut editor, "a\x11"), Action::None);
    // Back to the text, then without saving.
    assert_eq!(type_in(&mut editor, "\x1b"), Action::None);
    assert_eq!(type_in(&mut editor, "\x11?n"), Action::Quit);
    let mut editor = Editor::new(b"", b"");
    assert_eq!(type_in(&mut editor, "a\x11y"), Action::None);
    let action = type_in(&mut editor, "name\r");
    assert_eq!(action, Action::Save(b"name".into()));
    let action = editor.saved(b"name", Err("no space left".into()));
    assert_eq!(action, Action::None);
    assert!(editor.buffer.modified() && editor.name.is_empty());
    type_in(&mut editor, "\x11y");
    type_in(&mut editor, "name\r");
    assert_eq!(editor.saved(b"name", Ok(())), Action::Quit);
}

#[test]
fn keys() {
    assert_eq!(decode(b"", true), None);
    assert_eq!(decode(b"\x1b", false), None);
    assert_eq!(decode(b"\x1b", true), Some((Key::Escape, 1)));
    assert_eq!(decode(b"\x1b[", false), None);
    assert_eq!(decode(b"\x1bOH", false), Some((Key::Home, 3)));
    assert_eq!(decode(b"\x1b[1;5Cx", false), Some((Key::Unknown, 6)));
    assert_eq!(decode(b"\xc3", false), None);
    assert_eq!(decode(b"\xc3x", false).unwrap().1, 1);
    assert_eq!(decode("éx".as_bytes(), false).unwrap().1, 2);
    assert_eq!(decode(b"\x01", false), Some((Key::Control(b'A'), 1)));
    assert!(decode(&[b"\x1b[".as_slice(), &[b'0'; 99]].concat(), false).is_some());
}

#[test]
fn the_screen() {
    let mut editor = Editor::new(b"f", "a\tb\x1bé\u{9b}\u{fffd}\n".as_bytes());
    editor.resize(5, 20);
    let frame = editor.draw();
    let lines: Vec<&str> = frame.split("\r\n").collect();
    assert_eq!(lines.len(), 5);
    assert!(
        lines[0].ends_with("a       b?é?\u{fffd}\x1b[K"),
        "{frame:?}"
    );
    assert!(lines[1].starts_with('~'));
    assert!(lines[3].contains(" f  line 1 of 1, col"));
    assert!(frame.ends_with("\x1b[1;1H\x1b[?25h"));
    type_in(&mut editor, &"x".repeat(40));
    // The long line is moved so that the cursor shows.
    assert!(editor.draw().ends_with("\x1b[1;20H\x1b[?25h"));
    type_in(&mut editor, "\r\r\r\r");
    assert!(editor.draw().contains("\x1b[3;1H"));
}

/// Any keys at all: what is undone is the text before, and the cursor stays in
/// the text.
#[test]
fn noise() {
    let mut seed = 7u64;
    let mut below = |limit: usize| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as usize % limit
    };
    let keys = [
        "a", "é", "\r", "\t", "\x7f", "\x1b[3~", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H",
        "\x1b[F", "\x1b[5~", "\x1b[6~", "\x0b", "\x15", "\x1a", "\x19", "\x07", "\x06a\r",
    ];
    for _ in 0..300 {
        let start = b"one\n\tt\xffwo\n\nx";
        let mut editor = Editor::new(b"f", start);
        editor.resize(below(6), below(20));
        for _ in 0..60 {
            type_in(&mut editor, keys[below(keys.len())]);
            let line = editor.buffer.line(editor.cursor.line);
            assert!(editor.cursor.column <= line.len());
        }
        while editor.buffer.undo().is_some() {}
        assert_eq!(editor.buffer.bytes(), Buffer::new(start).bytes());
        assert!(!editor.buffer.modified());
    }
}
