//! `printf`: a format with its arguments, which it is used again for until
//! none is left.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    NotANumber(Vec<u8>),
    UnknownDirective(Vec<u8>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        match self {
            Error::NotANumber(word) => write!(f, "{}: expected a number", text(word)),
            Error::UnknownDirective(word) => write!(f, "{}: unknown directive", text(word)),
        }
    }
}

/// Widest field, so that no format makes the memory run out.
const WIDEST: usize = 4096;

/// What is printed, and the first thing that was wrong.
pub fn format(format: &[u8], arguments: &[&[u8]]) -> (Vec<u8>, Option<Error>) {
    let mut printer = Printer {
        out: Vec::new(),
        arguments,
        error: None,
        stopped: false,
    };
    loop {
        let before = printer.arguments.len();
        printer.once(format);
        let used = printer.arguments.len() < before;
        if printer.stopped || printer.arguments.is_empty() || !used {
            return (printer.out, printer.error);
        }
    }
}

struct Printer<'a> {
    out: Vec<u8>,
    arguments: &'a [&'a [u8]],
    error: Option<Error>,
    /// By `\c`, or a format that makes no sense.
    stopped: bool,
}

#[derive(Default)]
struct Directive {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer<'_> {
    fn argument(&mut self) -> &[u8] {
        match self.arguments.split_first() {
            Some((first, rest)) => {
                self.arguments = rest;
                first
            }
            None => b"",
        }
    }

    fn number(&mut self) -> i64 {
        let word = self.argument().to_vec();
        let (value, good) = number(&word);
        if !good {
            self.error.get_or_insert(Error::NotANumber(word));
        }
        value
    }

    fn once(&mut self, mut format: &[u8]) {
        while let Some((&byte, rest)) = format.split_first() {
            format = rest;
            match byte {
                b'%' => format = self.directive(rest),
                b'\\' => {
                    let (value, length) = escape(rest);
                    match value {
                        Some(byte) => self.out.push(byte),
                        None => self.stopped = true,
                    }
                    format = &rest[length..];
                }
                _ => self.out.push(byte),
            }
            if self.stopped {
                return;
            }
        }
    }

