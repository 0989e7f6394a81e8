//! Words: quotes, parameters, and the commands and expressions inside them.

use super::lexer::{Token, ends_word};
use super::parser::Parser;
use super::syntax_error::SyntaxError;
use super::tree::*;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// What makes a closing quote, brace or parenthesis missing.
fn missing(what: &str) -> SyntaxError {
    SyntaxError::Incomplete(what.into())
}

impl Parser<'_> {
    /// One word, which ends before a blank or an operator.
    pub(super) fn word(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        while let Some(byte) = self.byte() {
            if ends_word(byte) {
                break;
            }
            self.unquoted(&mut word, byte)?;
        }
        Ok(word)
    }

    /// What `byte`, which comes next outside quotes, begins.
    fn unquoted(&mut self, word: &mut Word, byte: u8) -> Result<(), SyntaxError> {
        self.at += 1;
        match byte {
            b'\'' => self.single_quoted(word),
            b'"' => self.double_quoted(word),
            b'\\' => {
                let next = self.byte().ok_or_else(|| missing("a line after '\\'"))?;
                self.at += 1;
                match next {
                    b'\n' => return self.next_line(),
                    _ => word.push(next, true),
                }
                Ok(())
            }
            b'$' => self.dollar(word, false),
            b'`' => self.backquoted(word, false),
            _ => {
                word.push(byte, false);
                Ok(())
            }
        }
    }

    /// After a backslash that joins two lines: the second must be there.
    pub(super) fn next_line(&self) -> Result<(), SyntaxError> {
        match self.byte() {
            Some(_) => Ok(()),
            None => Err(missing("a line after '\\'")),
        }
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        let end = self.rest().iter().position(|&b| b == b'\'');
        let end = end.ok_or_else(|| missing("a closing '"))?;
        word.0.push(Piece::Quoted(self.rest()[..end].into()));
        self.at += end + 1;
        Ok(())
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        let mut inside = Word::default();
        loop {
            let byte = self.byte().ok_or_else(|| missing("a closing \""))?;
            if byte == b'"' {
                self.at += 1;
                break;
            }
            self.quoted(&mut inside, byte, b"\"\\$`")?;
        }
        // Quotes make a field even of nothing, but for "$@" without parameters.
        let only_all = !inside.0.is_empty()
            && inside.0.iter().all(|piece| {
                matches!(piece, Piece::Parameter { parameter, .. }
                    if parameter.name == b"@" && parameter.operation == Operation::Value)
            });
        if !only_all {
            word.0.push(Piece::Quoted(Vec::new()));
        }
        word.0.extend(inside.0);
        Ok(())
    }

    /// What `byte`, which comes next inside double quotes, begins; a backslash
    /// takes its meaning from those of `escaped`.
    fn quoted(&mut self, word: &mut Word, byte: u8, escaped: &[u8]) -> Result<(), SyntaxError> {
        self.at += 1;
        match (byte, self.byte()) {
            (b'\\', Some(b'\n')) => self.at += 1,
            (b'\\', Some(next)) if escaped.contains(&next) => {
                self.at += 1;
                word.push(next, true);
            }
            (b'$', _) => return self.dollar(word, true),
            (b'`', _) => return self.backquoted(word, true),
            _ => word.push(byte, true),
        }
        Ok(())
    }

    /// The whole text as a here-document.
    pub(super) fn document(&mut self) -> Result<Word, SyntaxError> {
        let mut word = Word(alloc::vec![Piece::Quoted(Vec::new())]);
        while let Some(byte) = self.byte() {
            self.quoted(&mut word, byte, b"\\$`")?;
        }
        Ok(word)
    }

    /// After `$`.
    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), SyntaxError> {
        self.deeper(|parser| {
            if parser.skip(b"{") {
                let parameter = Box::new(parser.braces(quoted)?);
                word.0.push(Piece::Parameter { parameter, quoted });
            } else if parser.rest().starts_with(b"((") && parser.arithmetic(word, quoted)? {
                // It was one.
            } else if parser.skip(b"(") {
                let list = Rc::new(parser.list_until(&Token::Close)?);
                word.0.push(Piece::Command { list, quoted });
            } else {
                match parser.parameter_name(false) {
                    Some(name) => {
                        let operation = Operation::Value;
                        let parameter = Box::new(Parameter { name, operation });
                        word.0.push(Piece::Parameter { parameter, quoted });
                    }
                    None => word.push(b'$', quoted),
                }
            }
            Ok(())
        })
    }

    /// A name, or a special parameter; in braces a number may be longer than
    /// one digit.
    fn parameter_name(&mut self, braces: bool) -> Option<Vec<u8>> {
        let rest = self.rest();
        let length = match *rest.first()? {
            byte if byte.is_ascii_digit() && braces => {
                rest.iter().take_while(|b| b.is_ascii_digit()).count()
            }
            byte if byte.is_ascii_digit() => 1,
            byte if byte.is_ascii_alphabetic() || byte == b'_' => rest
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
                .count(),
            b'?' | b'$' | b'!' | b'#' | b'@' | b'*' | b'-' => 1,
            _ => return None,
        };
        let name = rest[..length].into();
        self.at += length;
        Some(name)
    }

    /// After `${`, with the closing brace.
    fn braces(&mut self, quoted: bool) -> Result<Parameter, SyntaxError> {
        let length_wanted = self.rest().starts_with(b"#")
            && !matches!(
                self.rest().get(1),
                None | Some(b'}' | b':' | b'-' | b'=' | b'?' | b'+' | b'#' | b'%')
            );
        if length_wanted {
            self.at += 1;
        }
        let bad = || SyntaxError::BadSubstitution;
        let name = match self.parameter_name(true) {
            Some(name) => name,
            None if self.byte().is_none() => return Err(missing("a closing }")),
            None => return Err(bad()),
        };
        let operation = if length_wanted {
            Operation::Length
        } else {
            self.operation(quoted)?
        };
        match self.byte() {
            Some(b'}') => self.at += 1,
            None => return Err(missing("a closing }")),
            Some(_) => return Err(bad()),
        }
        Ok(Parameter { name, operation })
    }

    /// What stands between the name and the closing brace.
    fn operation(&mut self, quoted: bool) -> Result<Operation, SyntaxError> {
        for (spelling, suffix, longest) in [
            (b"##".as_slice(), false, true),
            (b"#", false, false),
            (b"%%", true, true),
            (b"%", true, false),
        ] {
            if self.skip(spelling) {
                let pattern = self.brace_word(false)?;
                return Ok(Operation::Trim {
                    suffix,
                    longest,
                    pattern,
                });
            }
        }
        let colon = self.skip(b":");
        let action = match self.byte() {
            Some(b'-') => Action::Default,
            Some(b'=') => Action::Assign,
            Some(b'?') => Action::Complain,
            Some(b'+') => Action::Replace,
            _ if colon => return Err(SyntaxError::BadSubstitution),
            _ => return Ok(Operation::Value),
        };
        self.at += 1;
        let word = self.brace_word(quoted)?;
        Ok(Operation::Alternative {
            action,
            colon,
            word,
        })
    }

    /// The word before a closing brace, which is left.
    fn brace_word(&mut self, quoted: bool) -> Result<Word, SyntaxError> {
        let mut word = Word::default();
        loop {
            let byte = self.byte().ok_or_else(|| missing("a closing }"))?;
            match byte {
                b'}' => return Ok(word),
                b'"' if quoted => {
                    self.at += 1;
                    self.double_quoted(&mut word)?;
                }
                _ if quoted => self.quoted(&mut word, byte, b"\"\\$`}")?,
                _ => self.unquoted(&mut word, byte)?,
            }
        }
    }

    /// `((…))` after a `$`; false, with nothing read, if it turns out to be a
    /// command that begins with a parenthesis.
    fn arithmetic(&mut self, word: &mut Word, quoted: bool) -> Result<bool, SyntaxError> {
        let start = self.at;
        self.at += 2;
        let mut expression = Word::default();
        let mut open = 0usize;
        loop {
            let byte = self.byte().ok_or_else(|| missing("a closing ))"))?;
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' if self.rest().starts_with(b"))") => {
                    self.at += 2;
                    word.0.push(Piece::Arithmetic { expression, quoted });
                    return Ok(true);
                }
                b')' => {
                    self.at = start;
                    return Ok(false);
                }
                _ => {}
            }
            if byte == b'"' {
                self.at += 1;
            } else {
                self.quoted(&mut expression, byte, b"\"\\$`")?;
            }
        }
    }

    /// After a backquote: the commands up to the next one, in which a
    /// backslash protects backquotes, backslashes and dollars.
    fn backquoted(&mut self, word: &mut Word, quoted: bool) -> Result<(), SyntaxError> {
        let mut text = Vec::new();
        loop {
            let byte = self.byte().ok_or_else(|| missing("a closing `"))?;
            self.at += 1;
            match (byte, self.byte()) {
                (b'`', _) => break,
                (b'\\', Some(next @ (b'`' | b'\\' | b'$'))) => {
                    self.at += 1;
                    text.push(next);
                }
                (b'\\', Some(b'"')) if quoted => {
                    self.at += 1;
                    text.push(b'"');
                }
                _ => text.push(byte),
            }
        }
        let list = self.nested(&text, |inner| inner.list_until(&Token::End))?;
        let list = Rc::new(list);
        word.0.push(Piece::Command { list, quoted });
        Ok(())
    }
}
