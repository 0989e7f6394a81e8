//! Calls that move bytes into, out of and between pipes: splice(2), tee(2),
//! vmsplice(2). The bytes are copied, whatever the flags say of moving.

use abi::Errno;
use abi::file::*;
use alloc::sync::Arc;

use super::descriptor::pipe_of;
use super::file::{open_file, open_to_write};
use super::storage;
use super::vectors::read_vectors;
use crate::files::allocate::try_zeroed;
use crate::files::inode::Kind;
use crate::files::open_file::Whence;
use crate::files::pipe::Pipe;
use crate::files::{File, Sink, Source};
use crate::memory::user;
use crate::thread::Current;

const FLAGS: usize = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
/// The most that is copied at a time.
const PART: usize = 64 * 1024;

/// Whether the call may wait for a pipe: EINVAL for unknown flags.
fn nonblocking(flags: usize) -> Result<bool, Errno> {
    match flags as u32 as usize & !FLAGS {
        0 => Ok(flags & SPLICE_F_NONBLOCK != 0),
        _ => Err(Errno::EINVAL),
    }
}

/// The two files of a call: EBADF.
fn ends(current: &Current, from: usize, to: usize) -> Result<[Arc<File>; 2], Errno> {
    let (from, to) = (open_file(current, from)?, open_to_write(current, to)?);
    match from.description().readable() && to.description().writable() {
        true => Ok([from, to]),
        false => Err(Errno::EBADF),
    }
}

/// Copies from one pipe to another, and leaves it there if it is a `tee`.
fn between(
    from: &Pipe,
    to: &Pipe,
    length: usize,
    nonblocking: bool,
    is_tee: bool,
) -> Result<usize, Errno> {
    if core::ptr::eq(from, to) {
        return Err(Errno::EINVAL);
    }
    loop {
        // The bytes come last: who was woken for them takes them, or others sleep on.
        let room = to.wait_to_write(nonblocking)?;
        let mut buffer = try_zeroed(length.min(room).min(PART))?;
        if !from.wait_to_read(nonblocking)? {
            return Ok(0);
        }
        let Some(claim) = from.claim() else {
            // Another reader was faster.
            continue;
        };
        let count = claim.peek(&mut buffer);
        match to.write(true, &mut Source::kernel(&buffer[..count])) {
            // Another writer was, or the ring cannot grow now.
            Err(Errno::EAGAIN) if !nonblocking => {
                drop(claim);
                to.wait_for_room(count.min(PIPE_BUF))?;
            }
            Ok(written) if !is_tee => {
                claim.consume(written);
                return Ok(written);
            }
            result => return result,
        }
    }
}

/// splice(2).
pub fn splice(
    current: &Current,
    [from, from_at, to, to_at, length, flags]: [usize; 6],
) -> Result<usize, Errno> {
    let nonblocking = nonblocking(flags)?;
    if length == 0 {
        return Ok(0);
    }
    let [from, to] = ends(current, from, to)?;
    let (source, target) = (pipe_of(&from).ok(), pipe_of(&to).ok());
    if source.is_some() && from_at != 0 || target.is_some() && to_at != 0 {
        return Err(Errno::ESPIPE);
    }
    let not_to_wait = |file: &File| nonblocking || file.description().nonblocking();
    match (source, target) {
        (Some(source), Some(target)) => {
            let nonblocking = not_to_wait(&from) || not_to_wait(&to);
            between(source, target, length, nonblocking, false)
        }
        (Some(source), None) => drain(current, source, &to, to_at, length, not_to_wait(&from)),
        (None, Some(target)) => fill(&from, from_at, target, length, not_to_wait(&to)),
        (None, None) => Err(Errno::EINVAL),
    }
}

/// The offset that is told at an address, if one is.
fn offset(told_at: usize) -> Result<Option<u64>, Errno> {
    match told_at {
        0 => Ok(None),
        at => Ok(Some(storage::offset(user::read_value(at)?)?)),
    }
}

/// What has no places cannot be told one.
fn without_places(error: Errno) -> Errno {
    match error {
        Errno::ESPIPE => Errno::EINVAL,
        error => error,
    }
}

