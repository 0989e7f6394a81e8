//! `sleep SECONDS`: sleeps; a fraction is allowed.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::time;

weft::program!(main);

fn main() -> i32 {
    let seconds = weft::args().nth(1).and_then(|word| nanos(word.to_bytes()));
    let Some(nanos) = seconds else {
        weft::eprintln!("usage: sleep SECONDS");
        return 2;
    };
    match time::sleep(nanos) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Decimal seconds as nanoseconds.
fn nanos(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().ok()?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = part.bytes().chain(core::iter::repeat(b'0')).take(9);
    let part = part.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    whole.checked_mul(1_000_000_000)?.checked_add(part)
}
