//! Calls that read and write several buffers at once: readv(2) and its kin.

use abi::Errno;
use abi::file::*;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use super::file::{open_file, open_to_write};
use super::storage;
use crate::files::allocate::try_vec;
use crate::files::open_file::Whence;
use crate::files::{Kind, Sink, Source};
use crate::memory::user;
use crate::thread::Current;

/// Of preadv2(2) and pwritev2(2). A read does nothing about them, as on Linux.
const FLAGS: usize = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND;

/// The caller's list of buffers, copied once: EINVAL if it is too long.
pub(super) fn read_vectors(address: usize, count: usize) -> Result<Vec<IoVec>, Errno> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    let mut vectors = try_vec(count)?;
    vectors.resize(count, IoVec::default());
    user::read_bytes(address, vectors.as_mut_bytes())?;
    Ok(vectors)
}

/// readv(2), preadv(2), preadv2(2).
pub fn preadv2(
    current: &Current,
    descriptor: usize,
    vectors: usize,
    count: usize,
    place: Option<usize>,
    flags: usize,
) -> Result<usize, Errno> {
    let place = place.map(storage::offset).transpose()?;
    let file = open_file(current, descriptor)?;
    let vectors = read_vectors(vectors, count)?;
    check_flags(flags)?;
    let mut into = Sink::vectors(&vectors)?;
    match place {
        Some(at) => file.read_at(at, &mut into),
        None => file.read(&mut into),
    }
}

/// writev(2), pwritev(2), pwritev2(2).
pub fn pwritev2(
    current: &Current,
    descriptor: usize,
    vectors: usize,
    count: usize,
    place: Option<usize>,
    flags: usize,
) -> Result<usize, Errno> {
    let place = place.map(storage::offset).transpose()?;
    let file = open_to_write(current, descriptor)?;
    let vectors = read_vectors(vectors, count)?;
    check_flags(flags)?;
    let mut from = Source::vectors(&vectors)?;
    let appends = flags & RWF_APPEND != 0 && file.inode().kind() == Kind::Regular;
    let written = match place {
        _ if appends => {
            let (written, end) = file.append(&mut from)?;
            if place.is_none() && written > 0 {
                file.seek(end as i64, Whence::Start)?;
            }
            written
        }
        Some(at) => file.write_at(at, &mut from)?,
        None => file.write(&mut from)?,
    };
    if written > 0 && flags & (RWF_DSYNC | RWF_SYNC) != 0 {
        file.sync_write(flags & RWF_SYNC == 0)?;
    }
    Ok(written)
}

/// EOPNOTSUPP for one that is not there.
fn check_flags(flags: usize) -> Result<(), Errno> {
    match flags as u32 as usize & !FLAGS {
        0 => Ok(()),
        _ => Err(Errno::EOPNOTSUPP),
    }
}

/// Where the newer calls begin: -1 is the file's own place.
pub(super) fn place(offset: usize) -> Option<usize> {
    (offset != usize::MAX).then_some(offset)
}
