//! The table of `/proc` as inodes. A node is made whenever a name is looked up.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt::Write;
use core::str;

use abi::Errno;
use abi::file::{O_ACCMODE, O_WRONLY, POLLIN, POLLOUT};
use arrayvec::ArrayString;
use sync::{Mutex, rank};

use super::{Act, Listing, Subject, Tell, What, process};
use crate::credentials::Credentials;
use crate::credentials::access::WRITE;
use crate::files::allocate::{try_arc_cyclic, try_bytes};
use crate::files::buffer::{Sink, Source};
use crate::files::inode::{Inode, Kind, Listed, Maker, Metadata, New, Statistics};
use crate::files::node_file::NodeFile;
use crate::files::open_file::{Description, File, Operations, Whence};
use crate::files::text::Text;
use crate::files::{clock, new_device};

/// `PROC_SUPER_MAGIC` (statfs(2)).
const MAGIC: u32 = 0x9fa0;
/// Where in a listing the numbers begin.
const FIRST_NUMBER: u64 = 1 << 16;

/// See the module.
pub struct Node {
    what: What,
    permissions: u32,
    subject: Subject,
    name: Box<[u8]>,
    above: Option<Arc<Node>>,
    number: u64,
    device: u64,
    made: u64,
    this: Weak<Node>,
}

impl Node {
    /// The root of a file system of its own.
    pub fn root(listing: &'static Listing) -> Result<Arc<Node>, Errno> {
        try_arc_cyclic(|this| Node {
            what: What::Folder(listing),
            permissions: 0o555,
            subject: Subject::default(),
            name: Box::default(),
            above: None,
            number: 1,
            device: new_device(),
            made: clock::now(),
            this: this.clone(),
        })
    }

    fn child(
        &self,
        name: &[u8],
        permissions: u32,
        what: What,
        subject: Subject,
    ) -> Result<Arc<dyn Inode>, Errno> {
        let name = try_bytes(name)?;
        let number = self.number_of(&name);
        let child: Arc<Node> = try_arc_cyclic(|this| Node {
            what,
            permissions,
            subject,
            name,
            above: self.this.upgrade(),
            number,
            device: self.device,
            made: clock::now(),
            this: this.clone(),
        })?;
        Ok(child)
    }

    /// The inode number of a name in this folder, which is always the same: all
    /// names of the path, by the hash FNV-1a.
    fn number_of(&self, name: &[u8]) -> u64 {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let start = self.number ^ 0xcbf2_9ce4_8422_2325;
        name.iter().fold(start, mix) | 2
    }

    fn listing(&self) -> Result<&'static Listing, Errno> {
        match self.what {
            What::Folder(listing) => Ok(listing),
            _ => Err(Errno::ENOTDIR),
        }
    }
}

/// A number as it is printed, without anything around it.
fn read_number(name: &[u8]) -> Option<u32> {
    let is_plain =
        name.iter().all(u8::is_ascii_digit) && (name.len() == 1 || name.first() != Some(&b'0'));
    let text = str::from_utf8(name)
        .ok()
        .filter(|_| !name.is_empty() && is_plain);
    text?.parse().ok()
}

impl What {
    fn kind(&self) -> Kind {
        match self {
            What::File(..) => Kind::Regular,
            What::Link(_) => Kind::SymbolicLink,
            What::Folder(_) => Kind::Directory,
        }
    }
}

impl Inode for Node {
    fn kind(&self) -> Kind {
        self.what.kind()
    }

    fn metadata(&self) -> Metadata {
        let kind = self.kind();
        let links = if kind == Kind::Directory { 2 } else { 1 };
        Metadata {
            links,
            owner: process::owner(self.subject, kind, self.permissions),
            ..Metadata::without_content(self.device, self.number, kind, self.permissions, self.made)
        }
    }

    fn check_access(&self, by: &Credentials, wanted: u32) -> Result<(), Errno> {
        by.check_access(&self.metadata(), wanted).or_else(|error| {
            // Its own descriptors a process may list, whoever it is by now.
            let is_own = self.subject.process == process::own().process;
            match is_own && self.kind() == Kind::Directory {
                true if wanted & WRITE == 0 => Ok(()),
                _ => Err(error),
            }
        })
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        let reads = flags & O_ACCMODE as u32 != O_WRONLY as u32;
        let (tell, act) = match self.what {
            What::Folder(_) => return NodeFile::open(self, flags),
            What::Link(_) => return Err(Errno::ELOOP),
            What::File(tell, act) => (tell, act),
        };
        let mut text = Text::default();
        match tell {
            // Whether there is something to tell is said now.
            Some(tell) if reads => tell(self.subject, &mut text)?,
            None if reads => return Err(Errno::EACCES),
            _ => {}
        }
        let operations = OpenText {
            subject: self.subject,
            tell,
            act,
            reading: Mutex::new(Reading {
                text,
                is_new: true,
                offset: 0,
            }),
        };
        File::new(self, flags, operations)
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        let listing = self.listing()?;
        let entry = listing
            .entries
            .iter()
            .copied()
            .flatten()
            .find(|entry| entry.name.as_bytes() == name);
        if let Some(entry) = entry {
            return self.child(name, entry.permissions, entry.what, self.subject);
        }
        let numbers = listing.numbers.as_ref().ok_or(Errno::ENOENT)?;
        let digits = name.strip_prefix(numbers.prefix.as_bytes());
        let number = digits.and_then(read_number).ok_or(Errno::ENOENT)?;
        let subject = (numbers.one)(self.subject, number)?;
        self.child(name, numbers.permissions, numbers.what, subject)
    }

