//! How much a pipe holds (fcntl(2), F_SETPIPE_SZ).

use abi::Errno;
use abi::file::PIPE_BUF;
use abi::memory::PAGE_SIZE;
use core::sync::atomic::Ordering;

use super::Pipe;

/// More than this is for the privileged.
pub const MAX_SIZE: usize = 1024 * 1024;

/// What a pipe has that is asked to hold `size` bytes: EINVAL past 2 GiB.
pub fn size_for(size: usize) -> Result<usize, Errno> {
    match size {
        0..=0x8000_0000 => Ok(size.max(PAGE_SIZE).next_power_of_two()),
        _ => Err(Errno::EINVAL),
    }
}

impl Pipe {
    pub fn size(&self) -> usize {
        self.limit()
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Acquire)
    }

    /// Has it hold `size` bytes, one of [`size_for`]: EBUSY while there are more in
    /// it, ENOMEM.
    pub fn set_size(&self, size: usize) -> Result<(), Errno> {
        let mut ring = self.ring.lock();
        let used = ring.used();
        if used > size {
            return Err(Errno::EBUSY);
        }
        // Who waits for room looks at the ring, not at what it could become.
        let needed = used.saturating_add(PIPE_BUF).min(size).next_power_of_two();
        if ring.capacity() > size {
            ring.resize(size)?;
        } else if ring.capacity() > 0 {
            ring.grow(needed)?;
        }
        self.limit.store(size, Ordering::Release);
        self.capacity.store(ring.capacity(), Ordering::Release);
        let room = ring.capacity() - used;
        drop(ring);
        self.can_write.wake_if(usize::MAX, |&need| room >= need);
        self.watchers.notify(abi::file::POLLOUT);
        Ok(())
    }
}
