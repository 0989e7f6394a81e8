//! Names for the addresses of a backtrace.
//!
//! The image has room for a table of names, which the build fills in after the
//! link, as the addresses are not known before:
//!
//! | bytes | hold |
//! |---|---|
//! | 0..8 | `WEFTSYM1` |
//! | 8..12 | number of entries |
//! | 12.. | entries of 8 bytes, by rising address: the address, counted from the start of the last 2 GiB, and where the name starts in this table |
//! | after | names, each its length in two bytes and UTF-8 |
//!
//! All numbers are little-endian. A table never filled in has no magic, and
//! then there are only addresses. Reads are checked: a panic must not fault.

const MAGIC: [u8; 8] = *b"WEFTSYM1";
const HEADER: usize = 12;
const ENTRY: usize = 8;

/// The function in which `wanted` lies, and how far into it that is.
pub fn lookup(table: &[u8], wanted: usize) -> Option<(&str, usize)> {
    if table.get(..8)? != MAGIC {
        return None;
    }
    // The last entry that does not begin behind the address.
    let (mut low, mut high) = (0, number(table, 8)?);
    while low < high {
        let middle = low + (high - low) / 2;
        if number(table, HEADER + middle * ENTRY)? <= wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let entry = HEADER + low.checked_sub(1)? * ENTRY;
    let name = number(table, entry + 4)?;
    let length = table.get(name..name + 2)?;
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    let text = table.get(name + 2..name + 2 + length)?;
    Some((
        core::str::from_utf8(text).ok()?,
        wanted - number(table, entry)?,
    ))
}

fn number(table: &[u8], at: usize) -> Option<usize> {
    let bytes = table.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries at 0x100 ("a") and 0x200 ("bc").
    fn table() -> Vec<u8> {
        let mut table = MAGIC.to_vec();
        for word in [2u32, 0x100, 28, 0x200, 31] {
            table.extend(word.to_le_bytes());
        }
        table.extend(b"\x01\0a\x02\0bc");
        table
    }

    #[test]
    fn an_address_belongs_to_the_function_that_begins_before_it() {
        let table = table();
        assert_eq!(lookup(&table, 0xff), None);
        assert_eq!(lookup(&table, 0x100), Some(("a", 0)));
        assert_eq!(lookup(&table, 0x1ff), Some(("a", 0xff)));
        assert_eq!(lookup(&table, 0x201), Some(("bc", 1)));
    }

    #[test]
    fn a_broken_table_names_nothing() {
        let whole = table();
        for length in 0..whole.len() {
            let _ = lookup(&whole[..length], 0x201);
        }
        assert_eq!(lookup(&[0; 64], 0x100), None);
        assert_eq!(lookup(&[0xff; 64], 0x100), None);
    }
}
