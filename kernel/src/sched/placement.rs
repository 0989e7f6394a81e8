//! Where a thread that becomes ready is to run, and how that CPU learns of it.

use super::class::FAIR;
use super::run_queue::{Arrival, RunQueue};
use super::{Guard, IDLE, QUEUES, arm_timer, current, online};
use crate::thread::Thread;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::{Relaxed, Release};
use machine::cpu;

/// How long a woken thread waits behind its waker before an idle CPU is
/// called to take it. A halted CPU needs about as long to come.
const GRACE: u64 = 50_000;

/// Places a thread that was asleep; `home` is its queue, on which it is not.
#[inline]
pub(super) fn wake(thread: Arc<Thread>, home: Guard) {
    let allowed = thread.entity.affinity();
    let last = thread.entity.cpu();
    if thread.entity.level() < FAIR {
        return wake_real_time(thread, home);
    }
    if IDLE.load(Relaxed) & allowed == 0 && allowed >> last & 1 == 1 {
        // Nobody is idle: where it ran last its data may still be near.
        return enqueue(thread, home, last);
    }
    drop(home);
    if let Err(thread) = keep_here(thread) {
        place(thread);
    }
}

/// It does not wait behind anybody less urgent, on any CPU: on its last one if it
/// may run there at once, else on an idle one, else where the least urgent runs.
#[cold]
fn wake_real_time(thread: Arc<Thread>, home: Guard) {
    let (level, last) = (thread.entity.level(), thread.entity.cpu());
    if thread.entity.affinity() >> last & 1 == 1 && home.level() > level && home.ready() == 0 {
        return enqueue(thread, home, last);
    }
    drop(home);
    place(thread);
}

/// Puts a runnable thread, which is on no queue and on no CPU, on the best
/// CPU's queue.
pub(super) fn place(thread: Arc<Thread>) {
    let target = choose_cpu(&thread);
    // Taken: the next one goes elsewhere.
    IDLE.fetch_and(!(1 << target), Relaxed);
    let queue = QUEUES.of(target).lock();
    thread.entity.cpu.store(target as u32, Release);
    enqueue(thread, queue, target);
}

/// Calls an idle CPU to take a thread from `queue`, this CPU's.
pub(super) fn spread(queue: &mut RunQueue) {
    queue.spread_at = None;
    let idle = IDLE.load(Relaxed) & online();
    if queue.ready() > 0 && idle != 0 {
        let target = idle.trailing_zeros() as usize;
        IDLE.fetch_and(!(1 << target), Relaxed);
        machine::kick(target);
    }
}

/// Puts `thread` on `queue`, the CPU `target`'s, and has that CPU look at it
/// if it must.
fn enqueue(thread: Arc<Thread>, mut queue: Guard, target: usize) {
    // The guard keeps this thread here.
    let is_here = target == cpu::id();
    if is_here {
        queue.charge(&current(), machine::time::now());
    }
    let preempts = queue.enqueue(thread, Arrival::Woken);
    // The first to wait ends the running thread's unlimited slice.
    let is_first = queue.ready() == 1;
    if !is_here {
        drop(queue);
        if preempts || is_first {
            machine::kick(target);
        }
        return;
    }
    if is_first {
        arm_timer(&mut queue);
    }
    if preempts {
        sync::preempt::request();
    }
}

/// Puts a woken thread behind the running one although another CPU is idle:
/// most wakers sleep soon, and a switch costs a tenth of an interrupt to a
/// halted CPU. If the waker goes on instead, the timer has [`spread`] called.
/// Gives the thread back if it is not to be kept here.
fn keep_here(thread: Arc<Thread>) -> Result<(), Arc<Thread>> {
    let _here = sync::preempt::disable();
    let here = cpu::id();
    let queue = QUEUES.of(here).lock();
    let is_allowed = thread.entity.affinity() >> here & 1 == 1;
    if current().is_idle() || !is_allowed || queue.ready() > 0 {
        return Err(thread);
    }
    let mut queue = queue;
    thread.entity.cpu.store(here as u32, Release);
    queue.spread_at = Some(machine::time::now() + GRACE);
    enqueue(thread, queue, here);
    Ok(())
}

/// Where a thread is best placed: its last CPU if that is idle, else any idle
/// one, else its last one, else any it may run on.
fn choose_cpu(thread: &Thread) -> usize {
    let allowed = thread.entity.affinity() & online();
    let last = thread.entity.cpu();
    let idle = IDLE.load(Relaxed) & allowed;
    let is_fair = thread.entity.level() >= FAIR;
    let is_best = idle >> last & 1 == 1 || idle == 0 && is_fair && allowed >> last & 1 == 1;
    if is_best {
        last
    } else if idle != 0 {
        idle.trailing_zeros() as usize
    } else if !is_fair {
        least_urgent(allowed, last)
    } else {
        allowed.trailing_zeros() as usize
    }
}

/// The CPU of `allowed` that runs the least urgent thread; `last` among equals.
fn least_urgent(allowed: u64, last: usize) -> usize {
    let level = |cpu: usize| QUEUES.of(cpu).try_lock().map_or(0, |queue| queue.level());
    (0..cpu::count())
        .filter(|&cpu| allowed >> cpu & 1 == 1)
        .max_by_key(|&cpu| (level(cpu), cpu == last))
        .unwrap_or(last)
}
