//! What splice(2) and tee(2) need of a pipe besides reading and writing.

use abi::Errno;
use abi::file::POLLIN;
use core::sync::atomic::Ordering;

use super::Pipe;

impl Pipe {
    /// Waits for something to read; false at the end. EAGAIN, EINTR.
    pub fn wait_to_read(&self, nonblocking: bool) -> Result<bool, Errno> {
        loop {
            if self.used() > 0 {
                return Ok(true);
            }
            if !self.has_writers() {
                // The last writer may have written before it went.
                return Ok(self.used() > 0);
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
                0 => self.wait_for_room(1).map_err(|_| Errno::EINTR)?,
                room => return Ok(room),
            }
        }
    }

    /// Copies what a read would give, and leaves it there; how much.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let ring = self.ring.lock();
        let (first, second) = ring.filled();
        let one = first.len().min(into.len());
        into[..one].copy_from_slice(&first[..one]);
        let two = second.len().min(into.len() - one);
        into[one..one + two].copy_from_slice(&second[..two]);
        one + two
    }

    /// Puts what was read, and could go nowhere, before what is there, even if the
    /// pipe then holds more than it should: ENOMEM, and it is lost.
    pub fn put_back(&self, bytes: &[u8]) -> Result<(), Errno> {
        let mut ring = self.ring.lock();
        let needed = ring.used() + bytes.len();
        ring.grow(needed.next_power_of_two())?;
        ring.put_back(bytes);
        self.capacity.store(ring.capacity(), Ordering::Release);
        self.used.store(ring.used(), Ordering::Release);
        drop(ring);
        self.can_read.wake_one();
        self.watchers.notify(POLLIN);
        Ok(())
    }
}
