//! The scheduler: which thread runs on which CPU, sleeping and waking.
//!
//! Each CPU has a [`RunQueue`] under an interrupt-off spin lock. A thread
//! sleeps with [`park`] and is woken with [`unpark`]; a wake-up that comes
//! first is kept, so the order never matters. All waiting in the kernel
//! (wait queues, sleeping locks) stands on these two.

mod class;
mod entity;
mod idle;
mod placement;
mod policy;
mod run_queue;
mod usage;

pub use class::{Class, ROUND};
pub use entity::Entity;
pub use idle::{run as idle, shed_everywhere, start_other_cpu, start_this_cpu};
pub use policy::Policy;
pub use run_queue::RunQueue;
pub use usage::{Account, Counts, TICK, Times, Usage};

use crate::thread::Thread;
use crate::time::timers;
use alloc::sync::Arc;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use entity::{count, state};
use machine::cpu::{self, PerCpu};
use machine::page_table;
use machine::task::{Running, Tasks};
use placement::{place, spread};
use run_queue::{Arrival, NEVER};
use sync::{SpinGuard, SpinLock, rank};

type Guard = SpinGuard<'static, RunQueue, rank::RunQueue>;

static TASKS: Tasks<Thread, Guard> = Tasks::new();

static QUEUES: PerCpu<SpinLock<RunQueue, rank::RunQueue>> =
    PerCpu::new([const { SpinLock::new(RunQueue::new()) }; cpu::MAX]);

/// CPUs that run their idle thread, one bit each: where a woken thread is best placed.
static IDLE: AtomicU64 = AtomicU64::new(0);
/// CPUs that schedule.
static ONLINE: AtomicU64 = AtomicU64::new(0);

/// The running thread.
#[inline]
pub fn current() -> Running<Thread> {
    TASKS.current()
}

/// The running thread, or `None` before the scheduler has started.
pub fn try_current() -> Option<Running<Thread>> {
    TASKS.try_current()
}

/// The CPUs that schedule, one bit each.
pub fn online() -> u64 {
    ONLINE.load(Relaxed)
}

/// Chooses the policy; at boot, before threads run.
pub fn set_policy(policy: Policy) {
    for queue in QUEUES.iter() {
        queue.lock().set_policy(policy);
    }
}

/// Makes a new thread run.
pub fn start(thread: Arc<Thread>) {
    thread.entity.cpu.store(cpu::id() as u32, Relaxed);
    let current = current();
    // A child begins where its parent stands, so that creating threads earns nothing.
    thread
        .entity
        .key
        .store(current.entity.key.load(Relaxed), Relaxed);
    place(thread);
}

/// Sleeps until [`unpark`], or until `deadline` (nanoseconds since start).
/// Uses up one wake-up; several that came before count as one. May return
/// early: check what was waited for.
pub fn park(deadline: Option<u64>) {
    let current = current();
    if current.entity.wake.swap(false, Acquire) {
        return;
    }
    if let Some(deadline) = deadline {
        timers::arm(&current, deadline);
    }
    let mut queue = this_queue();
    if current.entity.wake.swap(false, Acquire) {
        drop(queue);
    } else {
        queue.charge(&current, machine::time::now());
        current.entity.state.store(state::ASLEEP, Relaxed);
        switch(queue, &current, &current.entity.voluntary);
        // Sees all that was done before every wake-up that came until now.
        current.entity.wake.swap(false, AcqRel);
    }
    if deadline.is_some() {
        timers::disarm(&current);
    }
}

/// Wakes `thread`, or lets its next [`park`] return at once.
pub fn unpark(thread: Arc<Thread>) {
    if thread.entity.wake.swap(true, AcqRel) {
        return;
    }
    let queue = queue_of(&thread);
    if thread.entity.state.load(Relaxed) != state::ASLEEP {
        return;
    }
    // Ours alone from here on: whoever comes next finds it runnable.
    thread.entity.state.store(state::RUNNABLE, Relaxed);
    placement::wake(thread, queue);
}

/// Makes `thread` look at what is pending for it: wakes it if it sleeps, and
/// brings it back from user mode if it runs on another CPU.
pub fn interrupt(thread: &Arc<Thread>) {
    unpark(thread.clone());
    request_reschedule(thread.entity.cpu());
}

/// Lets others run first.
pub fn yield_now() {
    give_way(Arrival::Yielded);
}

/// A reschedule was asked for: another thread may be due.
pub fn preempt() {
    timers::serve();
    give_way(Arrival::Preempted);
}

/// Ends the running thread. Everything it owns must have been given back.
pub fn exit() -> ! {
    let current = current();
    let mut queue = this_queue();
    queue.charge(&current, machine::time::now());
    current.entity.state.store(state::DEAD, Release);
    switch(queue, &current, &current.entity.voluntary);
    unreachable!("a dead thread is never switched to");
}

/// What `thread` has used until now.
pub fn usage(thread: &Thread) -> Usage {
    queue_of(thread).usage(thread, machine::time::now())
}

/// The same, as programs are told it.
pub fn account(thread: &Thread) -> Account {
    let mut queue = queue_of(thread);
    let (usage, times) = queue.tell(thread, machine::time::now());
    Account {
        times,
        counts: usage.counts,
    }
}

/// How long a thread runs before its only equal, in nanoseconds.
pub fn fair_slice() -> u64 {
    this_queue().policy().slice(1).unwrap_or(0)
}

/// Changes how `thread` is scheduled.
pub fn set_class(thread: &Thread, class: impl FnOnce(Class) -> Class) {
    change(thread, |entity| entity.set_class(class(entity.class())));
}

