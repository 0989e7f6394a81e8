//! `locks`: those that programs have on files.

use abi::Errno;

use super::Subject;
use crate::files::locks::{self, Kind, Owner, Range, Scope, Shown};
use crate::files::text::Text;

/// A line for each lock on a file, as Linux has it.
pub fn list(_: Subject, text: &mut Text) -> Result<(), Errno> {
    for (index, shown) in locks::list()?.iter().enumerate() {
        let Shown {
            scope,
            lock,
            device,
            number,
        } = shown;
        let name = match (scope, lock.owner) {
            (Scope::Whole, _) => "FLOCK ",
            (Scope::Bytes, Owner::Table(_)) => "POSIX ",
            (Scope::Bytes, Owner::Open(_)) => "OFDLCK",
        };
        let kind = match lock.kind {
            Kind::Shared => "READ ",
            Kind::Exclusive => "WRITE",
        };
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff);
        text.add(format_args!(
            "{}: {name} ADVISORY  {kind} {} {major:02x}:{minor:02x}:{number} {} ",
            index + 1,
            lock.pid,
            lock.range.first,
        ))?;
        match lock.range.last {
            Range::END => text.add_bytes(b"EOF\n")?,
            last => text.add(format_args!("{last}\n"))?,
        }
    }
    Ok(())
}
