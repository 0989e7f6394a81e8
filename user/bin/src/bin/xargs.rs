//! `xargs [-0rt] [-n COUNT] [-I MARK] [PROGRAM [ARGUMENT…]]`: runs a program
//! with the items of its input as arguments: as many at once as fit, or COUNT,
//! or with `-I` one line each in place of the mark. `-0`: items end with zero
//! bytes; `-r`: nothing to do for no items; `-t` shows each command.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::items;
use user_bin::options::Options;
use user_bin::system::arguments::{misused, number, options};
use user_bin::system::program;
use weft::io::Text;
use weft::process::{self, Ended};
use weft::{Errno, abi, file};

weft::program!(main);

const USAGE: &str = "xargs [-0rt] [-n COUNT] [-I MARK] [PROGRAM [ARGUMENT...]]";

/// Bytes of arguments that are given to one program.
const ROOM: usize = 65536;

fn main() -> i32 {
    let options = options("0rtn:I:", USAGE);
    let most = options
        .value(b'n')
        .map_or(usize::MAX, |word| number(word, USAGE));
    if most == 0 {
        weft::eprintln!("xargs: -n: expected a number above 0");
        misused(USAGE)
    }
    let items = match read_all()
        .map_err(Failure::Input)
        .and_then(|text| split(&text, &options))
    {
        Ok(items) => items,
        Err(Failure::Input(error)) => {
            weft::eprintln!("xargs: standard input: {error}");
            return 1;
        }
        Err(Failure::Quote(quote)) => {
            weft::eprintln!("xargs: a {quote} is not closed on its line");
            return 1;
        }
    };
    let command: Vec<CString> = match options.operands.as_slice() {
        [] => alloc::vec![c"echo".into()],
        words => words.iter().map(|word| CString::from(*word)).collect(),
    };
    let mut runs = Runs {
        shown: options.has(b't'),
        code: 0,
    };
    if let Some(mark) = options.value(b'I') {
        for item in &items {
            let words = command.iter().map(|word| {
                let word = items::replace(word.to_bytes(), mark.to_bytes(), item.to_bytes());
                CString::new(word).unwrap_or_default()
            });
            if !runs.run(&words.collect::<Vec<_>>()) {
                break;
            }
        }
        return runs.code;
    }
    if items.is_empty() && !options.has(b'r') {
        runs.run(&command);
    }
    let mut rest = items.as_slice();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(fitting(rest, most));
        rest = after;
        let words = [command.as_slice(), part].concat();
        if !runs.run(&words) {
            break;
        }
    }
    runs.code
}

enum Failure {
    Input(Errno),
    Quote(char),
}

fn read_all() -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match file::read(file::STDIN, &mut buffer)? {
            0 => return Ok(text),
            length => {
                text.try_reserve(length).map_err(|_| Errno::ENOMEM)?;
                text.extend_from_slice(&buffer[..length]);
            }
        }
    }
}

/// With a mark, lines without the blanks before them are the items.
fn split(text: &[u8], options: &Options<'_>) -> Result<Vec<CString>, Failure> {
    let lines = |end: u8| {
        let text = text.strip_suffix(&[end]).unwrap_or(text);
        text.split(move |byte| *byte == end).map(<[u8]>::to_vec)
    };
    let items: Vec<Vec<u8>> = match (options.has(b'0'), options.has(b'I')) {
        _ if text.is_empty() => Vec::new(),
        (true, _) => lines(0).collect(),
        (false, true) => lines(b'\n')
            .map(|line| line.trim_ascii_start().to_vec())
            .filter(|line| !line.is_empty())
            .collect(),
        (false, false) => items::split(text).map_err(|quote| Failure::Quote(quote.0))?,
    };
    let string = |item| CString::new(item).map_err(|_| Failure::Input(Errno::EINVAL));
    items.into_iter().map(string).collect()
}

/// How many of the items go to one program, at least one.
fn fitting(items: &[CString], most: usize) -> usize {
    let mut room = ROOM;
    let fit = items.iter().take(most).take_while(|item| {
        let length = item.to_bytes_with_nul().len() + size_of::<usize>();
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    });
    fit.count().max(1)
}

struct Runs {
    shown: bool,
    /// As POSIX has it: 123 after a failure, 124 to 127 for what ends it all.
    code: i32,
}

impl Runs {
    /// Runs one program with no input; false if that was the last.
    fn run(&mut self, words: &[CString]) -> bool {
        let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
        if self.shown {
            let line: Vec<&[u8]> = words.iter().map(|word| word.to_bytes()).collect();
            weft::eprintln!("{}", Text(&line.join(&b' ')));
        }
        let ended = no_input()
            .and_then(|()| program::start(&words))
            .and_then(process::wait_for);
        self.code = match ended {
            Ok((_, Ended::Exited(0))) => return true,
            Ok((_, Ended::Exited(255))) => 124,
            Ok((_, Ended::Exited(code @ (126 | 127)))) => code as i32,
            Ok((_, Ended::Exited(_))) => {
                self.code = 123;
                return true;
            }
            Ok((_, Ended::Signaled(_))) => 125,
            Err(error) => {
                weft::eprintln!("xargs: {error}");
                1
            }
        };
        false
    }
}

/// The input has been read; programs shall not wait for more.
fn no_input() -> Result<(), Errno> {
    let null = file::open(c"/dev/null", abi::file::O_RDONLY)?;
    file::dup2(null, file::STDIN)?;
    file::close(null)
}