    fn parent(&self) -> Option<Arc<dyn Inode>> {
        let above: Arc<dyn Inode> = self.above.clone()?;
        Some(above)
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        try_bytes(&self.name)
    }

    fn create(
        self: Arc<Self>,
        _name: &[u8],
        _new: New<'_>,
        _maker: Maker,
    ) -> Result<Arc<dyn Inode>, Errno> {
        Err(Errno::EACCES)
    }

    fn list(&self, from: u64, emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        let listing = self.listing()?;
        let above = self
            .above
            .as_ref()
            .map_or(self.number, |above| above.number);
        let dots = [(".", self.number), ("..", above)];
        let dots = dots.map(|(name, number)| (name, number, Kind::Directory));
        let entries = listing.entries.iter().copied().flatten().map(|entry| {
            let number = self.number_of(entry.name.as_bytes());
            (entry.name, number, entry.what.kind())
        });
        for (at, (name, number, kind)) in (0..).zip(dots.into_iter().chain(entries)) {
            let (name, next) = (name.as_bytes(), at + 1);
            let listed = Listed {
                number,
                kind,
                name,
                next,
            };
            if at >= from && !emit(listed) {
                return Ok(());
            }
        }
        let Some(numbers) = &listing.numbers else {
            return Ok(());
        };
        for number in (numbers.all)(self.subject)? {
            let at = FIRST_NUMBER + u64::from(number);
            let name = format_number(numbers.prefix, number);
            let listed = Listed {
                number: self.number_of(name.as_bytes()),
                kind: numbers.what.kind(),
                name: name.as_bytes(),
                next: at + 1,
            };
            if at >= from && !emit(listed) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        match self.what {
            What::Link(to) => Ok(to(self.subject)?.text()),
            _ => Err(Errno::EINVAL),
        }
    }

    fn jump(&self) -> Result<Option<Arc<dyn Inode>>, Errno> {
        match self.what {
            What::Link(to) => Ok(to(self.subject)?.inode()),
            _ => Ok(None),
        }
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(Statistics::without_room(MAGIC, self.device))
    }
}

/// The name of an entry that has a number.
fn format_number(prefix: &str, number: u32) -> ArrayString<16> {
    let mut name = ArrayString::new();
    // A number has ten digits at most, and no prefix is longer than six letters.
    let _ = write!(name, "{prefix}{number}");
    name
}

/// An open file of `/proc`.
struct OpenText {
    subject: Subject,
    tell: Option<Tell>,
    act: Option<Act>,
    reading: Mutex<Reading, rank::FileOffset>,
}

struct Reading {
    text: Text,
    /// Nobody has read it.
    is_new: bool,
    offset: u64,
}

impl OpenText {
    /// The text is made anew whenever it is read from its beginning again.
    fn read_text(
        &self,
        reading: &mut Reading,
        offset: u64,
        into: &mut Sink<'_>,
    ) -> Result<usize, Errno> {
        if offset == 0
            && !core::mem::take(&mut reading.is_new)
            && let Some(tell) = self.tell
        {
            let mut text = Text::default();
            tell(self.subject, &mut text)?;
            reading.text = text;
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = reading.text.as_bytes();
        Ok(into.put(bytes.get(from..).unwrap_or_default()))
    }
}

impl Operations for OpenText {
    fn read(&self, _: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let reading = &mut *self.reading.lock();
        let count = self.read_text(reading, reading.offset, into)?;
        reading.offset += count as u64;
        Ok(count)
    }

    fn read_at(&self, _: &Description, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.read_text(&mut self.reading.lock(), offset, into)
    }

    fn write(&self, _open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let act = self.act.ok_or(Errno::EINVAL)?;
        let mut word = [0; 64];
        let count = from.take(&mut word);
        act(self.subject, word[..count].trim_ascii())?;
        Ok(count)
    }

    fn seek(&self, _open: &Description, by: i64, whence: Whence) -> Result<u64, Errno> {
        let mut reading = self.reading.lock();
        let base = match whence {
            Whence::Start => 0,
            Whence::Current => reading.offset,
            Whence::End | Whence::Next(_) => return Err(Errno::EINVAL),
        };
        reading.offset = base.checked_add_signed(by).ok_or(Errno::EINVAL)?;
        Ok(reading.offset)
    }

    fn ready(&self, _open: &Description) -> i16 {
        POLLIN | POLLOUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_names_in_one_form() {
        let cases: [(&[u8], _); 8] = [
            (b"0", Some(0)),
            (b"17", Some(17)),
            (b"4294967295", Some(u32::MAX)),
            (b"4294967296", None),
            (b"017", None),
            (b"+1", None),
            (b"1a", None),
            (b"", None),
        ];
        for (name, number) in cases {
            assert_eq!(read_number(name), number);
            if let Some(number) = number {
                assert_eq!(format_number("", number).as_bytes(), name);
            }
        }
    }
}