/// Makes `thread` at least as urgent as `level`, as long as it is not lent another.
pub fn lend(thread: &Thread, level: u8) {
    change(thread, |entity| entity.set_boost(level));
}

fn change(thread: &Thread, how: impl FnOnce(&Entity)) {
    let mut queue = queue_of(thread);
    let entity = &thread.entity;
    let due = queue.change(thread, machine::time::now(), || how(entity));
    let home = entity.cpu();
    drop(queue);
    if due {
        request_reschedule(home);
    }
}

/// Restricts `thread` to the CPUs of `mask` that are online.
/// False, and nothing changes, if there is none.
pub fn set_affinity(thread: &Arc<Thread>, mask: u64) -> bool {
    if mask & online() == 0 {
        return false;
    }
    // Stored first: who places the thread meanwhile sees it, or `pick` does.
    thread.entity.affinity.store(mask, Relaxed);
    let mut queue = queue_of(thread);
    if mask >> thread.entity.cpu() & 1 == 1 {
        return true;
    }
    let home = thread.entity.cpu();
    let waiting = queue.remove(thread);
    drop(queue);
    match waiting {
        Some(thread) => place(thread),
        // Running: it moves when it next gives way.
        None => request_reschedule(home),
    }
    true
}

/// The interrupt of another CPU that wants this one to look at its queue.
pub fn kicked() {
    sync::preempt::request();
}

/// This CPU's timer fired, in user mode or in the kernel.
pub fn timer(in_user_mode: bool) {
    let now = machine::time::now();
    timers::expire(now);
    let mut queue = this_queue();
    queue.armed = NEVER;
    let current = current();
    if queue.sample(&current, now, in_user_mode) {
        current.sampled();
    }
    if queue.spread_at.is_some_and(|at| at <= now) {
        spread(&mut queue);
    }
    let slice_end = queue.slice_end();
    if slice_end.is_some_and(|end| end <= now) {
        sync::preempt::request();
        // Sleepers are not forgotten, whether or not a switch follows.
        arm(&mut queue, None);
    } else {
        arm(&mut queue, slice_end);
    }
}

/// The first deadline of this CPU's sleepers has come nearer.
pub fn timer_changed() {
    arm_timer(&mut this_queue());
}

#[inline(always)]
fn this_queue() -> Guard {
    let _here = sync::preempt::disable();
    QUEUES.of(cpu::id()).lock()
}

/// Locks the queue that `thread` belongs to.
#[inline(always)]
fn queue_of(thread: &Thread) -> Guard {
    loop {
        let home = thread.entity.cpu.load(Acquire);
        let queue = QUEUES.of(home as usize).lock();
        if thread.entity.cpu.load(Relaxed) == home {
            return queue;
        }
    }
}

fn give_way(arrival: Arrival) {
    let current = current();
    let mut queue = this_queue();
    take_request();
    if current.is_idle() {
        if queue.ready() > 0 {
            switch(queue, &current, &current.entity.involuntary);
        }
        return;
    }
    let now = machine::time::now();
    queue.charge(&current, now);
    let here = current.entity.cpu();
    if current.entity.affinity() >> here & 1 == 0 {
        // The idle thread passes it on, once it is off this CPU.
        queue.outgoing = Some(current.arc());
        switch(queue, &current, &current.entity.involuntary);
    } else if queue.ready() > 0 {
        queue.enqueue(current.arc(), arrival);
        switch(queue, &current, &current.entity.involuntary);
    }
}

/// Runs the next thread of `queue`, this CPU's; the running thread has been
/// booked and marked, and `switches` counts when it is left. Returns when it is
/// switched to again.
fn switch(mut queue: Guard, current: &Running<Thread>, switches: &AtomicU64) {
    let next = queue.pick(machine::time::now());
    if queue.ready() > 0 || queue.armed == NEVER || queue.next_sample() < queue.armed {
        arm_timer(&mut queue);
    }
    take_request();
    if core::ptr::eq(&*next, &**current) {
        return;
    }
    count(switches);
    if next.is_idle() != current.is_idle() {
        let bit = 1 << cpu::id();
        if next.is_idle() {
            IDLE.fetch_or(bit, Relaxed);
            page_table::leave();
        } else {
            IDLE.fetch_and(!bit, Relaxed);
        }
    }
    drop(TASKS.switch(next, queue));
    current.enter_space();
    current.resumed();
}

/// Makes this CPU's timer fire no later than the end of the slice, the next
/// sleeper's deadline and the next sample of the running thread. A timer that is
/// set too early is left alone: it costs one look when it fires, and most are never
/// reached.
fn arm_timer(queue: &mut RunQueue) {
    arm(queue, queue.slice_end());
}

fn arm(queue: &mut RunQueue, slice_end: Option<u64>) {
    let deadline = timers::next()
        .min(queue.next_sample())
        .min(queue.spread_at.unwrap_or(NEVER))
        .min(slice_end.unwrap_or(NEVER));
    if deadline < queue.armed {
        queue.armed = deadline;
        machine::time::set_timer(Some(deadline));
    }
}

/// Takes up what was asked for on this CPU, but for timers that are due.
fn take_request() {
    sync::preempt::take_request();
    timers::keep_request();
}

/// Asks `cpu` for a reschedule.
pub fn request_reschedule(cpu: usize) {
    let _here = sync::preempt::disable();
    if cpu == cpu::id() {
        sync::preempt::request();
    } else {
        machine::kick(cpu);
    }
}
