//! What a guest finds on a disk, as bytes: the guest writes them behind the
//! file system, and the judge reads them there.
//!
//! A magic number and the length of the rest; then for each file and folder its
//! inode's number, how many names it counts, whether it is a folder, and the
//! lengths of the path and the content, which follow. All numbers have 32 bits,
//! little-endian.

extern crate alloc;

use alloc::vec::Vec;

const MAGIC: u32 = u32::from_le_bytes(*b"seen");
const HEAD: usize = 8;
const WORDS: usize = 5;

/// A file or folder that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    pub number: u32,
    pub links: u32,
    pub is_folder: bool,
    pub path: &'a [u8],
    pub content: &'a [u8],
}

/// A report that is being written.
pub struct Report(Vec<u8>);

impl Report {
    pub fn new() -> Report {
        Report([MAGIC.to_le_bytes(), [0; 4]].concat())
    }

    pub fn add(&mut self, seen: Seen<'_>) {
        let lengths = [seen.path.len(), seen.content.len()].map(|length| length as u32);
        let words = [seen.number, seen.links, seen.is_folder.into()];
        for word in words.into_iter().chain(lengths) {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend_from_slice(seen.path);
        self.0.extend_from_slice(seen.content);
        let length = (self.0.len() - HEAD) as u32;
        self.0[4..HEAD].copy_from_slice(&length.to_le_bytes());
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// All that a report tells; `None` if there is none, or not the whole of it.
pub fn read_report(bytes: &[u8]) -> Option<Vec<Seen<'_>>> {
    let mut rest = bytes;
    if word(&mut rest)? != MAGIC {
        return None;
    }
    let length = word(&mut rest)? as usize;
    let mut rest = rest.get(..length)?;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut words = [0; WORDS];
        for value in &mut words {
            *value = word(&mut rest)?;
        }
        let [number, links, is_folder, path, content] = words;
        all.push(Seen {
            number,
            links,
            is_folder: is_folder != 0,
            path: rest.split_off(..path as usize)?,
            content: rest.split_off(..content as usize)?,
        });
    }
    Some(all)
}

fn word(rest: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let seen = |path, content| Seen {
            number: 12,
            links: 2,
            is_folder: false,
            path,
            content,
        };
        let all = [seen(b"a/b", b"content"), seen(b"c", b"")];
        let mut report = Report::new();
        assert_eq!(read_report(report.bytes()).as_deref(), Some(&[][..]));
        for seen in all {
            report.add(seen);
        }
        let bytes = [report.bytes(), &[0; 100]].concat();
        assert_eq!(read_report(&bytes).as_deref(), Some(&all[..]));
        assert_eq!(read_report(&bytes[..report.bytes().len() - 1]), None);
        assert_eq!(read_report(&[0; 100]), None);
    }
}
