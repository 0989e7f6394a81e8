//! The scheduling policies, as decisions over plain numbers: under which key
//! a ready thread waits (smallest first), how long it may run, and whether a
//! woken thread should run before the running one.
//!
//! *Fair*: the key is the CPU time a thread has had, in nanoseconds; who has
//! had least runs next (McKenney's stochastic, Linux's completely fair
//! scheduler). *Round robin*: the key is a ticket, so ready threads take
//! turns in order of arrival.

/// Which policy; chosen at boot with `policy=fair` or `policy=rr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Fair,
    RoundRobin,
}

/// Every ready thread runs within this time if there are few, in nanoseconds.
const PERIOD: u64 = 12_000_000;
/// No slice is shorter than this.
const SLICE_MIN: u64 = 1_500_000;
/// The slice of round robin.
const SLICE_ROUND_ROBIN: u64 = 4_000_000;
/// How far behind the others a thread that slept may start: enough to run at
/// once, too little to starve anybody.
const SLEEPER_CREDIT: u64 = PERIOD / 2;
/// How much less time the woken thread must have had to preempt.
const WAKE_GRANULARITY: u64 = 1_000_000;

/// What a run queue remembers for its policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Fair: no ready thread has had less time than this. Round robin: the
    /// last ticket.
    pub now: u64,
}

impl Policy {
    /// From the boot option's value.
    pub fn from_name(name: &str) -> Option<Policy> {
        match name {
            "fair" => Some(Policy::Fair),
            "rr" => Some(Policy::RoundRobin),
            _ => None,
        }
    }

    /// The key for a thread that was ready or running until now.
    pub fn requeue(self, clock: &mut Clock, key: u64) -> u64 {
        match self {
            Policy::Fair => key,
            Policy::RoundRobin => self.ticket(clock),
        }
    }

    /// The key for a thread that wakes, starts or comes from another CPU.
    pub fn wake(self, clock: &mut Clock, key: u64) -> u64 {
        match self {
            Policy::Fair => key.clamp(
                clock.now.saturating_sub(SLEEPER_CREDIT),
                clock.now.saturating_add(PERIOD),
            ),
            Policy::RoundRobin => self.ticket(clock),
        }
    }

    /// The key for a thread that gives way: behind the first one waiting.
    pub fn give_way(self, clock: &mut Clock, key: u64, first_waiting: Option<u64>) -> u64 {
        match self {
            Policy::Fair => key.max(first_waiting.map_or(key, |first| first.saturating_add(1))),
            Policy::RoundRobin => self.ticket(clock),
        }
    }

    /// What a run of `nanos` does to a thread's key.
    pub fn charge(self, key: u64, nanos: u64) -> u64 {
        match self {
            Policy::Fair => key.saturating_add(nanos),
            Policy::RoundRobin => key,
        }
    }

    /// A thread with `key` starts to run.
    pub fn advance(self, clock: &mut Clock, key: u64) {
        if self == Policy::Fair {
            clock.now = clock.now.max(key);
        }
    }

    /// How long a thread may run while `ready` others wait; `None`: no limit.
    pub fn slice(self, ready: usize) -> Option<u64> {
        match (self, ready as u64) {
            (_, 0) => None,
            (Policy::Fair, ready) => Some((PERIOD / (ready + 1)).max(SLICE_MIN)),
            (Policy::RoundRobin, _) => Some(SLICE_ROUND_ROBIN),
        }
    }

    /// Whether a woken thread should run before the running one.
    pub fn preempts(self, woken: u64, running: u64) -> bool {
        self == Policy::Fair && woken.saturating_add(WAKE_GRANULARITY) < running
    }

    fn ticket(self, clock: &mut Clock) -> u64 {
        clock.now += 1;
        clock.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sleep_earns_bounded_credit() {
        let mut clock = Clock { now: 100 * PERIOD };
        let key = Policy::Fair.wake(&mut clock, 0);
        assert_eq!(key, clock.now - SLEEPER_CREDIT);
        let now = clock.now;
        assert_eq!(Policy::Fair.wake(&mut clock, now), now);
    }

    #[test]
    fn a_thread_from_a_cpu_far_ahead_is_not_starved() {
        let mut clock = Clock { now: 5 };
        assert_eq!(Policy::Fair.wake(&mut clock, u64::MAX), 5 + PERIOD);
    }

    #[test]
    fn who_gives_way_runs_after_the_first_waiting() {
        let mut clock = Clock::default();
        assert_eq!(Policy::Fair.give_way(&mut clock, 3, Some(10)), 11);
        assert_eq!(Policy::Fair.give_way(&mut clock, 30, Some(10)), 30);
        assert_eq!(Policy::Fair.give_way(&mut clock, 3, None), 3);
    }

    #[test]
    fn round_robin_takes_turns() {
        let mut clock = Clock::default();
        let first = Policy::RoundRobin.wake(&mut clock, 0);
        let second = Policy::RoundRobin.wake(&mut clock, 0);
        assert!(first < second);
        assert!(Policy::RoundRobin.requeue(&mut clock, first) > second);
        assert!(!Policy::RoundRobin.preempts(0, u64::MAX));
    }

    /// Two threads that always run to the end of their slices share to within one slice.
    #[test]
    fn fair_shares_are_equal() {
        let policy = Policy::Fair;
        let mut clock = Clock::default();
        let mut ran = [0u64; 3];
        let mut keys: Vec<(u64, usize)> = (0..3).map(|thread| (0, thread)).collect();
        for _ in 0..1000 {
            keys.sort();
            let (key, thread) = keys.remove(0);
            policy.advance(&mut clock, key);
            let slice = policy.slice(2).unwrap();
            ran[thread] += slice;
            let key = policy.charge(key, slice);
            keys.push((policy.requeue(&mut clock, key), thread));
        }
        let slice = policy.slice(2).unwrap();
        assert!(ran.iter().max().unwrap() - ran.iter().min().unwrap() <= slice);
    }

    #[test]
    fn alone_no_timer_is_needed() {
        assert_eq!(Policy::Fair.slice(0), None);
        assert_eq!(Policy::RoundRobin.slice(0), None);
        assert_eq!(Policy::Fair.slice(1000), Some(SLICE_MIN));
    }
}
