//! Calls that copy from one file to another without the program's memory.

use abi::Errno;
use abi::file::O_APPEND;
use alloc::sync::Arc;

use super::file::{open_file, open_to_write};
use super::storage;
use crate::files::allocate::try_zeroed;
use crate::files::open_file::Whence;
use crate::files::{File, Kind, Sink, Source};
use crate::memory::user;
use crate::thread::Current;

/// The most that one call copies, as on Linux.
const MOST: usize = 0x7fff_f000;
/// How much is copied at a time.
const PART: usize = 32 * 1024;

/// A place in a file that a copy goes on from: its own, or one that is told at an
/// address.
struct Place<'a> {
    file: &'a Arc<File>,
    told_at: usize,
    offset: u64,
}

impl<'a> Place<'a> {
    /// EFAULT, EINVAL; ESPIPE.
    fn new(file: &'a Arc<File>, told_at: usize) -> Result<Place<'a>, Errno> {
        // What has no places has none of its own either.
        let own = file.seek(0, Whence::Current)?;
        let offset = match told_at {
            0 => own,
            at => storage::offset(user::read_value(at)?)?,
        };
        Ok(Place {
            file,
            told_at,
            offset,
        })
    }

    fn tell(&self) -> Result<(), Errno> {
        match self.told_at {
            0 => self.file.seek(self.offset as i64, Whence::Start).map(drop),
            at => user::write_value(at, &self.offset),
        }
    }
}

/// Copies up to `count` bytes from `from` on by `write`, which is told how many
/// were before; how many were. An error counts only if there were none.
fn copy(
    current: &Current,
    from: &mut Place<'_>,
    count: usize,
    mut write: impl FnMut(&mut Source<'_>, usize) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let count = count.min(MOST);
    let mut buffer = try_zeroed(count.min(PART))?;
    let mut done = 0;
    // A program that is to end does not copy gigabytes first.
    while done < count && !(done > 0 && current.is_interrupted()) {
        let part = &mut buffer[..PART.min(count - done)];
        let step = from
            .file
            .read_at(from.offset, &mut Sink::kernel(part))
            .and_then(|read| match read {
                0 => Ok((0, 0)),
                read => Ok((read, write(&mut Source::kernel(&part[..read]), done)?)),
            });
        match step {
            Ok((read, written)) => {
                done += written;
                from.offset += written as u64;
                if written < read || read == 0 {
                    break;
                }
            }
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// sendfile(2): EINVAL from a file without places, or to one that appends.
pub fn sendfile(
    current: &Current,
    to: usize,
    from: usize,
    offset: usize,
    count: usize,
) -> Result<usize, Errno> {
    let from = open_file(current, from)?;
    let to = open_to_write(current, to)?;
    if !from.description().readable() || !to.description().writable() {
        return Err(Errno::EBADF);
    }
    if to.description().flags() & O_APPEND as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let mut place = Place::new(&from, offset).map_err(|error| match error {
        Errno::ESPIPE if offset == 0 => Errno::EINVAL,
        error => error,
    })?;
    let done = copy(current, &mut place, count, |part, _| to.write(part))?;
    place.tell()?;
    Ok(done)
}

/// copy_file_range(2): EISDIR, EINVAL for what is no regular file or lies in the
/// same place, EBADF to a file that appends.
pub fn copy_file_range(
    current: &Current,
    [from, from_at, to, to_at, count, flags]: [usize; 6],
) -> Result<usize, Errno> {
    if flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let from = open_file(current, from)?;
    let to = open_to_write(current, to)?;
    for file in [&from, &to] {
        match file.inode().kind() {
            Kind::Regular => {}
            Kind::Directory => return Err(Errno::EISDIR),
            _ => return Err(Errno::EINVAL),
        }
    }
    let appends = to.description().flags() & O_APPEND as u32 != 0;
    if !from.description().readable() || !to.description().writable() || appends {
        return Err(Errno::EBADF);
    }
    let mut source = Place::new(&from, from_at)?;
    let mut target = Place::new(&to, to_at)?;
    // No more than there is.
    let left = from.inode().metadata().size.saturating_sub(source.offset);
    let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
    let distance = source.offset.abs_diff(target.offset);
    if Arc::ptr_eq(from.inode(), to.inode()) && distance < count as u64 {
        return Err(Errno::EINVAL);
    }
    let start = target.offset;
    let done = copy(current, &mut source, count, |part, done| {
        to.write_at(start + done as u64, part)
    })?;
    target.offset += done as u64;
    source.tell()?;
    target.tell()?;
    Ok(done)
}
