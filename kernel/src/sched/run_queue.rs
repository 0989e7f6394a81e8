//! One CPU's ready threads. The running thread is not on the queue.
//!
//! The decision to sleep and the switch are one act under the queue's lock, and so
//! is a wake-up, so none can fall between.
//!
//! The queue's keys: real-time threads come first, by level, and at each level
//! those that were preempted before those that have arrived; then the others, by
//! the policy's key.

use super::class::{self, FAIR, Kind, NOTHING, ROUND, SCALE_ONE, Scale};
use super::entity::{Entity, count, state};
use super::policy::{Clock, Policy};
use super::usage::{Times, Usage, next_tick};
use crate::thread::Thread;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;
use sync::heap::Heap;

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

/// The queue's keys of threads that are not real-time ones begin here.
const FAIR_KEYS: u64 = LEVEL_KEYS * FAIR as u64;
/// Each level has so many.
const LEVEL_KEYS: u64 = 1 << 48;

/// A moment that does not come.
pub const NEVER: u64 = u64::MAX;

pub struct RunQueue {
    policy: Policy,
    clock: Clock,
    ready: Heap<Thread, 0>,
    idle: Option<Arc<Thread>>,
    /// The running thread's key by the policy; `None` while idle.
    running: Option<u64>,
    /// Its level.
    level: u8,
    /// When its round ends, if it takes turns with its equals.
    round_end: u64,
    /// How often a real-time thread was put before all its equals.
    went_first: u64,
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
            level: NOTHING,
            round_end: NEVER,
            went_first: 0,
            started: 0,
            current: 0,
            tick_at: 0,
            armed: NEVER,
            spread_at: None,
            outgoing: None,
        }
    }

    pub fn policy(&self) -> Policy {
        self.policy
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
        if self.level < FAIR {
            return (!self.ready.is_empty()).then_some(self.round_end);
        }
        Some(self.started + self.policy.slice(self.ready.len())?)
    }

    /// Books the run of `thread`, which is running here, up to `now`.
    #[inline(always)]
    pub fn charge(&mut self, thread: &Thread, now: u64) {
        let Some(key) = self.running else { return };
        let entity = &thread.entity;
        let ran = now.saturating_sub(entity.started.load(Relaxed));
        entity.started.store(now, Relaxed);
        entity.used.store(entity.used.load(Relaxed) + ran, Relaxed);
        let ran = match entity.scale.load(Relaxed) {
            SCALE_ONE => ran,
            scale => scaled(entity, ran, scale),
        };
        let key = self.policy.charge(key, ran);
        entity.key.store(key, Relaxed);
        self.running = Some(key);
        // Where a real-time thread waits or runs, the least is not known, and what
        // stands here is less.
        let least = self.first_waiting().map_or(key, |first| first.min(key));
        self.policy.advance(&mut self.clock, least);
    }

    /// When the running thread is to be sampled; `NEVER` while idle.
    pub fn next_sample(&self) -> u64 {
        match self.running {
            Some(_) => self.tick_at,
            None => NEVER,
        }
    }

    /// Samples the running thread, `thread`, if it is time to; whether it was.
    pub fn sample(&mut self, thread: &Thread, now: u64, in_user_mode: bool) -> bool {
        if self.running.is_none() || now < self.tick_at {
            return false;
        }
        self.tick_at = next_tick(now);
        count(match in_user_mode {
            true => &thread.entity.user_ticks,
            false => &thread.entity.system_ticks,
        });
        true
    }

    /// What `thread`, which belongs here, has used up to `now`.
    pub fn usage(&self, thread: &Thread, now: u64) -> Usage {
        let entity = &thread.entity;
        entity.usage(match self.runs(thread) {
            true => now.saturating_sub(entity.started.load(Relaxed)),
            false => 0,
        })
    }

    /// The same, to be told to programs.
    pub fn tell(&mut self, thread: &Thread, now: u64) -> (Usage, Times) {
        let usage = self.usage(thread, now);
        (usage, thread.entity.tell(&usage))
    }

    fn runs(&self, thread: &Thread) -> bool {
        self.running.is_some() && self.current == core::ptr::from_ref(thread).addr()
    }

    /// Puts `thread` on the queue. True if it should preempt the running one.
    #[inline(always)]
    pub fn enqueue(&mut self, thread: Arc<Thread>, arrival: Arrival) -> bool {
        let entity = &thread.entity;
        entity.state.store(state::RUNNABLE, Relaxed);
        let level = entity.level();
        if level < FAIR {
            return self.enqueue_real_time(thread, level, arrival);
        }
        let key = entity.key.load(Relaxed);
        let first = self.first_waiting();
        let clock = &mut self.clock;
        let key = match arrival {
            Arrival::Preempted => self.policy.requeue(clock, key),
            Arrival::Yielded => self.policy.give_way(clock, key, first),
            Arrival::Woken => self.policy.wake(clock, key),
        };
        entity.key.store(key, Relaxed);
        self.ready.insert(thread, FAIR_KEYS.saturating_add(key));
        match self.running {
            Some(running) if level == FAIR && self.level == FAIR => {
                self.policy.preempts(key, running)
            }
            _ => self.preempts_otherwise(level, key),
        }
    }

    #[cold]
    fn preempts_otherwise(&self, woken: u8, key: u64) -> bool {
        self.running.is_none_or(|running| {
            let decided = class::preempts(woken, self.level);
            decided.unwrap_or_else(|| self.policy.preempts(key, running))
        })
    }

    #[cold]
    fn enqueue_real_time(&mut self, thread: Arc<Thread>, level: u8, arrival: Arrival) -> bool {
        let entity = &thread.entity;
        let takes_turns = entity.class().kind == Kind::RoundRobin;
        let round_over = takes_turns && entity.round.load(Relaxed) >= ROUND;
        if round_over {
            entity.round.store(0, Relaxed);
        }
        let goes_first = arrival == Arrival::Preempted && !round_over;
        if self.ready.is_empty() {
            self.went_first = 0;
        }
        let place = match goes_first {
            false => LEVEL_KEYS / 2,
            // Before all that are there.
            true => {
                self.went_first += 1;
                (LEVEL_KEYS / 2).saturating_sub(self.went_first)
            }
        };
        let key = u64::from(level) * LEVEL_KEYS + place;
        self.ready.insert(thread, key);
        level < self.level
    }

    /// The policy's key of the first that waits, which is 0 for a real-time thread.
    #[inline]
    fn first_waiting(&self) -> Option<u64> {
        self.ready
            .first_key()
            .map(|key| key.saturating_sub(FAIR_KEYS))
    }

    /// The level of what runs here.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Changes how `thread`, which belongs here, is scheduled. True if another
    /// should run here now.
    pub fn change(&mut self, thread: &Thread, now: u64, change: impl FnOnce()) -> bool {
        let entity = &thread.entity;
        let runs = self.runs(thread);
        if runs {
            self.charge(thread, now);
        }
        let waiting = self.ready.remove(thread);
        let before = entity.level();
        change();
        let after = entity.level();
        if let Some(thread) = waiting {
            // Who becomes less urgent is the first of his equals, who becomes more
            // so the last (sched(7), POSIX).
            let arrival = match (before < FAIR, after < FAIR) {
                (true, true) if before < after => Arrival::Preempted,
                (false, false) => Arrival::Preempted,
                _ => Arrival::Woken,
            };
            return self.enqueue(thread, arrival);
        }
        if runs {
            if before < FAIR && after >= FAIR {
                // Its key stood still meanwhile: it has no claim to the time that
                // others had.
                let key = self.policy.wake(&mut self.clock, entity.key.load(Relaxed));
                entity.key.store(key, Relaxed);
            }
            self.begin_run(thread, now);
        }
        runs && self
            .ready
            .first()
            .is_some_and(|first| first.entity.level() < self.level)
    }

    /// Takes the next thread to run, the idle one if none is ready or if one
    /// is to leave this CPU.
    ///
    /// # Panics
    /// Before `set_idle`.
    #[inline]
    pub fn pick(&mut self, now: u64) -> Arc<Thread> {
        let ready = if self.outgoing.is_none() {
            self.ready.pop()
        } else {
            None
        };
        let Some(thread) = ready else {
            self.set_idle_running();
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
            self.set_idle_running();
            self.outgoing = Some(thread);
            return self
                .idle
                .clone()
                .expect("every CPU has an idle thread before it schedules");
        }
        thread.entity.started.store(now, Relaxed);
        self.begin_run(&thread, now);
        self.started = now;
        self.current = Arc::as_ptr(&thread).addr();
        if self.tick_at <= now {
            self.tick_at = next_tick(now);
        }
        thread
    }

    fn set_idle_running(&mut self) {
        self.running = None;
        self.level = NOTHING;
    }

    /// Notes what is to be known of the running thread while it runs.
    #[inline]
    fn begin_run(&mut self, thread: &Thread, now: u64) {
        let entity = &thread.entity;
        let key = entity.key.load(Relaxed);
        self.running = Some(key);
        self.level = entity.level();
        if self.level >= FAIR {
            self.policy.advance(&mut self.clock, key);
        } else {
            self.begin_round(thread, now);
        }
    }

    #[cold]
    fn begin_round(&mut self, thread: &Thread, now: u64) {
        let entity = &thread.entity;
        self.round_end = match entity.class().kind {
            Kind::RoundRobin => now + ROUND.saturating_sub(entity.round.load(Relaxed)),
            _ => NEVER,
        };
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

/// What a run of `ran` counts for a thread whose time is scaled. One that is not
/// scheduled by its time uses up its round instead.
#[cold]
fn scaled(entity: &Entity, ran: u64, scale: Scale) -> u64 {
    if scale == 0 {
        entity
            .round
            .store(entity.round.load(Relaxed) + ran, Relaxed);
    }
    ((u128::from(ran) * u128::from(scale)) >> 20) as u64
}
