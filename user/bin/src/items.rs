//! What `xargs` reads: items between blanks and lines, with quotes.

use alloc::vec::Vec;

#[derive(Debug, PartialEq, Eq)]
pub struct OpenQuote(pub char);

/// The items of a text. In quotes, and after a backslash, every byte is part
/// of an item; but a line ends a quote by mistake.
pub fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, OpenQuote> {
    let mut items = Vec::new();
    let mut current: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => items.extend(current.take()),
            b'\'' | b'"' => {
                let item = current.get_or_insert_default();
                loop {
                    match bytes.next() {
                        None | Some(b'\n') => return Err(OpenQuote(byte.into())),
                        Some(end) if end == byte => break,
                        Some(inside) => item.push(inside),
                    }
                }
            }
            b'\\' => {
                let item = current.get_or_insert_default();
                item.extend(bytes.next());
            }
            _ => current.get_or_insert_default().push(byte),
        }
    }
    items.extend(current);
    Ok(items)
}

/// The word with every `mark` in it made an item.
pub fn replace(word: &[u8], mark: &[u8], item: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        match rest.strip_prefix(mark).filter(|_| !mark.is_empty()) {
            Some(after) => {
                result.extend_from_slice(item);
                rest = after;
            }
            None => {
                result.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let split = |text: &str| split(text.as_bytes());
        assert_eq!(split(" \n"), Ok(vec![]));
        let expected: Vec<Vec<u8>> = ["a", "b c", "d'e", "", "f g"].map(Into::into).into();
        assert_eq!(split("a 'b c'\n\n d\\'e \"\" f\\ g"), Ok(expected));
        assert_eq!(split("a 'b\nc'"), Err(OpenQuote('\'')));
        assert_eq!(split("\""), Err(OpenQuote('"')));
        assert_eq!(split("a\\"), Ok(vec![b"a".to_vec()]));
    }

    #[test]
    fn marks() {
        assert_eq!(replace(b"a{}b{}", b"{}", b"x"), b"axbx");
        assert_eq!(replace(b"{", b"{}", b"x"), b"{");
        assert_eq!(replace(b"ab", b"", b"x"), b"ab");
    }
}