/// From a pipe to a file: all that is there, and it waits only for the first byte.
fn drain(
    current: &Current,
    from: &Pipe,
    to: &File,
    told_at: usize,
    length: usize,
    nonblocking: bool,
) -> Result<usize, Errno> {
    if to.description().flags() & O_APPEND as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let mut place = offset(told_at)?;
    let mut buffer = try_zeroed(length.min(PART))?;
    let claim = loop {
        if !from.wait_to_read(nonblocking)? {
            return Ok(0);
        }
        if let Some(claim) = from.claim() {
            break claim;
        }
    };
    let mut done = 0;
    while done < length && !(done > 0 && current.is_interrupted()) {
        let part = &mut buffer[..PART.min(length - done)];
        let count = claim.peek(part);
        let mut bytes = Source::kernel(&part[..count]);
        let written = match place {
            _ if count == 0 => break,
            Some(at) => to.write_at(at, &mut bytes).map_err(without_places),
            None => to.write(&mut bytes),
        };
        let moved = written.unwrap_or(0);
        claim.consume(moved);
        done += moved;
        place = place.map(|at| at + moved as u64);
        match written {
            Err(error) if done == 0 => return Err(error),
            _ if moved < count => break,
            _ => {}
        }
    }
    drop(claim);
    if let Some(place) = place {
        user::write_value(told_at, &place)?;
    }
    Ok(done)
}

/// From a file to a pipe: as much as one read gives and the pipe has room for. What
/// has places is read there, and its offset moves by what the pipe has taken.
fn fill(
    from: &File,
    told_at: usize,
    to: &Pipe,
    length: usize,
    nonblocking: bool,
) -> Result<usize, Errno> {
    let place = offset(told_at)?;
    let room = to.wait_to_write(nonblocking)?;
    let mut buffer = try_zeroed(length.min(room).min(PART))?;
    let mut bytes = Sink::kernel(&mut buffer);
    let own = match from.inode().kind() {
        Kind::Regular if place.is_none() => Some(from.seek(0, Whence::Current)?),
        _ => None,
    };
    let count = match place.or(own) {
        Some(at) => from.read_at(at, &mut bytes).map_err(without_places)?,
        None => from.read(&mut bytes)?,
    };
    let written = to.write(false, &mut Source::kernel(&buffer[..count]))?;
    if let Some(place) = place {
        user::write_value(told_at, &(place + written as u64))?;
    }
    if own.is_some() {
        from.seek(written as i64, Whence::Current)?;
    }
    Ok(written)
}

/// tee(2).
pub fn tee(
    current: &Current,
    from: usize,
    to: usize,
    length: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let nonblocking = nonblocking(flags)?;
    if length == 0 {
        return Ok(0);
    }
    let [from, to] = ends(current, from, to)?;
    let (Ok(source), Ok(target)) = (pipe_of(&from), pipe_of(&to)) else {
        return Err(Errno::EINVAL);
    };
    let any = [&from, &to]
        .iter()
        .any(|file| file.description().nonblocking());
    between(source, target, length, nonblocking || any, true)
}

/// vmsplice(2): to the pipe if it can be written to, else from it.
pub fn vmsplice(
    current: &Current,
    descriptor: usize,
    vectors: usize,
    count: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let nonblocking = nonblocking(flags)?;
    let file = open_file(current, descriptor)?;
    let pipe = pipe_of(&file)?;
    let vectors = read_vectors(vectors, count)?;
    if !file.description().writable() {
        let mut bytes = Sink::vectors(&vectors)?;
        return match pipe.read(nonblocking, &mut bytes) {
            Ok(0) if bytes.faulted() => Err(Errno::EFAULT),
            result => result,
        };
    }
    let mut bytes = Source::vectors(&vectors)?;
    if bytes.remaining() == 0 {
        return Ok(0);
    }
    loop {
        bytes.limit(pipe.wait_to_write(nonblocking)?);
        match pipe.write(true, &mut bytes) {
            // Another writer was faster, or the ring cannot grow now.
            Err(Errno::EAGAIN) if !nonblocking => {
                pipe.wait_for_room(bytes.remaining().min(PIPE_BUF))?;
            }
            Ok(0) if bytes.faulted() => return Err(Errno::EFAULT),
            result => return result,
        }
    }
}
