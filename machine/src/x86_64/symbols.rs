//! Names for the addresses of a backtrace.
//!
//! The image has room for a table of names, which the build fills in after the
//! link, as the addresses are not known before:
//!
//! | bytes | hold |
//! |---|---|
//! | 0..8 | `WEFTSYM1` |
//! | 8..12 | number of entries |
//! | 12.. | entries of 8 bytes, by rising address: the address less the start of the kernel half's last 2 GiB, and where the name starts in this table |
//! | after | names, each its length in two bytes and UTF-8 |
//!
//! All numbers are little-endian. A table never filled in has no magic, and
//! then there are only addresses. Reads are checked: a panic must not fault.

use crate::address::KERNEL_IMAGE;

/// Bytes kept for the table.
const SIZE: usize = 256 * 1024;
const MAGIC: [u8; 8] = *b"WEFTSYM1";
const HEADER: usize = 12;

#[unsafe(link_section = ".symbols")]
static TABLE: [u8; SIZE] = [0; SIZE];

/// The table as it is in memory, which the compiler must not think it knows.
fn table() -> &'static [u8] {
    core::hint::black_box(&TABLE)
}

fn number(at: usize) -> Option<usize> {
    let bytes = table().get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

/// The function that holds `address`, and how far into it that is.
pub fn lookup(address: usize) -> Option<(&'static str, usize)> {
    if table().get(..8)? != MAGIC {
        return None;
    }
    let wanted = address.checked_sub(KERNEL_IMAGE)?;
    // The last entry that does not begin behind the address.
    let (mut low, mut high) = (0, number(8)?);
    while low < high {
        let middle = low + (high - low) / 2;
        if number(HEADER + middle * 8)? <= wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let entry = HEADER + low.checked_sub(1)? * 8;
    let name = number(entry + 4)?;
    let length = table().get(name..name + 2)?;
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    let text = table().get(name + 2..name + 2 + length)?;
    Some((core::str::from_utf8(text).ok()?, wanted - number(entry)?))
}
