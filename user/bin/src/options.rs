//! Options of programs, as POSIX has them: letters before the operands, several
//! in one word, a value in the same word or the next; `--` ends them.

use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    given: Vec<(u8, &'a CStr)>,
    pub operands: Vec<&'a CStr>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// `--help`.
    Help,
    Unknown(String),
    NoValue(char),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Help => f.write_str("help is asked for"),
            Error::Unknown(word) => write!(f, "{word}: there is no such option"),
            Error::NoValue(letter) => write!(f, "-{letter}: expected a value after it"),
        }
    }
}

impl<'a> Options<'a> {
    /// `known` are the letters, each with a `:` behind it if it has a value. A
    /// `#` among them allows `-NUMBER`, which is kept under that letter.
    pub fn parse(words: &[&'a CStr], known: &str) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let bytes = word.to_bytes();
            if bytes == b"--help" {
                return Err(Error::Help);
            }
            if bytes == b"--" {
                break;
            }
            if bytes.len() < 2 || bytes[0] != b'-' {
                options.operands.push(word);
                break;
            }
            options.word(word, &mut words, known.as_bytes())?;
        }
        options.operands.extend(words);
        Ok(options)
    }

    fn word(
        &mut self,
        word: &'a CStr,
        next: &mut impl Iterator<Item = &'a CStr>,
        known: &[u8],
    ) -> Result<(), Error> {
        let unknown = || Error::Unknown(word.to_string_lossy().into_owned());
        let bytes = word.to_bytes();
        if known.contains(&b'#') && bytes[1].is_ascii_digit() {
            self.given.push((b'#', tail(word, 1)));
            return Ok(());
        }
        for (at, &letter) in bytes.iter().enumerate().skip(1) {
            let place = known.iter().position(|known| *known == letter);
            let place = place.filter(|_| letter.is_ascii_alphanumeric());
            if known.get(place.ok_or_else(unknown)? + 1) != Some(&b':') {
                self.given.push((letter, c""));
                continue;
            }
            let value = match at + 1 < bytes.len() {
                true => tail(word, at + 1),
                false => next.next().ok_or(Error::NoValue(letter.into()))?,
            };
            self.given.push((letter, value));
            break;
        }
        Ok(())
    }

    pub fn has(&self, letter: u8) -> bool {
        self.value(letter).is_some()
    }

    /// The value given last.
    pub fn value(&self, letter: u8) -> Option<&'a CStr> {
        let mut given = self.given.iter().rev();
        let found = given.find(|(given, _)| *given == letter);
        found.map(|(_, value)| *value)
    }

    /// All values, in order.
    pub fn values(&self, letter: u8) -> impl Iterator<Item = &'a CStr> {
        let wanted = move |(given, _): &&(u8, &CStr)| *given == letter;
        self.given.iter().filter(wanted).map(|(_, value)| *value)
    }
}

/// The word from a byte of it on.
fn tail(word: &CStr, from: usize) -> &CStr {
    // The end of a string that ends with a zero ends with it too.
    CStr::from_bytes_with_nul(&word.to_bytes_with_nul()[from..]).unwrap_or(c"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_values_and_operands() {
        let words = [c"-rn", c"-k2", c"-k", c"3", c"a", c"-r"];
        let options = Options::parse(&words, "nrk:u").unwrap();
        assert!(options.has(b'r') && options.has(b'n') && !options.has(b'u'));
        assert_eq!(options.values(b'k').collect::<Vec<_>>(), [c"2", c"3"]);
        assert_eq!(options.value(b'k'), Some(c"3"));
        assert_eq!(options.operands, [c"a", c"-r"]);
        let options = Options::parse(&[c"-n", c"--", c"-r", c"-"], "n").unwrap();
        assert_eq!(options.operands, [c"-r", c"-"]);
        let options = Options::parse(&[c"-", c"-n"], "n").unwrap();
        assert_eq!(options.operands, [c"-", c"-n"]);
        let options = Options::parse(&[c"-12", c"x"], "n:#").unwrap();
        assert_eq!(options.value(b'#'), Some(c"12"));
        let options = Options::parse(&[c"-n", c"-5"], "n:#").unwrap();
        assert_eq!(options.value(b'n'), Some(c"-5"));
    }

    #[test]
    fn mistakes() {
        let error = |words: &[&CStr]| Options::parse(words, "nk:").unwrap_err();
        assert_eq!(error(&[c"-n", c"-x"]), Error::Unknown("-x".into()));
        assert_eq!(error(&[c"-:"]), Error::Unknown("-:".into()));
        assert_eq!(error(&[c"-5"]), Error::Unknown("-5".into()));
        assert_eq!(error(&[c"--long"]), Error::Unknown("--long".into()));
        assert_eq!(error(&[c"-nk"]), Error::NoValue('k'));
        assert_eq!(error(&[c"-n", c"--help"]), Error::Help);
    }
}
