//! One CPU's ready threads. The running thread is not on the queue.
//!
//! A thread's [`Entity`] is written only under the lock of the run queue it
//! belongs to (`Entity::cpu` names it): the decision to sleep and the switch
//! are one act under that lock, and so is a wake-up, so none can fall between.

use super::policy::{Clock, Policy};
use super::usage::{Counts, Ticks, Times, Usage, next_tick};
use crate::thread::Thread;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use sync::heap::Heap;

/// What the scheduler knows of a thread.
pub struct Entity {
    /// Its home: the run queue it waits on, runs from, or slept on last.
    pub(super) cpu: AtomicU32,
    pub(super) state: AtomicU8,
    /// A wake-up has come that no sleep has used yet.
    pub(super) wake: AtomicBool,
    /// The policy's key.
    pub(super) key: AtomicU64,
    /// When it was switched to, in nanoseconds.
    pub(super) started: AtomicU64,
    /// CPU time used, without the present run.
    pub(super) used: AtomicU64,
    /// Samples that found it in user mode, and in the kernel.
    user_ticks: AtomicU64,
    system_ticks: AtomicU64,
    /// User and system time as they were last told.
    told_user: AtomicU64,
    told_system: AtomicU64,
    pub(super) voluntary: AtomicU64,
    pub(super) involuntary: AtomicU64,
    /// Page faults; written by the thread itself.
    faults: AtomicU64,
    /// The CPUs it may run on, one bit each.
    pub(super) affinity: AtomicU64,
}

/// States of a thread, for the scheduler.
pub mod state {
    /// On a CPU, or ready on a run queue.
    pub const RUNNABLE: u8 = 0;
    /// Waits for a wake-up.
    pub const ASLEEP: u8 = 1;
    /// Has left its CPU for good.
    pub const DEAD: u8 = 2;
}

impl Entity {
    pub fn new(affinity: u64) -> Entity {
        Entity {
            cpu: AtomicU32::new(0),
            // Not asleep: a wake-up that comes before the thread is started
            // must not put it on a queue, for starting it does.
            state: AtomicU8::new(state::RUNNABLE),
            wake: AtomicBool::new(false),
            key: AtomicU64::new(0),
            started: AtomicU64::new(0),
            used: AtomicU64::new(0),
            user_ticks: AtomicU64::new(0),
            system_ticks: AtomicU64::new(0),
            told_user: AtomicU64::new(0),
            told_system: AtomicU64::new(0),
            voluntary: AtomicU64::new(0),
            involuntary: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            affinity: AtomicU64::new(affinity),
        }
    }

    pub fn affinity(&self) -> u64 {
        self.affinity.load(Relaxed)
    }

    pub fn is_asleep(&self) -> bool {
        self.state.load(Relaxed) == state::ASLEEP
    }

    pub fn cpu(&self) -> usize {
        self.cpu.load(Relaxed) as usize
    }

    /// Counts a page fault of the running thread, to which this belongs.
    pub fn count_fault(&self) {
        count(&self.faults);
    }

    /// CPU time used until the last switch, in nanoseconds.
    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }
}

/// Counts one more; under the lock that guards `counter`, or by its only writer.
pub(super) fn count(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

/// Why a thread is put on the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Its slice is over, or a better one came.
    Preempted,
    /// It called for another to run.
    Yielded,
    /// It woke up, is new, or comes from another CPU.
    Woken,
}

/// A moment that does not come.
pub const NEVER: u64 = u64::MAX;

pub struct RunQueue {
    policy: Policy,
    clock: Clock,
    ready: Heap<Thread, 0>,
    idle: Option<Arc<Thread>>,
    /// The running thread's key; `None` while idle.
    running: Option<u64>,
    /// When the running thread was switched to.
    started: u64,
    /// Which thread that is: its address, for comparison only.
    current: usize,
    /// When the running thread is looked at next, for its user and system time.
    tick_at: u64,
    /// When this CPU's timer will fire, or `NEVER`.
    pub armed: u64,
    /// When an idle CPU is to be called to take the thread that waits here.
    pub spread_at: Option<u64>,
    /// A thread that may not run here any more, for the idle thread to place.
    pub outgoing: Option<Arc<Thread>>,
}

impl RunQueue {
    pub const fn new() -> RunQueue {
        RunQueue {
            policy: Policy::Fair,
            clock: Clock { now: 0 },
            ready: Heap::new(),
            idle: None,
            running: None,
            started: 0,
            current: 0,
            tick_at: 0,
            armed: NEVER,
            spread_at: None,
            outgoing: None,
        }
    }

    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    pub fn set_idle(&mut self, idle: Arc<Thread>) {
        self.idle = Some(idle);
    }

