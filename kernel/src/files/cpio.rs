//! Reading a cpio archive in the "newc" format (cpio(5), New ASCII Format).
//!
//! An iterator over borrowed entries: nothing is copied or allocated. Written
//! here because the crate at hand sums up every byte of every file while it
//! iterates, which at boot is the whole image, and ends silently at a damaged
//! entry.

/// Length of the fixed header: the magic and thirteen fields of eight digits.
const HEADER: usize = 6 + 13 * 8;
const MAGIC: &[u8] = b"070701";
const TRAILER: &[u8] = b"TRAILER!!!";

/// One file of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path, without a leading slash as archives are usually made.
    pub name: &'a [u8],
    /// Type and permissions, as in `stat`.
    pub mode: u32,
    /// Seconds since 1970.
    pub modified: u32,
    /// Major and minor number of a device.
    pub device: (u32, u32),
    pub data: &'a [u8],
}

/// The archive is cut short or not in this format, at this offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    pub offset: usize,
}

/// The entries of `archive`, up to its trailer. An empty archive has none; a
/// missing trailer or a broken header is one last `Err`.
pub fn entries(archive: &[u8]) -> Entries<'_> {
    Entries { archive, offset: 0 }
}

pub struct Entries<'a> {
    archive: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.archive.len() {
            return None;
        }
        let at = self.offset;
        let Some((entry, next)) = read(self.archive, at) else {
            self.offset = self.archive.len();
            return Some(Err(Damaged { offset: at }));
        };
        self.offset = next;
        if entry.name == TRAILER {
            self.offset = self.archive.len();
            return None;
        }
        Some(Ok(entry))
    }
}

/// The entry at `at`, and where the next one starts.
fn read(archive: &[u8], at: usize) -> Option<(Entry<'_>, usize)> {
    let header = archive.get(at..at.checked_add(HEADER)?)?;
    if !header.starts_with(MAGIC) {
        return None;
    }
    let name_at = at + HEADER;
    let name_end = name_at.checked_add(field(header, 11)? as usize)?;
    let data_at = align(name_end)?;
    let data_end = data_at.checked_add(field(header, 6)? as usize)?;
    let (0, name) = archive.get(name_at..name_end)?.split_last()? else {
        return None;
    };
    let entry = Entry {
        name,
        mode: field(header, 1)?,
        modified: field(header, 5)?,
        device: (field(header, 9)?, field(header, 10)?),
        data: archive.get(data_at..data_end)?,
    };
    Some((entry, align(data_end)?))
}

/// Header field `index`: eight hexadecimal digits after the magic.
fn field(header: &[u8], index: usize) -> Option<u32> {
    let digits = header.get(6 + index * 8..14 + index * 8)?;
    digits.iter().try_fold(0, |value, &digit| {
        Some(value << 4 | (digit as char).to_digit(16)?)
    })
}

/// Names and data are padded to a multiple of four bytes.
fn align(offset: usize) -> Option<usize> {
    Some(offset.checked_add(3)? & !3)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::vec::Vec;

    pub(crate) fn append(archive: &mut Vec<u8>, name: &str, mode: u32, data: &[u8]) {
        let fields = [
            1,
            mode,
            0,
            0,
            1,
            77,
            data.len() as u32,
            0,
            0,
            5,
            1,
            name.len() as u32 + 1,
            0,
        ];
        archive.extend_from_slice(MAGIC);
        for field in fields {
            archive.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        archive.extend_from_slice(name.as_bytes());
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend_from_slice(data);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }

    fn sample() -> Vec<u8> {
        let mut archive = Vec::new();
        append(&mut archive, "bin", 0o040755, b"");
        append(&mut archive, "bin/sh", 0o100755, b"hello");
        append(&mut archive, "TRAILER!!!", 0, b"");
        archive.resize(archive.len() + 300, 0);
        archive
    }

    #[test]
    fn reads_what_was_written() {
        let archive = sample();
        let all: Vec<_> = entries(&archive).map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].name, b"bin/sh");
        assert_eq!(all[1].data, b"hello");
        assert_eq!(all[1].mode, 0o100755);
        assert_eq!(all[1].modified, 77);
        assert_eq!(all[1].device, (5, 1));
        assert_eq!(entries(&[]).count(), 0);
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let archive = sample();
        let last = entries(&archive[..130]).last();
        assert_eq!(last, Some(Err(Damaged { offset: 116 })));
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0usize..400, byte: u8, cut in 0usize..700) {
            let mut archive = sample();
            archive[at] = byte;
            archive.truncate(cut);
            for entry in entries(&archive) {
                let _ = entry;
            }
        }
    }
}
