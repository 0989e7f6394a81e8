//! Signals that are read (signalfd(2)). What a read takes waits for the thread
//! that reads, or for its process, whoever has opened the descriptor.

use super::calls::wait_for;
use crate::files::open_file::{Description, File, Operations};
use crate::files::watch::Watchers;
use crate::files::{Sink, Source, anonymous};
use crate::sched;
use crate::signal::{Set, UNBLOCKABLE};
use abi::Errno;
use abi::event::SignalFdInfo;
use abi::file::{O_RDWR, POLLIN};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use zerocopy::IntoBytes;

/// Those who watch for signals of any process: they look whether it is theirs.
static WATCHERS: Watchers = Watchers::new();

/// A signal waits for somebody.
pub(super) fn notify() {
    WATCHERS.notify(POLLIN);
}

/// See the module.
pub struct SignalFd {
    /// Those that it reads.
    set: AtomicU64,
}

/// ENOMEM.
pub fn open_signals(set: Set, flags: usize) -> Result<Arc<File>, Errno> {
    let set = AtomicU64::new(set & !UNBLOCKABLE);
    anonymous::open(O_RDWR | flags, SignalFd { set })
}

impl SignalFd {
    pub fn set_signals(&self, set: Set) {
        self.set.store(set & !UNBLOCKABLE, Relaxed);
        notify();
    }
}

impl Operations for SignalFd {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        const SIZE: usize = size_of::<SignalFdInfo>();
        if into.remaining() < SIZE && !into.faulted() {
            return Err(Errno::EINVAL);
        }
        let thread = sched::current();
        let group = thread.user_group().ok_or(Errno::EINVAL)?;
        let set = self.set.load(Relaxed);
        let mut done = 0;
        while into.remaining() >= SIZE {
            let info = match group.take_signal(&thread, Some(set)) {
                Some(info) => info,
                None if done > 0 => break,
                None if open.nonblocking() => return Err(Errno::EAGAIN),
                None => wait_for(&thread, group, set, None)?,
            };
            done += into.put(info.to_descriptor().as_bytes());
        }
        Ok(done)
    }

    fn write(&self, _open: &Description, _from: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn ready(&self, _open: &Description) -> i16 {
        let thread = sched::current();
        let waiting = thread
            .user_group()
            .map_or(0, |group| group.waiting_for(&thread));
        match waiting & self.set.load(Relaxed) {
            0 => 0,
            _ => POLLIN,
        }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&WATCHERS)
    }
}
