//! Pipes (pipe(7)).
//!
//! A [`Pipe`] is a ring of bytes with readers and writers; [`PipeEnd`] is an
//! open end of one. A sleeping lock guards the ring and is held over the copy
//! from or to the user, so that a transfer is one bulk copy and writes of up
//! to PIPE_BUF bytes are never torn. What those who wait must know (bytes in
//! it, capacity, ends) is mirrored in atomics, changed under the lock and
//! before the wake-up. Who moves bytes on to somewhere else claims them
//! ([`Claim`]): until then they are in the ring, and nobody else reads.

mod end;
mod ring;
mod size;
mod splice;

pub use end::{FifoPipe, PipeEnd, open_fifo, open_pair};
pub use size::{MAX_SIZE, size_for};
pub use splice::Claim;

use abi::Errno;
use abi::file::{PIPE_BUF, POLLERR, POLLHUP, POLLIN, POLLOUT};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use sync::{Mutex, MutexGuard, WaitError, WaitQueue, rank};

use self::ring::Ring;
use super::allocate::memory_to_spare;
use super::buffer::{Sink, Source};
use super::inode::Owner;
use super::watch::Watchers;
use super::{clock, hooks};

/// To how much a pipe grows on demand, if nothing else is asked for.
const CAPACITY: usize = 64 * 1024;
/// What it starts with: room for the largest write that must not be torn.
const FIRST_CAPACITY: usize = PIPE_BUF;

/// A wait queue that only threads wake.
type Queue<P = ()> = WaitQueue<P, rank::ThreadQueue>;

/// See the module.
pub struct Pipe {
    ring: Mutex<Ring, rank::Pipe>,
    /// Mirrors of the ring, written under its lock.
    used: AtomicUsize,
    capacity: AtomicUsize,
    /// To how much it may grow; written under the lock, too.
    limit: AtomicUsize,
    /// Whether there is a [`Claim`]; written under the lock.
    claimed: AtomicBool,
    /// Open ends.
    readers: AtomicU32,
    writers: AtomicU32,
    /// Ends ever opened: what the opening of a FIFO waits for.
    readers_ever: AtomicU32,
    writers_ever: AtomicU32,
    can_read: Queue,
    /// Each waits for the room that it names.
    can_write: Queue<usize>,
    opening: Queue,
    watchers: Watchers,
    number: u64,
    made: u64,
    /// Whose it is.
    owner: Owner,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

impl Pipe {
    fn new() -> Pipe {
        Pipe {
            ring: Mutex::new(Ring::new()),
            used: AtomicUsize::new(0),
            capacity: AtomicUsize::new(0),
            limit: AtomicUsize::new(CAPACITY),
            claimed: AtomicBool::new(false),
            readers: AtomicU32::new(0),
            writers: AtomicU32::new(0),
            readers_ever: AtomicU32::new(0),
            writers_ever: AtomicU32::new(0),
            can_read: Queue::new(),
            can_write: Queue::new(),
            opening: Queue::new(),
            watchers: Watchers::new(),
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            made: clock::now(),
            owner: hooks::get().map_or(Owner::ROOT, |hooks| hooks.file_owner()),
        }
    }

    /// Bytes that are in it.
    fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Bytes that can be read.
    fn readable(&self) -> usize {
        match self.claimed.load(Ordering::Acquire) {
            true => 0,
            false => self.used(),
        }
    }

    /// Whether there is nothing to read, and never will be.
    fn is_over(&self) -> bool {
        // The last writer may have written before it went.
        !self.has_writers() && self.used() == 0
    }

    /// Bytes that can be written without growing.
    fn room(&self) -> usize {
        // The two are read one after the other; a peer's change in between can
        // only make the result wrong for a moment, and wakes the waiter.
        self.capacity
            .load(Ordering::Acquire)
            .saturating_sub(self.used())
    }

    fn has_readers(&self) -> bool {
        self.readers.load(Ordering::Acquire) != 0
    }

    fn has_writers(&self) -> bool {
        self.writers.load(Ordering::Acquire) != 0
    }

    /// Reads what is there, at least one byte; 0 once it is empty and nobody
    /// can write. EAGAIN, EINTR.
    pub fn read(&self, nonblocking: bool, into: &mut Sink<'_>) -> Result<usize, Errno> {
        if into.remaining() == 0 {
            return Ok(0);
        }
        loop {
            if self.readable() > 0 {
                if let Some(count) = self.drain(into) {
                    return Ok(count);
                }
            } else if self.is_over() {
                return Ok(0);
            } else if nonblocking {
                return Err(Errno::EAGAIN);
            } else {
                self.wait_for_bytes().map_err(|_| Errno::EINTR)?;
            }
        }
    }

    /// Moves bytes out; `None` if there are none to read.
    fn drain(&self, into: &mut Sink<'_>) -> Option<usize> {
        let ring = self.ring.lock();
        if self.readable() == 0 {
            return None;
        }
        let (first, second) = ring.filled();
        let mut count = into.put(first);
        if count == first.len() && !second.is_empty() {
            count += into.put(second);
        }
        self.consumed(ring, count);
        Some(count)
    }

    /// The `count` oldest bytes have gone.
    fn consumed(&self, mut ring: MutexGuard<'_, Ring, rank::Pipe>, count: usize) {
        ring.consumed(count);
        let used = ring.used();
        let room = ring.capacity() - used;
        self.used.store(used, Ordering::Release);
        drop(ring);
        if used > 0 {
            // The wake-up that brought this reader may have been for two.
            self.can_read.wake_one();
        }
        self.can_write.wake_if(usize::MAX, |&need| room >= need);
        self.watchers.notify(POLLOUT);
    }

