//! A timer whose expiries are read (timerfd_create(2)). Their number is an
//! atomic, which the timer adds to and a read takes.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::Errno;
use abi::file::{O_RDWR, POLLIN};
use sync::{WaitQueue, rank};

use super::allocate::try_arc;
use super::anonymous;
use super::buffer::{Sink, Source};
use super::open_file::{Description, File, Operations};
use super::wait::wait_unless;
use super::watch::Watchers;
use crate::time::timer::{Clock, Expires, Left, Moment, Timer};
use crate::time::wall;

/// What is told when the timer expires, or the wall clock is set.
struct Expiries {
    count: AtomicU64,
    /// The clock was set, and who reads is to know.
    canceled: AtomicBool,
    tells_of_settings: AtomicBool,
    readers: WaitQueue<(), rank::ThreadQueue>,
    watchers: Watchers,
}

/// See the module.
pub struct TimerFd {
    timer: Arc<Timer>,
    expiries: Arc<Expiries>,
    clock: Clock,
}

/// A timer by `clock` that is not set. ENOMEM.
pub fn open(clock: Clock, flags: usize) -> Result<Arc<File>, Errno> {
    let expiries = try_arc(Expiries {
        count: AtomicU64::new(0),
        canceled: AtomicBool::new(false),
        tells_of_settings: AtomicBool::new(false),
        readers: WaitQueue::new(),
        watchers: Watchers::new(),
    })?;
    let timer = try_arc(Timer::new(expiries.clone()))?;
    let operations = TimerFd {
        timer,
        expiries,
        clock,
    };
    anonymous::open(O_RDWR | flags, operations)
}

impl Expiries {
    /// What a read gives: ECANCELED once after the clock was set.
    fn take(&self) -> Option<Result<u64, Errno>> {
        if self.canceled.swap(false, Ordering::AcqRel) {
            self.count.store(0, Ordering::Relaxed);
            return Some(Err(Errno::ECANCELED));
        }
        match self.count.swap(0, Ordering::AcqRel) {
            0 => None,
            count => Some(Ok(count)),
        }
    }

    fn tell(&self) {
        self.readers.wake_all();
        self.watchers.notify(POLLIN);
    }
}

impl Expires for Expiries {
    fn expired(&self, count: u64) {
        let more = |before: u64| Some(before.saturating_add(count));
        // The closure never refuses, so this cannot fail.
        let _ = self
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        self.tell();
    }
}

impl wall::Listener for Expiries {
    fn was_set(&self) {
        if self.tells_of_settings.load(Ordering::Acquire) {
            self.canceled.store(true, Ordering::Release);
            self.tell();
        }
    }
}

impl TimerFd {
    /// Sets it to `first`, which counts from now on unless it is `absolute`, and
    /// stops it if that is 0; what was left before. `cancel`: a read of a timer
    /// by the wall clock says if that is set. ENOMEM.
    pub fn set(
        &self,
        first: u64,
        interval: u64,
        absolute: bool,
        cancel: bool,
    ) -> Result<Left, Errno> {
        let cancel = cancel && absolute && self.clock == Clock::Wall;
        let was = self
            .expiries
            .tells_of_settings
            .swap(cancel, Ordering::AcqRel);
        if cancel && !was {
            let listener = Arc::downgrade(&self.expiries);
            wall::tell(listener)?;
        }
        let next = Moment::of(first, absolute, self.clock);
        Ok(self.timer.set_and(next, interval, || {
            self.expiries.count.store(0, Ordering::Relaxed);
            self.expiries.canceled.store(false, Ordering::Relaxed);
        }))
    }

    pub fn left(&self) -> Left {
        self.timer.left()
    }
}

impl Drop for TimerFd {
    fn drop(&mut self) {
        self.timer.set(None, 0);
    }
}

impl Operations for TimerFd {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        if into.remaining() < size_of::<u64>() && !into.faulted() {
            return Err(Errno::EINVAL);
        }
        let expiries = &self.expiries;
        let take = || expiries.take();
        let count = wait_unless(open.nonblocking(), &expiries.readers, None, take)??;
        Ok(into.put(&count.to_ne_bytes()))
    }

    fn write(&self, _open: &Description, _from: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn ready(&self, _open: &Description) -> i16 {
        let expiries = &self.expiries;
        let is_ready = expiries.count.load(Ordering::Acquire) != 0
            || expiries.canceled.load(Ordering::Acquire);
        if is_ready { POLLIN } else { 0 }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.expiries.watchers)
    }
}
