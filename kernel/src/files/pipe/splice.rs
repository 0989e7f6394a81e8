//! What splice(2) and tee(2) need of a pipe besides reading and writing.

use abi::Errno;
use abi::file::POLLIN;
use core::sync::atomic::Ordering;

use super::Pipe;

impl Pipe {
    /// Waits for something to read; false at the end. EAGAIN, EINTR.
    pub fn wait_to_read(&self, nonblocking: bool) -> Result<bool, Errno> {
        loop {
            if self.readable() > 0 {
                return Ok(true);
            }
            if self.is_over() {
                return Ok(false);
            }
            if nonblocking {
                return Err(Errno::EAGAIN);
            }
            self.wait_for_bytes().map_err(|_| Errno::EINTR)?;
        }
    }

    /// Waits for room to write to, and how much there is: EPIPE with SIGPIPE, EAGAIN,
    /// EINTR.
    pub fn wait_to_write(&self, nonblocking: bool) -> Result<usize, Errno> {
        loop {
            self.check_readers()?;
            match self.limit().saturating_sub(self.used()) {
                0 if nonblocking => return Err(Errno::EAGAIN),
                0 => self.wait_for_room(1)?,
                room => return Ok(room),
            }
        }
    }

    /// Claims what is in it; `None` if there is nothing to read.
    pub fn claim(&self) -> Option<Claim<'_>> {
        let _ring = self.ring.lock();
        if self.readable() == 0 {
            return None;
        }
        self.claimed.store(true, Ordering::Release);
        Some(Claim { pipe: self })
    }
}

/// The bytes of a pipe in the hands of one who moves them on. They leave it only
/// once they are somewhere else; as long as there is a claim, nobody else reads.
pub struct Claim<'a> {
    pipe: &'a Pipe,
}

impl Claim<'_> {
    /// Copies the oldest bytes, and leaves them there; how many.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let ring = self.pipe.ring.lock();
        let (first, second) = ring.filled();
        let one = first.len().min(into.len());
        into[..one].copy_from_slice(&first[..one]);
        let two = second.len().min(into.len() - one);
        into[one..one + two].copy_from_slice(&second[..two]);
        one + two
    }

    /// The `count` oldest bytes, which were seen, have gone.
    pub fn consume(&self, count: usize) {
        self.pipe.consumed(self.pipe.ring.lock(), count);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let ring = self.pipe.ring.lock();
        self.pipe.claimed.store(false, Ordering::Release);
        drop(ring);
        // Those who came meanwhile, for what is left or for the end.
        self.pipe.can_read.wake_all();
        self.pipe.watchers.notify(POLLIN);
    }
}
