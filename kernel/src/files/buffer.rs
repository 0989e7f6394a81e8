//! Where a read puts its bytes and a write takes them from: [`Sink`] and
//! [`Source`], over user memory (one buffer or several) or a kernel slice.
//!
//! A user copy may fault in pages and sleep, so neither is used under a spin
//! lock. A copy that hits a bad address transfers what lies before it; from
//! then on the buffer counts as full, and the call's result is EFAULT only if
//! nothing was transferred at all, as on Linux.

use abi::Errno;
use abi::file::IoVec;
use abi::memory::{PAGE_SIZE, USER_END};
use core::ops::Range;
use machine::copy::Fault;
use machine::frames::Frame;

/// The most one call transfers, as on Linux.
const MOST: usize = 0x7fff_f000;

/// A copy to or from an address, of a part of the data.
trait Copying: FnMut(usize, Range<usize>) -> Result<(), Fault> {}
impl<F: FnMut(usize, Range<usize>) -> Result<(), Fault>> Copying for F {}

/// Pieces of user memory, in order.
#[derive(Clone, Copy)]
struct Segments<'a> {
    /// What is left of the current piece.
    address: usize,
    length: usize,
    later: &'a [IoVec],
    /// Bytes left in all pieces.
    total: usize,
    faulted: bool,
}

impl<'a> Segments<'a> {
    /// A range that leaves the user's half counts as a fault at once.
    fn one(address: usize, length: usize) -> Segments<'a> {
        let valid = in_user_half(address, length);
        let length = if valid { length.min(MOST) } else { 0 };
        Segments {
            address,
            length,
            later: &[],
            total: length,
            faulted: !valid,
        }
    }

    fn several(pieces: &'a [IoVec]) -> Result<Segments<'a>, Errno> {
        let mut total: usize = 0;
        for piece in pieces {
            if piece.len > isize::MAX as usize {
                return Err(Errno::EINVAL);
            }
            if !in_user_half(piece.base, piece.len) {
                return Err(Errno::EFAULT);
            }
            total = total.saturating_add(piece.len);
        }
        Ok(Segments {
            address: 0,
            length: 0,
            later: pieces,
            total: total.min(MOST),
            faulted: false,
        })
    }

    /// Calls `copy` with an address and the part of the data that belongs
    /// there until `length` bytes are done; how many were.
    #[inline]
    fn transfer(&mut self, length: usize, mut copy: impl Copying) -> usize {
        let length = length.min(self.total);
        // Nearly always all of it lies in the current piece, and is there.
        if length <= self.length && copy(self.address, 0..length).is_ok() {
            self.advance(length);
            return length;
        }
        self.transfer_pieces(length, &mut copy)
    }

    /// [`Segments::transfer`] over several pieces, or one with a bad page.
    #[cold]
    fn transfer_pieces(&mut self, length: usize, copy: &mut impl Copying) -> usize {
        let mut done = 0;
        while done < length {
            if self.length == 0 {
                let Some((next, later)) = self.later.split_first() else {
                    break;
                };
                (self.address, self.length, self.later) = (next.base, next.len, later);
                continue;
            }
            let count = self.length.min(length - done);
            let copied = match copy(self.address, done..done + count) {
                Ok(()) => count,
                Err(_) => by_pages(self.address, done..done + count, copy),
            };
            self.advance(copied);
            done += copied;
            if copied < count {
                self.faulted = true;
                self.total = 0;
                break;
            }
        }
        done
    }

    fn advance(&mut self, count: usize) {
        self.address += count;
        self.length -= count;
        self.total -= count;
    }
}

/// After a fault: copies page by page, to stop at the one that is bad.
#[cold]
fn by_pages(address: usize, range: Range<usize>, copy: &mut impl Copying) -> usize {
    let mut done = 0;
    while done < range.len() {
        let at = address + done;
        let step = (PAGE_SIZE - at % PAGE_SIZE).min(range.len() - done);
        let from = range.start + done;
        if copy(at, from..from + step).is_err() {
            break;
        }
        done += step;
    }
    done
}

fn in_user_half(address: usize, length: usize) -> bool {
    address
        .checked_add(length)
        .is_some_and(|end| end <= USER_END)
}

enum Target<'a> {
    User(Segments<'a>),
    Kernel(&'a mut [u8]),
}

/// Where a read puts its bytes.
pub struct Sink<'a>(Target<'a>);

