//! Timers that go by what a process or a thread uses of the CPUs: those of
//! timer_create(2) on such a clock, of setitimer(2) but for the real one, of
//! `RLIMIT_CPU`, and who sleeps by such a clock.
//!
//! A timer waits with the process whose time it is. Each sample of one of its
//! threads (every `sched::TICK`) has that thread look, before it returns to user
//! mode, at what is due. So a timer is never early, and is late by a sample at
//! most if the thread is in user mode. A process for which none waits pays one
//! look for each sample.

use super::cpu_clock::CpuClock;
use super::{CPU_TIMERS, Group, Thread};
use crate::files::allocate::try_arc;
use crate::time::timer::{Expires, Left, passed};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use sync::{SpinGuard, SpinLock, WaitQueue, rank};

pub struct CpuTimer {
    clock: CpuClock,
    target: Arc<dyn Expires>,
}

/// A timer that is set.
struct Waiting {
    timer: Arc<CpuTimer>,
    /// By its clock.
    next: u64,
    interval: u64,
}

/// What waits with a process.
pub struct CpuTimers {
    /// Whether any does: a hint for those who sample.
    any: AtomicBool,
    waiting: SpinLock<Vec<Waiting>, rank::CpuTimers>,
}

type List<'a> = SpinGuard<'a, Vec<Waiting>, rank::CpuTimers>;

impl CpuTimer {
    /// A timer that is not set.
    pub fn new(clock: CpuClock, target: Arc<dyn Expires>) -> CpuTimer {
        CpuTimer { clock, target }
    }

    /// Sets it to `first`, which counts from now on unless it is `absolute`, or
    /// stops it if that is 0; what was left before.
    ///
    /// # Errors
    /// `ESRCH` if whose time it is has ended, `ENOMEM`.
    pub fn set(self: &Arc<Self>, first: u64, interval: u64, absolute: bool) -> Result<Left, Errno> {
        let process = self.clock.process().ok_or(Errno::ESRCH)?;
        let timers = process.cpu_timers();
        let mut waiting = timers.waiting.lock();
        let now = self.clock.read().ok_or(Errno::ESRCH)?;
        let place = self.place(&waiting);
        let left = place.map_or_else(Left::default, |at| waiting[at].left(now));
        if first != 0 {
            let next = if absolute {
                first
            } else {
                now.saturating_add(first)
            };
            let set = Waiting {
                timer: self.clone(),
                next,
                interval,
            };
            match place {
                Some(at) => waiting[at] = set,
                None => {
                    waiting.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                    waiting.push(set);
                }
            }
            // Its moment may have come long ago.
            timers.expire(waiting);
        } else if let Some(at) = place {
            waiting.swap_remove(at);
        }
        Ok(left)
    }

    pub fn left(self: &Arc<Self>) -> Left {
        let look = || {
            let process = self.clock.process()?;
            let waiting = process.cpu_timers().waiting.lock();
            let now = self.clock.read()?;
            Some(waiting[self.place(&waiting)?].left(now))
        };
        look().unwrap_or_default()
    }

    /// As [`crate::time::timer::Timer::catch_up`].
    pub fn catch_up(self: &Arc<Self>, undo: impl FnOnce() -> u64) -> u64 {
        let look = || {
            let process = self.clock.process()?;
            let mut waiting = process.cpu_timers().waiting.lock();
            let now = self.clock.read()?;
            let at = self.place(&waiting)?;
            if waiting[at].interval == 0 {
                return None;
            }
            let count = waiting[at].pass(now);
            Some(count.saturating_add(undo()))
        };
        look().unwrap_or(0)
    }

    fn place(self: &Arc<Self>, waiting: &[Waiting]) -> Option<usize> {
        waiting.iter().position(|set| Arc::ptr_eq(&set.timer, self))
    }
}

impl Waiting {
    fn left(&self, now: u64) -> Left {
        let (_, after) = passed(self.next, self.interval, now);
        Left {
            // One that is about to expire is still set.
            time: after.unwrap_or(self.next).saturating_sub(now).max(1),
            interval: self.interval,
        }
    }

    /// Goes past the moments that have come; how many they were.
    fn pass(&mut self, now: u64) -> u64 {
        let (count, after) = passed(self.next, self.interval, now);
        if let Some(after) = after {
            self.next = after;
        }
        count
    }
}

impl CpuTimers {
    pub const fn new() -> CpuTimers {
        CpuTimers {
            any: AtomicBool::new(false),
            waiting: SpinLock::new(Vec::new()),
        }
    }

    /// Does what is due, and forgets what never will be again.
    fn expire(&self, mut waiting: List) {
        waiting.retain_mut(|set| {
            let Some(now) = set.timer.clock.read() else {
                return false;
            };
            let count = set.pass(now);
            if count > 0 {
                set.timer.target.expired(count);
            }
            count == 0 || set.interval != 0
        });
        self.any.store(!waiting.is_empty(), Relaxed);
    }
}

impl Thread {
    /// A sample was taken of this thread, which is running: its process's timers
    /// may be due. Called by the timer's interrupt, which cannot look itself.
    #[inline]
    pub(crate) fn sampled(&self) {
        let group = self.user_group();
        if group.is_some_and(|group| group.cpu_timers().any.load(Relaxed)) {
            self.pending.fetch_or(CPU_TIMERS, Relaxed);
        }
    }
}

/// `thread`, which is running, does what is due for its process if it was told to.
#[inline]
pub(super) fn serve(thread: &Thread, group: &Group) {
    if thread.pending.load(Relaxed) & CPU_TIMERS != 0 {
        thread.pending.fetch_and(!CPU_TIMERS, Relaxed);
        let timers = group.cpu_timers();
        timers.expire(timers.waiting.lock());
    }
}

/// Who sleeps by a clock of CPU time.
struct Sleeper {
    is_over: AtomicBool,
    queue: WaitQueue,
}

impl Expires for Sleeper {
    fn expired(&self, _count: u64) {
        self.is_over.store(true, Relaxed);
        self.queue.wake_all();
    }
}

/// Sleeps until `clock` says `until`. If the sleep was interrupted: how much was left.
///
/// # Errors
/// `ESRCH` if whose time it is has ended, `ENOMEM`.
pub fn sleep_by(clock: CpuClock, until: u64) -> Result<Option<u64>, Errno> {
    let sleeper = try_arc(Sleeper {
        is_over: AtomicBool::new(false),
        queue: WaitQueue::new(),
    })?;
    let timer = try_arc(CpuTimer::new(clock, sleeper.clone()))?;
    // 0 would stop the timer, and is as long past as 1.
    timer.set(until.max(1), 0, true)?;
    let over = || sleeper.is_over.load(Relaxed).then_some(());
    let slept = sleeper.queue.wait_interruptible(over, None);
    let left = match timer.set(0, 0, false) {
        // Whose time it was is gone.
        Err(Errno::ESRCH) => 0,
        left => left?.time,
    };
    Ok(slept.is_err().then_some(left))
}
