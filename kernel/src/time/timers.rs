//! What waits for a moment, one queue per CPU: sleepers with a deadline, and
//! timers that are set. A thread waits for one deadline at a time, so its link
//! lives in the thread, as a timer's does in the timer, and nothing is
//! allocated. The timer interrupt is one-shot: see `sched::arm_timer`.
//!
//! Sleepers are woken by the interrupt itself. What timers do takes locks that
//! an interrupt may not take: the interrupt marks the CPU as [`Timers::due`] and
//! asks for a reschedule, and whoever runs there serves them before it gives way
//! ([`serve`]). The mark keeps the request alive until then.

use super::timer::{Moment, Timer};
use super::wall;
use crate::sched;
use crate::thread::Thread;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU64};
use machine::cpu::{self, PerCpu};
use machine::task::Running;
use sync::heap::Heap;
use sync::{SpinLock, rank};

struct Timers {
    queue: SpinLock<Queue, rank::Timers>,
    /// The first deadline, so that the scheduler can look without the lock;
    /// written under it. That of timers does not count while they are due.
    next: AtomicU64,
    /// Timers may have come to their moment, and wait to be served.
    due: AtomicBool,
}

struct Queue {
    sleepers: Heap<Thread, 1>,
    /// Timers by the time since start, and by the wall clock.
    steady: Heap<Timer, 0>,
    wall: Heap<Timer, 0>,
}

const NONE: u64 = u64::MAX;

/// The longest that a timer is set for: an hour.
const FARTHEST: u64 = 3_600_000_000_000;

static TIMERS: PerCpu<Timers> = PerCpu::new(
    [const {
        Timers {
            queue: SpinLock::new(Queue {
                sleepers: Heap::new(),
                steady: Heap::new(),
                wall: Heap::new(),
            }),
            next: AtomicU64::new(NONE),
            due: AtomicBool::new(false),
        }
    }; cpu::MAX],
);

impl Timers {
    /// After a change of `queue`, this CPU's; true if the first deadline has
    /// come nearer.
    fn refresh(&self, queue: &Queue) -> bool {
        let sleeper = queue.sleepers.first_key().unwrap_or(NONE);
        let timer = match self.due.load(Relaxed) {
            true => NONE,
            false => queue.first_timer(),
        };
        let next = sleeper.min(timer);
        // What is further off is looked at again on the way: no clock's unit overflows.
        let next = match next {
            NONE => NONE,
            next => next.min(machine::time::now().saturating_add(FARTHEST)),
        };
        next < self.next.swap(next, Relaxed)
    }
}

impl Queue {
    /// The first moment of a timer, by the time since start.
    fn first_timer(&self) -> u64 {
        let steady = self.steady.first_key().unwrap_or(NONE);
        let wall = self.wall.first_key().map_or(NONE, wall::to_steady);
        steady.min(wall)
    }

    /// Takes a timer out whose moment has come.
    fn pop_timer(&mut self, now: u64) -> Option<Arc<Timer>> {
        if self.steady.first_key().is_some_and(|at| at <= now) {
            return self.steady.pop();
        }
        let has_come = |at| wall::to_steady(at) <= now;
        match self.wall.first_key().is_some_and(has_come) {
            true => self.wall.pop(),
            false => None,
        }
    }
}

/// Has the running thread unparked at `deadline`, in nanoseconds since start.
/// [`disarm`] must follow.
pub fn arm(current: &Running<Thread>, deadline: u64) {
    let interrupts = sync::interrupts::off();
    let here = cpu::id();
    let timers = TIMERS.of(here);
    let mut queue = timers.queue.lock();
    current.timer_cpu.store(here as u32, Relaxed);
    queue.sleepers.insert(current.arc(), deadline);
    let nearer = timers.refresh(&queue);
    drop(queue);
    if nearer {
        sched::timer_changed();
    }
    drop(interrupts);
}

/// Takes back what [`arm`] did, whether it has fired or not.
pub fn disarm(current: &Running<Thread>) {
    let timers = TIMERS.of(current.timer_cpu.load(Relaxed) as usize);
    let mut queue = timers.queue.lock();
    let removed = queue.sleepers.remove(current);
    timers.refresh(&queue);
    drop(queue);
    drop(removed);
}

/// Puts `timer` into this CPU's queue. It is in none, and its lock is held.
pub(super) fn insert(timer: &Arc<Timer>, moment: Moment) {
    let interrupts = sync::interrupts::off();
    let here = cpu::id();
    let timers = TIMERS.of(here);
    let mut queue = timers.queue.lock();
    timer.cpu.store(here as u32, Relaxed);
    match moment {
        Moment::Steady(time) => queue.steady.insert(timer.clone(), time),
        Moment::Wall(time) => queue.wall.insert(timer.clone(), time),
    }
    let nearer = timers.refresh(&queue);
    drop(queue);
    if nearer {
        sched::timer_changed();
    }
    drop(interrupts);
}

/// Takes `timer`, whose lock is held, out of the queue that it is in, if any:
/// the queue's count of it.
pub(super) fn remove(timer: &Timer) -> Option<Arc<Timer>> {
    let timers = TIMERS.of(timer.cpu.load(Relaxed) as usize);
    let mut queue = timers.queue.lock();
    let steady = queue.steady.remove(timer);
    let removed = steady.or_else(|| queue.wall.remove(timer));
    timers.refresh(&queue);
    removed
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
    let mut queue = timers.queue.lock();
    while queue
        .sleepers
        .first_key()
        .is_some_and(|deadline| deadline <= now)
        && let Some(thread) = queue.sleepers.pop()
    {
        sched::unpark(thread);
    }
    if queue.first_timer() <= now {
        timers.due.store(true, Relaxed);
        sync::preempt::request();
    }
    timers.refresh(&queue);
}

/// The scheduler has taken up a request to reschedule on this CPU, and does not
/// serve timers now: those that are due ask again. Called with interrupts off.
pub fn keep_request() {
    if TIMERS.of(cpu::id()).due.load(Relaxed) {
        sync::preempt::request();
    }
}

/// Has this CPU's timers expire whose moment has come by now: those that come again
/// at once wait for the next call, or many short ones would never end. No spin lock
/// is held.
pub fn serve() {
    // Most often there are none, and the clock is not read for nothing. Who is on
    // another CPU by now is asked again where there are: see [`keep_request`].
    if !TIMERS.of(cpu::id()).due.load(Relaxed) {
        return;
    }
    let now = machine::time::now();
    loop {
        let interrupts = sync::interrupts::off();
        let timers = TIMERS.of(cpu::id());
        if !timers.due.load(Relaxed) {
            return;
        }
        let mut queue = timers.queue.lock();
        let Some(timer) = queue.pop_timer(now) else {
            timers.due.store(false, Relaxed);
            timers.refresh(&queue);
            drop(queue);
            return sched::timer_changed();
        };
        drop(queue);
        drop(interrupts);
        timer.expire();
    }
}

/// The wall clock was set: every CPU looks at its timers again.
pub fn clock_was_set() {
    for cpu in 0..cpu::count() {
        let timers = TIMERS.of(cpu);
        let queue = timers.queue.lock();
        let concerned = queue.wall.first_key().is_some();
        if concerned {
            timers.due.store(true, Relaxed);
        }
        drop(queue);
        if concerned {
            sched::request_reschedule(cpu);
        }
    }
}