    /// Writes all, waiting for room: EPIPE with SIGPIPE if nobody reads,
    /// EAGAIN, EINTR, ENOMEM. Up to PIPE_BUF bytes go in one piece.
    pub fn write(&self, nonblocking: bool, from: &mut Source<'_>) -> Result<usize, Errno> {
        let total = from.remaining();
        let mut done = 0;
        while done < total {
            if let Err(error) = self.check_readers() {
                return partial(done, error);
            }
            let least = if total <= PIPE_BUF { total } else { 1 };
            match self.fill(least, from) {
                Ok(count) => done += count,
                Err(error) => return partial(done, error),
            }
            if from.faulted() {
                break;
            }
            if done < total {
                if nonblocking {
                    return partial(done, Errno::EAGAIN);
                }
                if let Err(error) = self.wait_for_room((total - done).min(PIPE_BUF)) {
                    return partial(done, error);
                }
            }
        }
        Ok(done)
    }

    /// EPIPE with SIGPIPE if nobody reads.
    fn check_readers(&self) -> Result<(), Errno> {
        if self.has_readers() {
            return Ok(());
        }
        if let Some(hooks) = hooks::get() {
            hooks.broken_pipe();
        }
        Err(Errno::EPIPE)
    }

    /// Moves bytes in: 0 if there is room for fewer than `least`, or if the
    /// source faults before it has given so many.
    fn fill(&self, least: usize, from: &mut Source<'_>) -> Result<usize, Errno> {
        let mut ring = self.ring.lock();
        let limit = self.limit();
        if ring.capacity() - ring.used() < from.remaining() && ring.capacity() < limit {
            make_room(&mut ring, from.remaining(), limit)?;
            self.capacity.store(ring.capacity(), Ordering::Release);
        }
        if ring.capacity() - ring.used() < least {
            return Ok(0);
        }
        let (first, second) = ring.vacant();
        let mut count = from.take(first);
        if count == first.len() && !second.is_empty() {
            count += from.take(second);
        }
        if count < least {
            return Ok(0);
        }
        ring.produced(count);
        self.used.store(ring.used(), Ordering::Release);
        drop(ring);
        self.can_read.wake_one();
        self.watchers.notify(POLLIN);
        Ok(count)
    }

    /// Sleeps until there is something to read or nobody can write any more.
    fn wait_for_bytes(&self) -> Result<(), WaitError> {
        let check = || match self.readable() > 0 || self.is_over() {
            true => Err(()),
            false => Ok(()),
        };
        // An error of the check means that there is nothing to wait for.
        self.can_read
            .wait_checked((), None, true, check)
            .unwrap_or(Ok(()))
    }

    /// Sleeps until there is room for `need` bytes, up to PIPE_BUF, or nobody reads
    /// any more: EINTR.
    pub fn wait_for_room(&self, need: usize) -> Result<(), Errno> {
        let check = || match self.room() >= need || !self.has_readers() {
            true => Err(()),
            false => Ok(()),
        };
        self.can_write
            .wait_checked(need, None, true, check)
            .unwrap_or(Ok(()))
            .map_err(|_| Errno::EINTR)
    }

    fn open_end(&self, reads: bool, writes: bool) {
        if reads {
            self.readers.fetch_add(1, Ordering::AcqRel);
            self.readers_ever.fetch_add(1, Ordering::AcqRel);
        }
        if writes {
            self.writers.fetch_add(1, Ordering::AcqRel);
            self.writers_ever.fetch_add(1, Ordering::AcqRel);
        }
        self.opening.wake_all();
        self.watchers.notify(POLLIN | POLLOUT);
    }

    fn close_end(&self, reads: bool, writes: bool) {
        if reads && self.readers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.can_write.wake_all();
        }
        if writes && self.writers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.can_read.wake_all();
        }
        self.watchers.notify(POLLIN | POLLOUT | POLLHUP | POLLERR);
    }

    fn ready(&self, reads: bool, writes: bool) -> i16 {
        let mut ready = 0;
        if reads && self.readable() > 0 {
            ready |= POLLIN;
        }
        if reads && !self.has_writers() && self.writers_ever.load(Ordering::Acquire) > 0 {
            ready |= POLLHUP;
        }
        // What a write of PIPE_BUF bytes would find; an unused pipe can grow.
        if writes && self.limit().saturating_sub(self.used()) >= PIPE_BUF {
            ready |= POLLOUT;
        }
        if writes && !self.has_readers() {
            ready |= POLLERR;
        }
        ready
    }
}

/// Grows the ring for `more` bytes, within `limit`. ENOMEM only if there
/// is no memory at all; where it is short a smaller ring does, more slowly.
fn make_room(ring: &mut Ring, more: usize, limit: usize) -> Result<(), Errno> {
    let wanted = ring.used().saturating_add(more).min(limit);
    let mut capacity = match memory_to_spare() {
        true => wanted.next_power_of_two().max(FIRST_CAPACITY),
        false => FIRST_CAPACITY,
    };
    while capacity > ring.capacity() {
        match ring.grow(capacity) {
            Ok(()) => break,
            Err(error) if capacity == FIRST_CAPACITY => return Err(error),
            Err(_) => capacity /= 2,
        }
    }
    Ok(())
}

/// The result of a write that must end early.
fn partial(done: usize, error: Errno) -> Result<usize, Errno> {
    match done {
        0 => Err(error),
        _ => Ok(done),
    }
}

#[cfg(test)]
mod tests;