    /// Threads that wait for the CPU.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Threads that want the CPU, the running one included.
    pub fn load(&self) -> usize {
        self.ready.len() + usize::from(self.running.is_some())
    }

    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.ready.is_empty()
    }

    /// When the running thread's slice is over, if others wait.
    pub fn slice_end(&self) -> Option<u64> {
        self.running?;
        Some(self.started + self.policy.slice(self.ready.len())?)
    }

    /// Books the run of `thread`, which is running here, up to `now`.
    pub fn charge(&mut self, thread: &Thread, now: u64) {
        let Some(key) = self.running else { return };
        let entity = &thread.entity;
        let ran = now.saturating_sub(entity.started.load(Relaxed));
        entity.started.store(now, Relaxed);
        entity.used.store(entity.used.load(Relaxed) + ran, Relaxed);
        let key = self.policy.charge(key, ran);
        entity.key.store(key, Relaxed);
        self.running = Some(key);
        let least = self.ready.first_key().map_or(key, |first| first.min(key));
        self.policy.advance(&mut self.clock, least);
    }

    /// When the running thread is to be sampled; `NEVER` while idle.
    pub fn next_sample(&self) -> u64 {
        match self.running {
            Some(_) => self.tick_at,
            None => NEVER,
        }
    }

    /// Samples the running thread, `thread`, if it is time to.
    pub fn sample(&mut self, thread: &Thread, now: u64, in_user_mode: bool) {
        if self.running.is_none() || now < self.tick_at {
            return;
        }
        self.tick_at = next_tick(now);
        count(match in_user_mode {
            true => &thread.entity.user_ticks,
            false => &thread.entity.system_ticks,
        });
    }

    /// What `thread`, which belongs here, has used up to `now`.
    pub fn usage(&self, thread: &Thread, now: u64) -> Usage {
        let entity = &thread.entity;
        let runs = self.running.is_some() && self.current == core::ptr::from_ref(thread).addr();
        let ran = match runs {
            true => now.saturating_sub(entity.started.load(Relaxed)),
            false => 0,
        };
        Usage {
            time: entity.used() + ran,
            ticks: Ticks {
                user: entity.user_ticks.load(Relaxed),
                system: entity.system_ticks.load(Relaxed),
            },
            counts: Counts {
                faults: entity.faults.load(Relaxed),
                voluntary: entity.voluntary.load(Relaxed),
                involuntary: entity.involuntary.load(Relaxed),
            },
        }
    }

    /// The user and system time in `usage`, the thread's, to be told.
    pub fn tell(&mut self, thread: &Thread, usage: &Usage) -> Times {
        let entity = &thread.entity;
        let told = Times {
            user: entity.told_user.load(Relaxed),
            system: entity.told_system.load(Relaxed),
        };
        let times = told.next(usage.time, usage.ticks);
        entity.told_user.store(times.user, Relaxed);
        entity.told_system.store(times.system, Relaxed);
        times
    }

    /// Puts `thread` on the queue. True if it should preempt the running one.
    pub fn enqueue(&mut self, thread: Arc<Thread>, arrival: Arrival) -> bool {
        let entity = &thread.entity;
        let key = entity.key.load(Relaxed);
        let clock = &mut self.clock;
        let key = match arrival {
            Arrival::Preempted => self.policy.requeue(clock, key),
            Arrival::Yielded => self.policy.give_way(clock, key, self.ready.first_key()),
            Arrival::Woken => self.policy.wake(clock, key),
        };
        entity.key.store(key, Relaxed);
        entity.state.store(state::RUNNABLE, Relaxed);
        self.ready.insert(thread, key);
        self.running
            .is_none_or(|running| self.policy.preempts(key, running))
    }

    /// Takes the next thread to run, the idle one if none is ready or if one
    /// is to leave this CPU.
    ///
    /// # Panics
    /// Before `set_idle`.
    pub fn pick(&mut self, now: u64) -> Arc<Thread> {
        let ready = if self.outgoing.is_none() {
            self.ready.pop()
        } else {
            None
        };
        let Some(thread) = ready else {
            self.running = None;
            return self
                .idle
                .clone()
                .expect("every CPU has an idle thread before it schedules");
        };
        if self.ready.is_empty() {
            self.spread_at = None;
        }
        let entity = &thread.entity;
        if entity.affinity() >> entity.cpu() & 1 == 0 {
            // Its affinity changed while it was being put here.
            self.running = None;
            self.outgoing = Some(thread);
            return self
                .idle
                .clone()
                .expect("every CPU has an idle thread before it schedules");
        }
        let key = thread.entity.key.load(Relaxed);
        thread.entity.started.store(now, Relaxed);
        self.policy.advance(&mut self.clock, key);
        self.running = Some(key);
        self.started = now;
        self.current = Arc::as_ptr(&thread).addr();
        if self.tick_at <= now {
            self.tick_at = next_tick(now);
        }
        thread
    }

    /// Takes a ready thread for the CPU `cpu`, which has nothing to do.
    pub fn steal(&mut self, cpu: usize) -> Option<Arc<Thread>> {
        self.ready
            .remove_where(|thread| thread.entity.affinity() >> cpu & 1 == 1)
    }

    /// Takes `thread` off, if it is on.
    pub fn remove(&mut self, thread: &Thread) -> Option<Arc<Thread>> {
        self.ready.remove(thread)
    }
}