    /// After a percent sign; what follows the directive.
    fn directive<'f>(&mut self, format: &'f [u8]) -> &'f [u8] {
        let mut rest = format;
        let mut directive = Directive::default();
        while let Some((&flag, after)) = rest.split_first() {
            match flag {
                b'-' => directive.left = true,
                b'0' => directive.zero = true,
                b'+' => directive.plus = true,
                b' ' => directive.space = true,
                b'#' => directive.alternate = true,
                _ => break,
            }
            rest = after;
        }
        directive.width = self.size(&mut rest);
        if let Some(after) = rest.strip_prefix(b".") {
            rest = after;
            directive.precision = Some(self.size(&mut rest));
        }
        let Some((&conversion, after)) = rest.split_first() else {
            let whole = [b"%", format].concat();
            self.error.get_or_insert(Error::UnknownDirective(whole));
            self.stopped = true;
            return rest;
        };
        self.convert(conversion, &directive);
        after
    }

    fn size(&mut self, rest: &mut &[u8]) -> usize {
        if let Some(after) = rest.strip_prefix(b"*") {
            *rest = after;
            return (self.number().max(0) as usize).min(WIDEST);
        }
        let mut size = 0;
        while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
            size = (size * 10 + usize::from(digit - b'0')).min(WIDEST);
            *rest = after;
        }
        size
    }

    fn convert(&mut self, conversion: u8, directive: &Directive) {
        match conversion {
            b'%' => self.out.push(b'%'),
            b's' => {
                let text = self.argument().to_vec();
                let size = directive.precision.unwrap_or(text.len()).min(text.len());
                self.pad(b"", &text[..size], directive, false);
            }
            b'b' => {
                let text = self.argument().to_vec();
                let text = self.unescape(&text);
                self.pad(b"", &text, directive, false);
            }
            b'c' => {
                let text = self.argument().to_vec();
                self.pad(b"", &text[..text.len().min(1)], directive, false);
            }
            b'd' | b'i' => {
                let value = self.number();
                let sign: &[u8] = match value {
                    ..0 => b"-",
                    _ if directive.plus => b"+",
                    _ if directive.space => b" ",
                    _ => b"",
                };
                self.digits(sign, alloc::format!("{}", value.unsigned_abs()), directive);
            }
            b'u' => {
                let value = self.number() as u64;
                self.digits(b"", alloc::format!("{value}"), directive);
            }
            b'o' => {
                let value = self.number();
                let prefix: &[u8] = if directive.alternate { b"0" } else { b"" };
                self.digits(prefix, alloc::format!("{value:o}"), directive);
            }
            b'x' | b'X' => {
                let value = self.number();
                let wanted = directive.alternate && value != 0;
                match (conversion, wanted) {
                    (b'x', true) => self.digits(b"0x", alloc::format!("{value:x}"), directive),
                    (b'x', false) => self.digits(b"", alloc::format!("{value:x}"), directive),
                    (_, true) => self.digits(b"0X", alloc::format!("{value:X}"), directive),
                    (_, false) => self.digits(b"", alloc::format!("{value:X}"), directive),
                }
            }
            other => {
                self.error
                    .get_or_insert(Error::UnknownDirective(alloc::vec![b'%', other]));
                self.stopped = true;
            }
        }
    }

    fn digits(&mut self, prefix: &[u8], mut digits: String, directive: &Directive) {
        if let Some(precision) = directive.precision {
            while digits.len() < precision {
                digits.insert(0, '0');
            }
        }
        let zero = directive.zero && directive.precision.is_none();
        self.pad(prefix, digits.as_bytes(), directive, zero);
    }

    fn pad(&mut self, prefix: &[u8], text: &[u8], directive: &Directive, zero: bool) {
        let missing = directive.width.saturating_sub(prefix.len() + text.len());
        let fill = core::iter::repeat_n(if zero { b'0' } else { b' ' }, missing);
        if !directive.left && !zero {
            self.out.extend(fill.clone());
        }
        self.out.extend_from_slice(prefix);
        if !directive.left && zero {
            self.out.extend(fill.clone());
        }
        self.out.extend_from_slice(text);
        if directive.left {
            let blanks = fill.map(|_| b' ');
            self.out.extend(blanks);
        }
    }

    /// The text of `%b`; `\c` ends all output.
    fn unescape(&mut self, mut text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some((&byte, rest)) = text.split_first() {
            text = rest;
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            // Here octal begins with a zero.
            let skipped = usize::from(rest.first() == Some(&b'0'));
            let after = &rest[skipped..];
            let octal = after.first().is_some_and(|b| (b'0'..=b'7').contains(b));
            let (value, length) = match skipped == 1 && octal {
                true => escape(after),
                false => escape(rest),
            };
            match value {
                Some(byte) => out.push(byte),
                None => {
                    self.stopped = true;
                    return out;
                }
            }
            text = &rest[length + if octal { skipped } else { 0 }..];
        }
        out
    }
}

/// After a backslash: the byte meant (`None` for `\c`), and how many bytes of
/// the text that took.
fn escape(text: &[u8]) -> (Option<u8>, usize) {
    let Some(&first) = text.first() else {
        return (Some(b'\\'), 0);
    };
    let byte = match first {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'\\' => b'\\',
        b'"' => b'"',
        b'\'' => b'\'',
        b'c' => return (None, 1),
        b'0'..=b'7' => {
            let digits = text.iter().take(3);
            let digits = digits.take_while(|b| (b'0'..=b'7').contains(*b)).count();
            let value = text[..digits]
                .iter()
                .fold(0u16, |value, digit| value * 8 + u16::from(digit - b'0'));
            return (Some(value as u8), digits);
        }
        // Unknown ones are left as they are.
        _ => return (Some(b'\\'), 0),
    };
    (Some(byte), 1)
}

/// A C constant, or `'c` for the value of a byte; and whether it is one whole.
fn number(word: &[u8]) -> (i64, bool) {
    if let [b'\'' | b'"', byte, ..] = word {
        return (i64::from(*byte), true);
    }
    let text = core::str::from_utf8(word).unwrap_or("?").trim();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let mut value = 0i64;
    let mut good = !digits.is_empty() || word.is_empty();
    for character in digits.chars() {
        match character.to_digit(radix) {
            Some(digit) => {
                let next = value.checked_mul(radix.into());
                let next = next.and_then(|next| next.checked_add(digit.into()));
                good &= next.is_some();
                value = next.unwrap_or(i64::MAX);
            }
            None => {
                good = false;
                break;
            }
        }
    }
    (if negative { -value } else { value }, good)
}
