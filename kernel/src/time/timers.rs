//! Sleepers with a deadline, one queue per CPU. A thread waits for one
//! deadline at a time, so its link lives in the thread and nothing is
//! allocated. The timer interrupt is one-shot: see `sched::arm_timer`.

use crate::sched;
use crate::thread::Thread;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use machine::cpu::{self, PerCpu};
use machine::task::Running;
use sync::heap::Heap;
use sync::{SpinLock, rank};

struct Timers {
    sleepers: SpinLock<Heap<Thread, 1>, rank::Timers>,
    /// The first deadline, so that the scheduler can look without the lock;
    /// written under it.
    next: AtomicU64,
}

const NONE: u64 = u64::MAX;

/// The longest that a timer is set for: an hour.
const FARTHEST: u64 = 3_600_000_000_000;

static TIMERS: PerCpu<Timers> = PerCpu::new(
    [const {
        Timers {
            sleepers: SpinLock::new(Heap::new()),
            next: AtomicU64::new(NONE),
        }
    }; cpu::MAX],
);

/// Has the running thread unparked at `deadline`, in nanoseconds since start.
/// [`disarm`] must follow.
pub fn arm(current: &Running<Thread>, deadline: u64) {
    // What is further off is looked at again on the way: no clock's unit overflows.
    let deadline = deadline.min(machine::time::now().saturating_add(FARTHEST));
    let interrupts = sync::interrupts::off();
    let here = cpu::id();
    let timers = TIMERS.of(here);
    let mut sleepers = timers.sleepers.lock();
    current.timer_cpu.store(here as u32, Relaxed);
    sleepers.insert(current.arc(), deadline);
    let is_first = deadline < timers.next.load(Relaxed);
    if is_first {
        timers.next.store(deadline, Relaxed);
    }
    drop(sleepers);
    if is_first {
        sched::timer_changed();
    }
    drop(interrupts);
}

/// Takes back what [`arm`] did, whether it has fired or not.
pub fn disarm(current: &Running<Thread>) {
    let timers = TIMERS.of(current.timer_cpu.load(Relaxed) as usize);
    let mut sleepers = timers.sleepers.lock();
    let removed = sleepers.remove(current);
    timers
        .next
        .store(sleepers.first_key().unwrap_or(NONE), Relaxed);
    drop(sleepers);
    drop(removed);
}

/// The first deadline on this CPU; the last moment there is, if there is none.
#[inline]
pub fn next() -> u64 {
    TIMERS.of(cpu::id()).next.load(Relaxed)
}

/// Wakes everybody on this CPU whose deadline has come. The lock is held over
/// each wake-up: the thread cannot get past its [`disarm`] and end meanwhile,
/// so the count given up here is never the last.
pub fn expire(now: u64) {
    let timers = TIMERS.of(cpu::id());
    let mut sleepers = timers.sleepers.lock();
    while sleepers.first_key().is_some_and(|deadline| deadline <= now)
        && let Some(thread) = sleepers.pop()
    {
        sched::unpark(thread);
    }
    let next = sleepers.first_key().unwrap_or(NONE);
    timers.next.store(next, Relaxed);
}
