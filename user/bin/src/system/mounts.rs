//! The file systems that are mounted: `/proc/mounts`, or the root alone where
//! there is no such file.

use alloc::ffi::CString;
use alloc::vec::Vec;
use weft::io::Lines;
use weft::{Errno, abi, file};

pub struct Mount {
    pub source: CString,
    pub target: CString,
    pub kind: CString,
    /// `rw` or `ro`, and more.
    pub options: CString,
}

pub fn all() -> Result<Vec<Mount>, Errno> {
    let fd = match file::open(c"/proc/mounts", abi::file::O_RDONLY) {
        Ok(fd) => fd,
        Err(Errno::ENOENT) => return Ok(alloc::vec![root()]),
        Err(error) => return Err(error),
    };
    let mut lines = Lines::new(fd);
    let mut mounts = Vec::new();
    while let Some(line) = lines.next_line()? {
        let mut words = line.trim_ascii().split(|byte| *byte == b' ').map(unescape);
        let mut next = || words.next().unwrap_or_default();
        mounts.push(Mount {
            source: next(),
            target: next(),
            kind: next(),
            options: next(),
        });
    }
    file::close(fd)?;
    Ok(mounts)
}

fn root() -> Mount {
    Mount {
        source: c"root".into(),
        target: c"/".into(),
        kind: c"-".into(),
        options: c"-".into(),
    }
}

/// Blanks in names stand as `\040` and the like (fstab(5)).
fn unescape(word: &[u8]) -> CString {
    let mut text = Vec::new();
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                text.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => text.push(byte),
        }
    }
    CString::new(text).unwrap_or_default()
}
