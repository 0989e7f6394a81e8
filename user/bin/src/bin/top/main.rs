//! `top [-b] [-n ROUNDS] [-d SECONDS]`: what runs on which CPU, live: each
//! thread's share of a CPU since the last look, the busiest first. `q` ends it;
//! `-b` prints rounds one after the other instead of drawing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod screen;
mod shares;

use screen::Screen;
use shares::Shares;
use user_bin::system::arguments::{misused, number, options};
use weft::{Errno, time};

weft::program!(main);

const USAGE: &str = "top [-b] [-n ROUNDS] [-d SECONDS]";

fn main() -> Result<(), Errno> {
    let options = options("bn:d:", USAGE);
    if !options.operands.is_empty() {
        misused(USAGE)
    }
    let mut rounds = options.value(b'n').map(|word| number(word, USAGE));
    let seconds = options.value(b'd').map_or(2, |word| number(word, USAGE));
    let milliseconds = i32::try_from(seconds.saturating_mul(1000)).unwrap_or(i32::MAX);
    let screen = match options.has(b'b') {
        true => None,
        false => Screen::open().ok(),
    };
    let mut shares = Shares::default();
    loop {
        let text = shares.look()?;
        rounds = rounds.map(|rounds| rounds.saturating_sub(1));
        match &screen {
            Some(screen) => screen.show(&text)?,
            None => weft::file::write_all(weft::file::STDOUT, text.as_bytes())?,
        }
        if rounds == Some(0) {
            return Ok(());
        }
        match &screen {
            Some(screen) if screen.asked_to_end(milliseconds)? => return Ok(()),
            Some(_) => {}
            None => time::sleep(milliseconds as u64 * 1_000_000)?,
        }
    }
}
