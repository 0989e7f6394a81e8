//! A timer that expires at a moment, and from then on in intervals: what the
//! timers of processes and of descriptors are made of.
//!
//! Its setting is under its own lock, which is held while it expires: who has
//! stopped it knows that nothing comes any more. Queues hold timers that are
//! set ([`timers`]); a timer enters and leaves them under its own lock only.

use super::{timers, wall};
use alloc::sync::Arc;
use core::sync::atomic::AtomicU32;
use sync::heap::Hook;
use sync::{SpinLock, rank};

/// What a timer does. Called with the timer's lock held, so it sets none.
pub trait Expires: Send + Sync {
    /// The timer has expired, `count` times since it was last said.
    fn expired(&self, count: u64);
}

/// Which clock absolute times are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The time since start.
    Steady,
    Wall,
}

/// A moment of one of the two clocks that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// By the time since start.
    Steady(u64),
    /// By the wall clock, whatever it is set to meanwhile.
    Wall(u64),
}

/// When a timer expires next, and how long after that again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Nanoseconds until it expires; 0 if it is not set.
    pub time: u64,
    /// 0: it expires once.
    pub interval: u64,
}

/// An interval shorter than this is waited for together with those that
/// follow: a timer does not take all of a CPU.
const SHORTEST: u64 = 50_000;

/// See the module.
pub struct Timer {
    hook: Hook<Timer>,
    /// The CPU whose queue it is in. Changes under the lock of the setting.
    pub(super) cpu: AtomicU32,
    setting: SpinLock<Setting, rank::Timer>,
    target: Arc<dyn Expires>,
}

sync::hooked!(Timer: 0 => hook);

/// When it expires next, by its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setting {
    next: Option<Moment>,
    interval: u64,
}

impl Timer {
    /// A timer that is not set.
    pub fn new(target: Arc<dyn Expires>) -> Timer {
        Timer {
            hook: Hook::new(),
            cpu: AtomicU32::new(0),
            setting: SpinLock::new(Setting {
                next: None,
                interval: 0,
            }),
            target,
        }
    }

    /// Sets it, or stops it; what was left of the setting before. `between` runs
    /// while neither expires.
    pub fn set_and(
        self: &Arc<Self>,
        next: Option<Moment>,
        interval: u64,
        between: impl FnOnce(),
    ) -> Left {
        let mut setting = self.setting.lock();
        let removed = timers::remove(self);
        let left = setting.left();
        *setting = Setting { next, interval };
        between();
        if let Some(next) = next {
            timers::insert(self, next);
        }
        drop(setting);
        drop(removed);
        left
    }

    /// Sets it, or stops it; what was left of the setting before.
    pub fn set(self: &Arc<Self>, next: Option<Moment>, interval: u64) -> Left {
        self.set_and(next, interval, || {})
    }

    pub fn left(&self) -> Left {
        self.setting.lock().left()
    }

    /// How often it has expired since it last did something, if it does so
    /// again and again: then that is said here, and nothing is done. `undo` takes
    /// back what it has just done, if it has, and says for how many times; nothing
    /// expires meanwhile.
    pub fn catch_up(self: &Arc<Self>, undo: impl FnOnce() -> u64) -> u64 {
        let mut setting = self.setting.lock();
        if setting.interval == 0 {
            return 0;
        }
        let removed = timers::remove(self);
        let count = self.go_on(&mut setting).saturating_add(undo());
        drop(setting);
        drop(removed);
        count
    }

    /// Its moment has come, says the queue that it was in.
    pub(super) fn expire(self: &Arc<Self>) {
        let mut setting = self.setting.lock();
        // It may have been set anew meanwhile.
        let removed = timers::remove(self);
        let count = self.go_on(&mut setting);
        if count > 0 {
            self.target.expired(count);
        }
        drop(setting);
        drop(removed);
    }

    /// Goes past the moments that have come, and waits for the next; how many.
    fn go_on(self: &Arc<Self>, setting: &mut Setting) -> u64 {
        let count = setting.pass();
        match setting.next {
            Some(next) if count == 0 => timers::insert(self, next),
            Some(next) => timers::insert(self, next.at_least_in(SHORTEST)),
            None => {}
        }
        count
    }
}

