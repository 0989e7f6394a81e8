//! Time (clock_gettime(2), nanosleep(2)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const CLOCK_REALTIME: usize = 0;
pub const CLOCK_MONOTONIC: usize = 1;
pub const CLOCK_PROCESS_CPUTIME_ID: usize = 2;
pub const CLOCK_THREAD_CPUTIME_ID: usize = 3;
pub const CLOCK_MONOTONIC_RAW: usize = 4;
pub const CLOCK_REALTIME_COARSE: usize = 5;
pub const CLOCK_MONOTONIC_COARSE: usize = 6;
pub const CLOCK_BOOTTIME: usize = 7;

pub const CLOCK_REALTIME_ALARM: usize = 8;
pub const CLOCK_BOOTTIME_ALARM: usize = 9;
pub const CLOCK_TAI: usize = 11;

/// In the id of a clock of CPU time, which is negative: which time is meant, ...
pub const CPUCLOCK_KIND: i32 = 3;
pub const CPUCLOCK_PROF: i32 = 0;
pub const CPUCLOCK_VIRT: i32 = 1;
pub const CPUCLOCK_SCHED: i32 = 2;
/// ... that it is a thread's and not a process's, ...
pub const CPUCLOCK_THREAD: i32 = 4;
/// ... and from this bit on the complement of its id.
pub const CPUCLOCK_ID_SHIFT: u32 = 3;

/// The unit of times(2), `AT_CLKTCK` of them a second.
pub const NANOS_PER_TICK: u64 = 10_000_000;

pub const TIMER_ABSTIME: usize = 1;

/// The timers of setitimer(2): by the time, by CPU time in user mode, by all CPU time.
pub const ITIMER_REAL: usize = 0;
pub const ITIMER_VIRTUAL: usize = 1;
pub const ITIMER_PROF: usize = 2;

#[repr(C)]
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
pub struct Timespec {
    pub sec: i64,
    pub nsec: i64,
}

impl Timespec {
    pub const fn from_nanos(nanos: u64) -> Timespec {
        Timespec {
            sec: (nanos / 1_000_000_000) as i64,
            nsec: (nanos % 1_000_000_000) as i64,
        }
    }

    /// In nanoseconds, cut off at the largest; `None` if negative or not normal.
    pub const fn to_nanos(self) -> Option<u64> {
        if self.sec < 0 || self.nsec < 0 || self.nsec >= 1_000_000_000 {
            return None;
        }
        Some(
            (self.sec as u64)
                .saturating_mul(1_000_000_000)
                .saturating_add(self.nsec as u64),
        )
    }
}

/// `struct itimerspec` (timer_settime(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct ITimerSpec {
    pub interval: Timespec,
    /// When the timer expires first; zero: not at all.
    pub value: Timespec,
}

/// `struct timeval`.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Timeval {
    pub sec: i64,
    pub usec: i64,
}

impl Timeval {
    pub const fn from_nanos(nanos: u64) -> Timeval {
        Timeval {
            sec: (nanos / 1_000_000_000) as i64,
            usec: (nanos % 1_000_000_000 / 1000) as i64,
        }
    }

    /// In nanoseconds.
    pub const fn to_nanos(self) -> u64 {
        self.sec as u64 * 1_000_000_000 + self.usec as u64 * 1000
    }

    /// As [`Timespec::to_nanos`], for one that is given.
    pub const fn checked_nanos(self) -> Option<u64> {
        if self.usec < 0 || self.usec >= 1_000_000 {
            return None;
        }
        let nsec = self.usec * 1000;
        Timespec {
            sec: self.sec,
            nsec,
        }
        .to_nanos()
    }
}

/// `struct itimerval` (setitimer(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct ITimerVal {
    pub interval: Timeval,
    pub value: Timeval,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos() {
        assert_eq!(
            Timespec::from_nanos(1_500_000_000),
            Timespec {
                sec: 1,
                nsec: 500_000_000
            }
        );
        assert_eq!(
            Timespec {
                sec: 1,
                nsec: 1_000_000_000
            }
            .to_nanos(),
            None
        );
        assert_eq!(Timespec { sec: -1, nsec: 0 }.to_nanos(), None);
        assert_eq!(
            Timespec {
                sec: i64::MAX,
                nsec: 0
            }
            .to_nanos(),
            Some(u64::MAX)
        );
    }
}
