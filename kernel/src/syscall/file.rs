//! Calls on open files: reading, writing, seeking, listing, and waiting.

use abi::Errno;
use abi::file::*;
use abi::tty::{FIONBIO, TIOCGPTPEER};
use alloc::sync::Arc;

use super::attributes::drop_setid;
use super::descriptor::number;
use super::listing::Listing;
use super::storage;
use crate::device::pty::Master;
use crate::files::inode::Sought;
use crate::files::open_file::Whence;
use crate::files::{File, Sink, Source};
use crate::memory::user;
use crate::thread::Current;

/// Sets or clears close-on-exec by ioctl.
const FIONCLEX: usize = 0x5450;
const FIOCLEX: usize = 0x5451;

pub(super) fn open_file(current: &Current, descriptor: usize) -> Result<Arc<File>, Errno> {
    current.files().get(number(descriptor))
}

/// The same for a write to it: see [`drop_setid`].
#[inline]
pub(super) fn open_to_write(current: &Current, descriptor: usize) -> Result<Arc<File>, Errno> {
    let file = open_file(current, descriptor)?;
    if current.credentials().clear_setid() && file.description().writable() {
        drop_setid(current, &**file.inode())?;
    }
    Ok(file)
}

pub fn read(
    current: &Current,
    descriptor: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    open_file(current, descriptor)?.read(&mut Sink::user(buffer, length))
}

pub fn write(
    current: &Current,
    descriptor: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    open_to_write(current, descriptor)?.write(&mut Source::user(buffer, length))
}

pub fn pread64(
    current: &Current,
    descriptor: usize,
    buffer: usize,
    length: usize,
    offset: usize,
) -> Result<usize, Errno> {
    let offset = storage::offset(offset)?;
    open_file(current, descriptor)?.read_at(offset, &mut Sink::user(buffer, length))
}

pub fn pwrite64(
    current: &Current,
    descriptor: usize,
    buffer: usize,
    length: usize,
    offset: usize,
) -> Result<usize, Errno> {
    let offset = storage::offset(offset)?;
    open_to_write(current, descriptor)?.write_at(offset, &mut Source::user(buffer, length))
}

pub fn lseek(
    current: &Current,
    descriptor: usize,
    offset: usize,
    whence: usize,
) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    let whence = match whence as u32 as usize {
        SEEK_SET => Whence::Start,
        SEEK_CUR => Whence::Current,
        SEEK_END => Whence::End,
        SEEK_DATA => Whence::Next(Sought::Data),
        SEEK_HOLE => Whence::Next(Sought::Hole),
        _ => return Err(Errno::EINVAL),
    };
    Ok(file.seek(offset as i64, whence)? as usize)
}

pub fn ioctl(
    current: &Current,
    descriptor: usize,
    request: usize,
    argument: usize,
) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    // The request is an `unsigned int`.
    match request as u32 as usize {
        FIOCLEX | FIONCLEX => {
            let on = request as u32 as usize == FIOCLEX;
            current.files().set_close_on_exec(number(descriptor), on)?;
            Ok(0)
        }
        FIONBIO => {
            let on: i32 = user::read_value(argument)?;
            let flags = file.description().flags();
            file.description().set_flags(match on {
                0 => flags & !(O_NONBLOCK as u32),
                _ => flags | O_NONBLOCK as u32,
            });
            Ok(0)
        }
        TIOCGPTPEER if let Some(master) = file.kind_of::<Master>() => {
            let flags = argument as u32 as usize;
            let reserved = current.files().reserve(flags & O_CLOEXEC != 0)?;
            let kept = flags & (O_ACCMODE | O_NONBLOCK | O_NOCTTY);
            Ok(reserved.fill(master.open_peer(kept as u32)?))
        }
        request => file.ioctl(request, argument),
    }
}

pub fn getdents64(
    current: &Current,
    descriptor: usize,
    buffer: usize,
    length: usize,
) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    let mut listing = Listing::new(Sink::user(buffer, length as u32 as usize));
    file.list(&mut |directory, from| listing.fill(directory, from))?;
    Ok(listing.done)
}
