//! What the scheduler knows of a thread. It is written only under the lock of the
//! run queue that the thread belongs to ([`Entity::cpu`] names it), but for what
//! says otherwise.

use super::class::{Class, FAIR, NOTHING};
use super::usage::{Counts, Ticks, Times, Usage};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

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
    /// What was asked for, as [`Class::pack`] has it.
    class: AtomicU32,
    /// Who runs first: by the class, or by the most urgent of those that wait for
    /// a lock that the thread holds.
    level: AtomicU8,
    /// The level of that one.
    boost: AtomicU8,
    /// What the thread's time counts, by its class.
    pub(super) scale: AtomicU32,
    /// How much of its round a real-time thread has had.
    pub(super) round: AtomicU64,
    /// Samples that found it in user mode, and in the kernel.
    pub(super) user_ticks: AtomicU64,
    pub(super) system_ticks: AtomicU64,
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
    pub fn new(affinity: u64, class: Class) -> Entity {
        Entity {
            cpu: AtomicU32::new(0),
            // Not asleep: a wake-up that comes before the thread is started
            // must not put it on a queue, for starting it does.
            state: AtomicU8::new(state::RUNNABLE),
            wake: AtomicBool::new(false),
            key: AtomicU64::new(0),
            started: AtomicU64::new(0),
            used: AtomicU64::new(0),
            class: AtomicU32::new(class.pack()),
            level: AtomicU8::new(class.level()),
            boost: AtomicU8::new(NOTHING),
            scale: AtomicU32::new(class.scale()),
            round: AtomicU64::new(0),
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

    /// Under the lock of its run queue, or a moment old.
    pub fn class(&self) -> Class {
        Class::unpack(self.class.load(Relaxed))
    }

    /// As above.
    #[inline]
    pub fn level(&self) -> u8 {
        self.level.load(Relaxed)
    }

    /// How early the thread is woken among others that wait for the same.
    #[inline]
    pub fn urgency(&self) -> sync::Urgency {
        match self.level() {
            level if level < FAIR => level,
            _ => sync::LAST,
        }
    }

    pub(super) fn set_class(&self, class: Class) {
        self.class.store(class.pack(), Relaxed);
        self.scale.store(class.scale(), Relaxed);
        self.set_boost(self.boost.load(Relaxed));
    }

    pub(super) fn set_boost(&self, boost: u8) {
        self.boost.store(boost, Relaxed);
        // Only real-time levels are lent.
        let own = self.class().level();
        let level = if boost < FAIR { own.min(boost) } else { own };
        self.level.store(level, Relaxed);
    }

    /// Counts a page fault of the running thread, to which this belongs.
    pub fn count_fault(&self) {
        count(&self.faults);
    }

    pub(super) fn usage(&self, ran: u64) -> Usage {
        Usage {
            time: self.used() + ran,
            ticks: Ticks {
                user: self.user_ticks.load(Relaxed),
                system: self.system_ticks.load(Relaxed),
            },
            counts: Counts {
                faults: self.faults.load(Relaxed),
                voluntary: self.voluntary.load(Relaxed),
                involuntary: self.involuntary.load(Relaxed),
            },
        }
    }

    /// The user and system time in `usage`, the thread's, to be told.
    pub(super) fn tell(&self, usage: &Usage) -> Times {
        let told = Times {
            user: self.told_user.load(Relaxed),
            system: self.told_system.load(Relaxed),
        };
        let times = told.next(usage.time, usage.ticks);
        self.told_user.store(times.user, Relaxed);
        self.told_system.store(times.system, Relaxed);
        times
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
