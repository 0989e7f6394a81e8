//! `$((…))`: C's expressions on 64-bit integers that wrap around, with the
//! shell's variables; an unset or empty one is 0.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Where names get their values.
pub trait Names {
    fn value(&mut self, name: &[u8]) -> Option<Vec<u8>>;
    /// False if it cannot be changed.
    fn assign(&mut self, name: &[u8], value: i64) -> bool;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    Expected(&'static str, String),
    NotANumber(String),
    DividedByZero,
    ReadOnly(String),
    TooDeep,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Expected(what, found) if found.is_empty() => {
                write!(f, "arithmetic: expected {what} before the end")
            }
            Error::Expected(what, found) => {
                write!(f, "arithmetic: expected {what} at '{found}'")
            }
            Error::NotANumber(text) => write!(f, "arithmetic: '{text}' is not a number"),
            Error::DividedByZero => f.write_str("arithmetic: division by zero"),
            Error::ReadOnly(name) => write!(f, "{name}: is read only"),
            Error::TooDeep => f.write_str("arithmetic: too many parentheses"),
        }
    }
}

/// Most parentheses and operators inside each other.
const DEPTH: usize = 128;

/// The value of an expression; an empty one is 0.
pub fn evaluate(text: &[u8], names: &mut dyn Names) -> Result<i64, Error> {
    let mut reader = Reader {
        rest: text,
        names,
        counts: true,
        depth: 0,
    };
    reader.blanks();
    if reader.rest.is_empty() {
        return Ok(0);
    }
    let value = reader.assignment()?;
    match reader.rest {
        [] => Ok(value),
        _ => Err(reader.expected("an operator")),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    names: &'a mut dyn Names,
    /// False in a part that `&&`, `||` or `?:` passes over.
    counts: bool,
    depth: usize,
}

/// Binary operators, those that bind least first; a longer spelling comes
/// before its beginning.
const LEVELS: [&[&str]; 8] = [
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Reader<'_> {
    fn blanks(&mut self) {
        while let Some((byte, rest)) = self.rest.split_first()
            && byte.is_ascii_whitespace()
        {
            self.rest = rest;
        }
    }

    fn expected(&self, what: &'static str) -> Error {
        Error::Expected(what, String::from_utf8_lossy(self.rest).into_owned())
    }

    /// Steps over an operator, but not over the beginning of a longer one.
    fn take(&mut self, operator: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(operator.as_bytes()) else {
            return false;
        };
        let longer = match (operator, rest.first()) {
            ("|" | "&" | "<" | ">", Some(next)) => *next == b'=' || *next == operator.as_bytes()[0],
            ("^" | "+" | "-" | "*" | "/" | "%" | "<<" | ">>" | "!" | "=", Some(b'=')) => true,
            _ => false,
        };
        if !longer {
            self.rest = rest;
            self.blanks();
        }
        !longer
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == DEPTH {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads a part that counts only if `counts` does.
    fn guarded<T>(&mut self, counts: bool, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.counts;
        self.counts &= counts;
        let result = read(self);
        self.counts = before;
        result
    }

    fn name(&self) -> usize {
        match self.rest.first() {
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                let inside = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
                self.rest.iter().take_while(inside).count()
            }
            _ => 0,
        }
    }

    /// `name = …` and `name op= …`, or what binds more.
    fn assignment(&mut self) -> Result<i64, Error> {
        let before = self.rest;
        let (name, rest) = self.rest.split_at(self.name());
        if !name.is_empty() {
            self.rest = rest;
            self.blanks();
            if let Some(operator) = self.assigning() {
                let right = self.deeper(Self::assignment)?;
                return self.assign(name, operator, right);
            }
            self.rest = before;
        }
        self.choice()
    }

    /// The operator before the `=` of an assignment, empty for a plain one.
    fn assigning(&mut self) -> Option<&'static str> {
        let operators = ["<<", ">>", "+", "-", "*", "/", "%", "&", "^", "|", ""];
        let operator = operators.into_iter().find(|operator| {
            let after = self.rest.strip_prefix(operator.as_bytes());
            after.is_some_and(|after| after.starts_with(b"=") && !after.starts_with(b"=="))
        })?;
        self.rest = &self.rest[operator.len() + 1..];
        self.blanks();
        Some(operator)
    }

    fn assign(&mut self, name: &[u8], operator: &str, right: i64) -> Result<i64, Error> {
        let value = match operator {
            "" => right,
            _ => {
                let left = self.variable(name)?;
                self.apply(operator, left, right)?
            }
        };
        if self.counts && !self.names.assign(name, value) {
            return Err(Error::ReadOnly(String::from_utf8_lossy(name).into_owned()));
        }
        Ok(value)
    }

    fn choice(&mut self) -> Result<i64, Error> {
        let condition = self.either()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.guarded(condition != 0, |r| r.deeper(Self::assignment))?;
        if !self.take(":") {
            return Err(self.expected("':'"));
        }
        let no = self.guarded(condition == 0, |r| r.deeper(Self::choice))?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn either(&mut self) -> Result<i64, Error> {
        let mut left = self.both()?;
        while self.take("||") {
            let right = self.guarded(left == 0, Self::both)?;
            left = i64::from(left != 0 || right != 0);
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<i64, Error> {
        let mut left = self.binary(0)?;
        while self.take("&&") {
            let right = self.guarded(left != 0, |reader| reader.binary(0))?;
            left = i64::from(left != 0 && right != 0);
        }
        Ok(left)
    }

    /// The operators of one level, which bind from the left.
    fn binary(&mut self, level: usize) -> Result<i64, Error> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.binary(level + 1)?;
            left = self.apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, Error> {
        Ok(match operator {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            // Where it does not count, its zero does not either.
            _ if right == 0 && self.counts => return Err(Error::DividedByZero),
            _ if right == 0 => 0,
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn unary(&mut self) -> Result<i64, Error> {
        self.deeper(|reader| {
            if reader.take("!") {
                return reader.unary().map(|value| i64::from(value == 0));
            }
            if reader.take("~") {
                return reader.unary().map(|value| !value);
            }
            if reader.take("-") {
                return reader.unary().map(i64::wrapping_neg);
            }
            if reader.take("+") {
                return reader.unary();
            }
            reader.primary()
        })
    }

    fn primary(&mut self) -> Result<i64, Error> {
        if self.take("(") {
            let value = self.deeper(Self::assignment)?;
            return match self.take(")") {
                true => Ok(value),
                false => Err(self.expected("')'")),
            };
        }
        let (name, rest) = self.rest.split_at(self.name());
        if !name.is_empty() {
            self.rest = rest;
            self.blanks();
            return self.variable(name);
        }
        let inside = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        let length = self.rest.iter().take_while(inside).count();
        if length == 0 {
            return Err(self.expected("a number"));
        }
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.blanks();
        number(digits)
    }

    fn variable(&mut self, name: &[u8]) -> Result<i64, Error> {
        let value = self.names.value(name).unwrap_or_default();
        let text = value.trim_ascii();
        if text.is_empty() || !self.counts {
            return Ok(0);
        }
        match text.split_first() {
            Some((b'-', digits)) => number(digits).map(i64::wrapping_neg),
            Some((b'+', digits)) => number(digits),
            _ => number(text),
        }
    }
}

/// Decimal, `0x` hexadecimal or `0` octal.
fn number(digits: &[u8]) -> Result<i64, Error> {
    let wrong = || Error::NotANumber(String::from_utf8_lossy(digits).into_owned());
    let text = core::str::from_utf8(digits).map_err(|_| wrong())?;
    let parsed = if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        u64::from_str_radix(hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        u64::from_str_radix(text, 8)
    } else {
        text.parse()
    };
    match parsed {
        // The first character of what from_str_radix takes may be a sign.
        Ok(value) if text.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(value as i64),
        _ => Err(wrong()),
    }
}