impl<'a> Sink<'a> {
    /// A user's buffer.
    pub fn user(address: usize, length: usize) -> Sink<'a> {
        Sink(Target::User(Segments::one(address, length)))
    }

    /// A user's buffers, one after the other; EINVAL, EFAULT.
    pub fn vectors(pieces: &'a [IoVec]) -> Result<Sink<'a>, Errno> {
        Ok(Sink(Target::User(Segments::several(pieces)?)))
    }

    pub fn kernel(bytes: &'a mut [u8]) -> Sink<'a> {
        Sink(Target::Kernel(bytes))
    }

    /// How many more bytes fit.
    pub fn remaining(&self) -> usize {
        match &self.0 {
            Target::User(segments) => segments.total,
            Target::Kernel(bytes) => bytes.len(),
        }
    }

    /// Whether a copy hit a bad address.
    pub fn faulted(&self) -> bool {
        matches!(&self.0, Target::User(segments) if segments.faulted)
    }

    /// Copies as much of `bytes` as fits; how much that was.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        match &mut self.0 {
            Target::User(segments) => segments.transfer(bytes.len(), |address, range| {
                machine::copy::copy_out(address, &bytes[range])
            }),
            Target::Kernel(target) => {
                let count = target.len().min(bytes.len());
                let (now, later) = core::mem::take(target).split_at_mut(count);
                now.copy_from_slice(&bytes[..count]);
                *target = later;
                count
            }
        }
    }

    /// Copies as much of `range` of `frame` as fits; how much that was. Panics
    /// if the range leaves the frame.
    #[inline]
    pub fn put_frame(&mut self, frame: &Frame, range: Range<usize>) -> usize {
        match &mut self.0 {
            Target::User(segments) => segments.transfer(range.len(), |address, part| {
                let part = range.start + part.start..range.start + part.end;
                machine::copy::copy_frame_out(address, frame, part)
            }),
            Target::Kernel(target) => {
                let count = target.len().min(range.len());
                let (now, later) = core::mem::take(target).split_at_mut(count);
                frame.read(range.start, now);
                *target = later;
                count
            }
        }
    }

    /// Puts up to `length` zeros; how many fitted.
    #[inline]
    pub fn put_zeros(&mut self, length: usize) -> usize {
        match &mut self.0 {
            Target::User(segments) => segments.transfer(length, |address, range| {
                machine::copy::zero(address, range.len())
            }),
            Target::Kernel(target) => {
                let count = target.len().min(length);
                let (now, later) = core::mem::take(target).split_at_mut(count);
                now.fill(0);
                *target = later;
                count
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    User(Segments<'a>),
    Kernel(&'a [u8]),
}

/// Where a write takes its bytes from.
pub struct Source<'a>(Origin<'a>);

impl<'a> Source<'a> {
    /// A user's buffer.
    pub fn user(address: usize, length: usize) -> Source<'a> {
        Source(Origin::User(Segments::one(address, length)))
    }

    /// A user's buffers, one after the other; EINVAL, EFAULT.
    pub fn vectors(pieces: &'a [IoVec]) -> Result<Source<'a>, Errno> {
        Ok(Source(Origin::User(Segments::several(pieces)?)))
    }

    pub fn kernel(bytes: &'a [u8]) -> Source<'a> {
        Source(Origin::Kernel(bytes))
    }

    /// How many more bytes there are.
    pub fn remaining(&self) -> usize {
        match &self.0 {
            Origin::User(segments) => segments.total,
            Origin::Kernel(bytes) => bytes.len(),
        }
    }

    /// Whether a copy hit a bad address.
    pub fn faulted(&self) -> bool {
        matches!(&self.0, Origin::User(segments) if segments.faulted)
    }

    /// Calls `act` with it. After an error nothing counts as taken, so that the
    /// caller may try again.
    pub fn attempt<T, E>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let before = self.0;
        let result = act(self);
        if result.is_err() {
            self.0 = before;
        }
        result
    }

    /// Fills as much of `into` as there are bytes; how much that was.
    #[inline]
    pub fn take(&mut self, into: &mut [u8]) -> usize {
        match &mut self.0 {
            Origin::User(segments) => segments.transfer(into.len(), |address, range| {
                machine::copy::copy_in(&mut into[range], address)
            }),
            Origin::Kernel(bytes) => {
                let count = bytes.len().min(into.len());
                let (now, later) = bytes.split_at(count);
                into[..count].copy_from_slice(now);
                *bytes = later;
                count
            }
        }
    }

    /// Fills `length` bytes of `frame` from `offset` on, as far as there are
    /// bytes; how many that was. Panics if they leave the frame.
    #[inline]
    pub fn take_frame(&mut self, frame: &Frame, offset: usize, length: usize) -> usize {
        match &mut self.0 {
            Origin::User(segments) => segments.transfer(length, |address, part| {
                let part = offset + part.start..offset + part.end;
                machine::copy::copy_frame_in(frame, part, address)
            }),
            Origin::Kernel(bytes) => {
                let count = bytes.len().min(length);
                let (now, later) = bytes.split_at(count);
                frame.write(offset, now);
                *bytes = later;
                count
            }
        }
    }

    /// Ends after `most` more bytes.
    pub fn limit(&mut self, most: usize) {
        match &mut self.0 {
            Origin::User(segments) => segments.total = segments.total.min(most),
            Origin::Kernel(bytes) => *bytes = &bytes[..bytes.len().min(most)],
        }
    }

    /// Leaves all bytes untaken behind, as `/dev/null` does.
    pub fn skip_all(&mut self) -> usize {
        let count = self.remaining();
        match &mut self.0 {
            Origin::User(segments) => segments.total = 0,
            Origin::Kernel(bytes) => *bytes = &[],
        }
        count
    }
}
