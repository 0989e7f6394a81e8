//! Directory entries in the layout of getdents64(2).

use abi::Errno;
use abi::file::{DIRENT_NAME, NAME_MAX};
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

use crate::files::Sink;
use crate::files::inode::{Inode, Listed};

/// Words that are collected before they go to the user.
const WORDS: usize = 128;
const _: () = assert!(WORDS * 8 >= DIRENT_NAME + NAME_MAX + 1 + 8);

/// Entries on their way to a user's buffer.
pub struct Listing<'a> {
    sink: Sink<'a>,
    words: ArrayVec<u64, WORDS>,
    /// Bytes that have got there.
    pub done: usize,
}

impl<'a> Listing<'a> {
    pub fn new(sink: Sink<'a>) -> Listing<'a> {
        Listing {
            sink,
            words: ArrayVec::new(),
            done: 0,
        }
    }

    /// Lists `directory` from position `from`; where to go on. EINVAL if not
    /// even one entry fits, EFAULT if not even one got there.
    pub fn fill(&mut self, directory: &dyn Inode, from: u64) -> Result<u64, Errno> {
        // Positions behind the last entry collected, and the last one there.
        let (mut collected, mut given) = (from, from);
        let mut full = false;
        loop {
            let mut more = false;
            let listed = directory.list(collected, &mut |entry| {
                let length = entry_length(&entry);
                more = length > self.words.remaining_capacity() * 8;
                full = length > self.sink.remaining() - self.words.len() * 8;
                if more || full {
                    return false;
                }
                self.push(&entry, length);
                collected = entry.next;
                true
            });
            match listed {
                Err(error) if self.done == 0 => return Err(error),
                // The next call is told.
                Err(_) => break,
                Ok(()) => {}
            }
            // Not before: the user's pages may be read from the file system that
            // has its locks held while it lists.
            if !self.flush() {
                break;
            }
            given = collected;
            if full || !more {
                break;
            }
        }
        match self.done {
            0 if self.sink.faulted() => Err(Errno::EFAULT),
            0 if full => Err(Errno::EINVAL),
            _ => Ok(given),
        }
    }

    /// Hands over what is collected; false after a fault.
    fn flush(&mut self) -> bool {
        let bytes = self.words.as_bytes();
        let whole = self.sink.put(bytes) == bytes.len();
        if whole {
            self.done += bytes.len();
        }
        self.words.clear();
        whole && !self.sink.faulted()
    }

    /// Collects one entry: number, next position, then length, type and name
    /// packed together. There is room for it.
    fn push(&mut self, entry: &Listed<'_>, length: usize) {
        self.words.push(entry.number);
        self.words.push(entry.next);
        let mut word = length as u64 | u64::from(entry.kind.entry_type()) << 16;
        let mut shift = 24;
        for &byte in entry.name {
            word |= u64::from(byte) << shift;
            shift += 8;
            if shift == u64::BITS {
                self.words.push(word);
                (word, shift) = (0, 0);
            }
        }
        // Holds the zero behind the name, and is the padding.
        self.words.push(word);
    }
}

/// Bytes that `entry` takes.
fn entry_length(entry: &Listed<'_>) -> usize {
    (DIRENT_NAME + entry.name.len() + 1).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::inode::Kind;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_layout_is_linuxs(name in proptest::collection::vec(1u8.., 1..=NAME_MAX), number: u64, next: u64) {
            let entry = Listed { number, kind: Kind::Fifo, name: &name, next };
            let mut listing = Listing::new(Sink::kernel(&mut []));
            listing.push(&entry, entry_length(&entry));
            let bytes = listing.words.as_bytes();
            prop_assert_eq!(bytes.len(), entry_length(&entry));
            prop_assert_eq!(&bytes[..8], number.to_le_bytes());
            prop_assert_eq!(&bytes[8..16], next.to_le_bytes());
            prop_assert_eq!(&bytes[16..18], (bytes.len() as u16).to_le_bytes());
            prop_assert_eq!(bytes[18], 1);
            let (text, padding) = bytes[DIRENT_NAME..].split_at(name.len());
            prop_assert_eq!(text, &*name);
            prop_assert!((1..=8).contains(&padding.len()) && padding.iter().all(|byte| *byte == 0));
        }
    }
}