impl Setting {
    /// Goes past the moments that have come; how many they were.
    fn pass(&mut self) -> u64 {
        let Some(next) = self.next else {
            return 0;
        };
        let (count, after) = passed(next.time(), self.interval, next.now());
        if count > 0 {
            self.next = after.map(|time| next.with_time(time));
        }
        count
    }

    fn left(&self) -> Left {
        let time = self.next.map_or(0, |next| {
            let (at, now) = (next.time(), next.now());
            let (_, after) = passed(at, self.interval, now);
            // One that is about to expire is still set.
            after.unwrap_or(at).saturating_sub(now).max(1)
        });
        Left {
            time,
            interval: self.interval,
        }
    }
}

/// How many of the moments `at`, `at + interval`, … have come, and the first
/// that has not.
pub(crate) fn passed(at: u64, interval: u64, now: u64) -> (u64, Option<u64>) {
    match now.checked_sub(at) {
        None => (0, Some(at)),
        Some(_) if interval == 0 => (1, None),
        Some(late) => {
            let count = late / interval + 1;
            let after = interval
                .checked_mul(count)
                .and_then(|span| at.checked_add(span));
            (count, Some(after.unwrap_or(u64::MAX)))
        }
    }
}

impl Moment {
    /// What a program means by `time`, which counts from now on unless it is an
    /// `absolute` one of `clock`; none by 0.
    pub fn of(time: u64, absolute: bool, clock: Clock) -> Option<Moment> {
        match (time, absolute, clock) {
            (0, ..) => None,
            (time, true, Clock::Wall) => Some(Moment::Wall(time)),
            (time, true, Clock::Steady) => Some(Moment::Steady(time)),
            (time, false, _) => {
                let moment = machine::time::now().saturating_add(time);
                Some(Moment::Steady(moment))
            }
        }
    }

    pub(super) fn time(self) -> u64 {
        match self {
            Moment::Steady(time) | Moment::Wall(time) => time,
        }
    }

    fn with_time(self, time: u64) -> Moment {
        match self {
            Moment::Steady(_) => Moment::Steady(time),
            Moment::Wall(_) => Moment::Wall(time),
        }
    }

    fn now(self) -> u64 {
        match self {
            Moment::Steady(_) => machine::time::now(),
            Moment::Wall(_) => wall::now(),
        }
    }

    fn at_least_in(self, span: u64) -> Moment {
        let earliest = self.now().saturating_add(span);
        self.with_time(self.time().max(earliest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_pass_one_by_one_or_together() {
        assert_eq!(passed(10, 0, 9), (0, Some(10)));
        assert_eq!(passed(10, 0, 10), (1, None));
        assert_eq!(passed(10, 0, u64::MAX), (1, None));
        assert_eq!(passed(10, 5, 9), (0, Some(10)));
        assert_eq!(passed(10, 5, 10), (1, Some(15)));
        assert_eq!(passed(10, 5, 14), (1, Some(15)));
        assert_eq!(passed(10, 5, 15), (2, Some(20)));
        assert_eq!(passed(10, 1, 1_000_000), (999_991, Some(1_000_001)));
    }

    #[test]
    fn the_end_of_time_is_not_passed() {
        assert_eq!(passed(0, u64::MAX, 7), (1, Some(u64::MAX)));
        assert_eq!(passed(5, u64::MAX, 7), (1, Some(u64::MAX)));
        assert_eq!(
            passed(0, 1 << 63, u64::MAX - 1),
            (2, Some(u64::MAX)),
            "as far as the clock goes"
        );
    }

    #[test]
    fn what_is_left_counts_from_now() {
        let setting = |next, interval| Setting { next, interval }.left();
        assert_eq!(setting(None, 0), Left::default());
        let far = machine::time::now() + 1_000_000_000_000;
        let left = setting(Some(Moment::Steady(far)), 3);
        assert!(left.time > 900_000_000_000 && left.time <= 1_000_000_000_000);
        assert_eq!(left.interval, 3);
        // Its moment has come, and nobody has looked yet.
        assert_eq!(setting(Some(Moment::Steady(0)), 0).time, 1);
    }
}
