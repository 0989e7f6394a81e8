//! `edit [FILE]`: a screen editor; see `user_bin::edit`. The bottom line tells
//! its keys.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::edit::editor::{Action, Editor};
use user_bin::edit::key::{Key, decode};
use user_bin::system::arguments::{complain, misused, options};
use user_bin::system::terminal::Raw;
use weft::abi::file::{O_RDONLY, O_TRUNC, O_WRONLY};
use weft::{Errno, file};

weft::program!(main);

const USAGE: &str = "edit [FILE]";

/// Milliseconds after ESC in which the rest of a key's sequence comes.
const PATIENCE: i32 = 50;

fn main() -> bool {
    let options = options("", USAGE);
    let name = match options.operands.as_slice() {
        [] => c"",
        [name] => name,
        _ => misused(USAGE),
    };
    let text = match name.is_empty() {
        true => Ok(Vec::new()),
        false => read(name),
    };
    let result = text.map(|text| Editor::new(name.to_bytes(), &text));
    let mut editor = match result {
        Ok(editor) => editor,
        Err(error) => {
            complain(name, &error);
            return false;
        }
    };
    let result = Raw::open().and_then(|raw| {
        let result = run(&mut editor, &raw);
        let _ = file::write_all(file::STDOUT, b"\x1b[H\x1b[J");
        result
    });
    if let Err(error) = result {
        complain(c"terminal", &error);
    }
    result.is_ok()
}

/// A file that is not there is an empty text.
fn read(name: &CStr) -> Result<Vec<u8>, Errno> {
    let fd = match file::open(name, O_RDONLY) {
        Ok(fd) => fd,
        Err(Errno::ENOENT) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    let result = loop {
        match file::read(fd, &mut buffer) {
            Ok(0) => break Ok(text),
            Ok(length) if text.try_reserve(length).is_ok() => {
                text.extend_from_slice(&buffer[..length]);
            }
            Ok(_) => break Err(Errno::ENOMEM),
            Err(error) => break Err(error),
        }
    };
    file::close(fd)?;
    result
}

fn write(name: &[u8], text: &[u8]) -> Result<(), Errno> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    let fd = file::create(&name, O_WRONLY | O_TRUNC, 0o666)?;
    let written = file::write_all(fd, text);
    file::close(fd).and(written)
}

fn run(editor: &mut Editor, raw: &Raw) -> Result<(), Errno> {
    let mut waiting: Vec<u8> = Vec::new();
    loop {
        // Keys that came together are drawn together.
        if waiting.is_empty() {
            let (rows, columns) = raw.size();
            editor.resize(rows, columns);
            file::write_all(file::STDOUT, editor.draw().as_bytes())?;
        }
        let Some(key) = next_key(&mut waiting)? else {
            // The terminal is gone.
            return Ok(());
        };
        let mut action = editor.press(&key);
        if let Action::Save(name) = &action {
            let written = write(name, &editor.buffer.bytes());
            let result = written.map_err(|error| -> String { format!("{error}") });
            action = editor.saved(name, result);
        }
        if action == Action::Quit {
            return Ok(());
        }
    }
}

/// The next key; `None` at the end of the input.
fn next_key(waiting: &mut Vec<u8>) -> Result<Option<Key>, Errno> {
    let mut all = false;
    loop {
        if let Some((key, length)) = decode(waiting, all) {
            waiting.drain(..length);
            return Ok(Some(key));
        }
        if !waiting.is_empty() && !file::wait_readable(file::STDIN, PATIENCE)? {
            all = true;
            continue;
        }
        let mut buffer = [0; 256];
        match file::read(file::STDIN, &mut buffer) {
            Ok(0) if waiting.is_empty() => return Ok(None),
            Ok(0) => all = true,
            Ok(length) => waiting.extend_from_slice(&buffer[..length]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}
