//! `/proc` (proc(5)): what programs for Linux read there of mounts and memory,
//! as far as they do without it badly. Each file is an inode in memory whose
//! device number says what it tells.

use alloc::sync::Arc;
use core::fmt::{self, Display, Write};

use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use abi::memory::PAGE_SIZE;
use machine::frames;
use sync::{Mutex, rank};

use super::buffer::{Sink, Source};
use super::inode::{Inode, New, device_number};
use super::open_file::{Description, File, Operations};
use super::text::Text;
use super::{mounts, ramfs, reclaim, walk};
use crate::device::disk::{self, Statistics};

/// A file: its path below `/proc`, its permissions, what it says, and what a
/// write does.
struct Entry {
    path: &'static [&'static str],
    permissions: u32,
    read: fn(&mut Text) -> Result<(), Errno>,
    write: Option<Act>,
}

type Act = fn(&[u8]) -> Result<(), Errno>;

const ENTRIES: &[Entry] = &[
    Entry {
        path: &["mounts"],
        permissions: 0o444,
        read: list_mounts,
        write: None,
    },
    Entry {
        path: &["meminfo"],
        permissions: 0o444,
        read: describe_memory,
        write: None,
    },
    Entry {
        path: &["diskstats"],
        permissions: 0o444,
        read: count_requests,
        write: None,
    },
    Entry {
        path: &["sys", "vm", "drop_caches"],
        permissions: 0o200,
        read: |_| Err(Errno::EACCES),
        write: Some(drop_caches),
    },
];

/// Numbers that Linux leaves to local use.
const MAJOR: u32 = 240;

/// Which entry a device number stands for.
pub fn index_of(number: u64) -> Option<usize> {
    (0..ENTRIES.len()).find(|&index| number == device_number(MAJOR, index as u32))
}

/// Puts the files under `/proc` of a new root.
pub(super) fn mount(root: &Arc<dyn Inode>) -> Result<(), Errno> {
    let proc: Arc<dyn Inode> = ramfs::RamFs::make_root()?;
    for (index, entry) in ENTRIES.iter().enumerate() {
        let Some((name, above)) = entry.path.split_last() else {
            continue;
        };
        let mut folder = proc.clone();
        for name in above {
            folder = super::directory(&folder, name.as_bytes())?;
        }
        let number = device_number(MAJOR, index as u32);
        folder.create(name.as_bytes(), New::Character(number), entry.permissions)?;
    }
    let covered = super::directory(root, b"proc")?;
    mounts::add(Some(covered), proc, b"proc", "proc", false)
}

/// Opens entry number `index`; the text is made now.
pub fn open(index: usize, inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
    let entry = ENTRIES.get(index).ok_or(Errno::ENXIO)?;
    let mut text = Text::default();
    if entry.write.is_none() {
        (entry.read)(&mut text)?;
    }
    File::new(
        inode,
        flags,
        OpenEntry {
            entry,
            text,
            offset: Mutex::new(0),
        },
    )
}

/// An open file of `/proc`.
struct OpenEntry {
    entry: &'static Entry,
    text: Text,
    offset: Mutex<u64, rank::FileOffset>,
}

impl Operations for OpenEntry {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let count = self.read_at(open, *offset, into)?;
        *offset += count as u64;
        Ok(count)
    }

    fn read_at(
        &self,
        _open: &Description,
        offset: u64,
        into: &mut Sink<'_>,
    ) -> Result<usize, Errno> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(into.put(self.text.as_bytes().get(from..).unwrap_or_default()))
    }

    fn write(&self, _open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let act = self.entry.write.ok_or(Errno::EINVAL)?;
        let mut word = [0; 16];
        let count = from.take(&mut word);
        act(word[..count].trim_ascii())?;
        Ok(count)
    }

    fn ready(&self, _open: &Description) -> i16 {
        POLLIN | POLLOUT
    }
}

/// A line for each mount: device, directory, type, options, and two zeroes.
fn list_mounts(text: &mut Text) -> Result<(), Errno> {
    let root = mounts::get(0).ok_or(Errno::ENOENT)?;
    let mut index = 0;
    while let Some(mount) = mounts::get(index) {
        index += 1;
        let at = match walk::path_of(&root.root, &mount.root) {
            // Removed just before something was mounted there.
            Err(Errno::ENOENT) => continue,
            at => at?,
        };
        let options = if mount.read_only { "ro" } else { "rw" };
        let (source, at) = (Escaped(&mount.source), Escaped(&at));
        text.add(format_args!("{source} {at} {} {options} 0 0\n", mount.kind))?;
    }
    Ok(())
}

/// As getmntent(3) has it: what separates words, and the backslash, in octal.
struct Escaped<'b>(&'b [u8]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b' ' | b'\t' | b'\n' | b'\\' => write!(f, "\\{byte:03o}")?,
                _ => f.write_char(byte as char)?,
            }
        }
        Ok(())
    }
}

fn describe_memory(text: &mut Text) -> Result<(), Errno> {
    let kib = |frames: usize| frames * (PAGE_SIZE / 1024);
    text.add(format_args!(
        "MemTotal: {:>14} kB\nMemFree: {:>15} kB\nDirty: {:>17} kB\n",
        kib(frames::total_count()),
        kib(frames::free_count()),
        kib(super::cache::dirty_total()),
    ))
}

/// A line for each disk: its number and name, then requests, merges, sectors and
/// milliseconds of reads, the same of writes, three fields of queues, four of
/// discards, two of flushes. What is not counted is 0.
fn count_requests(text: &mut Text) -> Result<(), Errno> {
    let mut result = Ok(());
    disk::for_each(|index, disk| {
        let Statistics {
            reads,
            sectors_read,
            writes,
            sectors_written,
            flushes,
        } = disk.statistics();
        let (major, minor) = (disk::MAJOR, index as u32 * disk::MINORS);
        let letter = char::from(b'a' + index as u8);
        let line = format_args!(
            "{major:>4} {minor:>7} vd{letter} {reads} 0 {sectors_read} 0 {writes} 0 \
             {sectors_written} 0 0 0 0 0 0 0 0 {flushes} 0\n"
        );
        result = result.and_then(|()| text.add(line));
    });
    result
}

/// 1, 2 or 3, as on Linux; all is dropped for any of them, and what is dirty is
/// written first.
fn drop_caches(word: &[u8]) -> Result<(), Errno> {
    match word {
        b"1" | b"2" | b"3" => {
            reclaim::drop_all();
            Ok(())
        }
        _ => Err(Errno::EINVAL),
    }
}
