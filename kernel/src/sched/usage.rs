//! What threads have used of the CPUs, as numbers, and how it is told.
//!
//! The time is exact: it is booked at each switch. How it divides into user and
//! system time is found by samples, one each [`TICK`], as on most Unix systems:
//! the clock is not read at each system call.

use core::ops::AddAssign;

/// From one sample to the next, in nanoseconds.
pub const TICK: u64 = 4_000_000;

/// The first moment for a sample after `now`: the same on all CPUs, so that no
/// program is sampled at its own rhythm.
pub fn next_tick(now: u64) -> u64 {
    (now / TICK + 1) * TICK
}

/// How often each was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    pub user: u64,
    pub system: u64,
}

/// What only grows by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Page faults.
    pub faults: u64,
    /// Switches to another thread, for this one went to sleep.
    pub voluntary: u64,
    /// Switches to another thread, for that was due.
    pub involuntary: u64,
}

/// What a thread, or threads together, have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// In nanoseconds.
    pub time: u64,
    pub ticks: Ticks,
    pub counts: Counts,
}

/// CPU time as programs are told it, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub user: u64,
    pub system: u64,
}

/// What programs are told of a process, and of the children it has waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub times: Times,
    pub counts: Counts,
}

impl Times {
    /// What is to be told next: the whole of `time`, divided as the samples are,
    /// but neither part less than was told before.
    #[must_use]
    pub fn next(self, time: u64, ticks: Ticks) -> Times {
        let Some(most) = time
            .checked_sub(self.user)
            .filter(|&most| most >= self.system)
        else {
            return self;
        };
        let share = match (ticks.user, ticks.system) {
            // What was never seen is no part of it.
            (_, 0) => 0,
            (0, _) => time,
            (user, system) => {
                let all = u128::from(user) + u128::from(system);
                (u128::from(time) * u128::from(system) / all) as u64
            }
        };
        let system = share.clamp(self.system, most);
        Times {
            user: time - system,
            system,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.faults += more.faults;
        self.voluntary += more.voluntary;
        self.involuntary += more.involuntary;
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Usage) {
        self.time += more.time;
        self.ticks.user += more.ticks.user;
        self.ticks.system += more.ticks.system;
        self.counts += more.counts;
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, more: Account) {
        self.times.user += more.times.user;
        self.times.system += more.times.system;
        self.counts += more.counts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(user: u64, system: u64) -> Ticks {
        Ticks { user, system }
    }

    #[test]
    fn time_divides_as_the_samples_do() {
        let none = Times::default();
        let told = |user, system| Times { user, system };
        assert_eq!(none.next(1000, ticks(3, 1)), told(750, 250));
        assert_eq!(none.next(1000, ticks(0, 0)), told(1000, 0));
        assert_eq!(none.next(1000, ticks(0, 5)), told(0, 1000));
        let most = u64::MAX;
        assert_eq!(none.next(most, ticks(1 << 40, 1 << 40)).system, most / 2);
    }

    #[test]
    fn no_part_goes_back() {
        let mut told = Times::default();
        let mut random = 7u64;
        let (mut time, mut seen) = (0, ticks(0, 0));
        for _ in 0..10_000 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            time += random >> 44;
            match random >> 62 {
                0 => seen.system += 1,
                1 => seen.user += 1,
                _ => {}
            }
            let next = told.next(time, seen);
            assert!(next.user >= told.user && next.system >= told.system);
            assert_eq!(next.user + next.system, time);
            told = next;
        }
        // A clock that is behind changes nothing.
        assert_eq!(told.next(time - 1, seen), told);
    }

    #[test]
    fn samples_come_at_the_same_moments_everywhere() {
        assert_eq!(next_tick(0), TICK);
        assert_eq!(next_tick(TICK - 1), TICK);
        assert_eq!(next_tick(TICK), 2 * TICK);
    }
}
