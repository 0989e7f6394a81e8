//! A counter that is waited for (eventfd(2)). It is an atomic; those who wait
//! look at it again after each change.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Errno;
use abi::file::{O_RDWR, POLLIN, POLLOUT};
use sync::{WaitQueue, rank};

use super::anonymous;
use super::buffer::{Sink, Source};
use super::open_file::{Description, File, Operations};
use super::wait::wait_unless;
use super::watch::Watchers;

/// The largest value; the one behind it cannot be written.
const MOST: u64 = u64::MAX - 1;

type Queue = WaitQueue<(), rank::ThreadQueue>;

struct EventFd {
    value: AtomicU64,
    /// A read takes 1, and not all there is.
    takes_one: bool,
    readers: Queue,
    writers: Queue,
    watchers: Watchers,
}

/// A new counter. ENOMEM.
pub fn open(value: u64, takes_one: bool, flags: usize) -> Result<Arc<File>, Errno> {
    let counter = EventFd {
        value: AtomicU64::new(value),
        takes_one,
        readers: Queue::new(),
        writers: Queue::new(),
        watchers: Watchers::new(),
    };
    anonymous::open(O_RDWR | flags, counter)
}

impl EventFd {
    /// Changes the value if `next` says to what; the one before.
    fn change(&self, next: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        self.value
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .ok()
    }

    fn take(&self) -> Option<u64> {
        let left = |value| match (value, self.takes_one) {
            (0, _) => None,
            (value, true) => Some(value - 1),
            (_, false) => Some(0),
        };
        let before = self.change(left)?;
        Some(if self.takes_one { 1 } else { before })
    }

    fn add(&self, more: u64) -> Option<u64> {
        self.change(|value| (more <= MOST - value).then(|| value + more))
    }
}

impl Operations for EventFd {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        if into.remaining() < size_of::<u64>() && !into.faulted() {
            return Err(Errno::EINVAL);
        }
        let value = wait_unless(open.nonblocking(), &self.readers, None, || self.take())?;
        self.writers.wake_all();
        self.watchers.notify(POLLOUT);
        Ok(into.put(&value.to_ne_bytes()))
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let mut bytes = [0; size_of::<u64>()];
        if from.remaining() < bytes.len() && !from.faulted() {
            return Err(Errno::EINVAL);
        }
        if from.take(&mut bytes) < bytes.len() {
            return Err(Errno::EFAULT);
        }
        let more = u64::from_ne_bytes(bytes);
        if more > MOST {
            return Err(Errno::EINVAL);
        }
        let add = || self.add(more);
        wait_unless(open.nonblocking(), &self.writers, None, add)?;
        self.readers.wake_all();
        self.watchers.notify(POLLIN);
        Ok(bytes.len())
    }

    fn ready(&self, _open: &Description) -> i16 {
        match self.value.load(Ordering::Acquire) {
            0 => POLLOUT,
            MOST => POLLIN,
            _ => POLLIN | POLLOUT,
        }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.watchers)
    }
}
