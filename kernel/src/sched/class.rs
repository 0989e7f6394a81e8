//! How a thread is to be scheduled (sched(7)): what programs ask for, and what it
//! means for a run queue, as plain numbers.
//!
//! A *level* says who runs first: real-time priorities from 99 down to 1 are
//! levels 0 to 98, and all others, who share the CPU fairly, stand behind them. A
//! *weight* is a fair thread's share.

use abi::Errno;
use abi::sched::*;

/// What sched_setscheduler and setpriority set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    pub kind: Kind,
    /// Of a real-time thread, 1 to 99; else 0.
    pub priority: u8,
    /// -20 to 19. Kept by a real-time thread, for when it is none any more.
    pub nice: i8,
    /// Children start as ordinary threads.
    pub resets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Other = SCHED_OTHER as u8,
    Fifo = SCHED_FIFO as u8,
    RoundRobin = SCHED_RR as u8,
    Batch = SCHED_BATCH as u8,
    Idle = SCHED_IDLE as u8,
}

/// Levels below this are real-time ones.
pub const FAIR: u8 = 100;
/// Does not preempt on waking up.
const BATCH: u8 = 101;
/// Gives way to all that wake up.
const IDLE: u8 = 102;
/// Of a CPU that runs nothing.
pub const NOTHING: u8 = u8::MAX;

/// How long a thread of `SCHED_RR` runs before its equals, in nanoseconds.
pub const ROUND: u64 = 100_000_000;

/// What time is multiplied by, in units of 2^-20, to make it a key: less for who is
/// to have more of it.
pub type Scale = u32;
pub const SCALE_ONE: Scale = 1 << 20;

impl Class {
    pub const OTHER: Class = Class {
        kind: Kind::Other,
        priority: 0,
        nice: 0,
        resets: false,
    };

    /// Reads a policy's number and a priority: EINVAL if they do not go together.
    pub fn new(policy: u32, priority: i32, nice: i8) -> Result<Class, Errno> {
        let resets = policy & SCHED_RESET_ON_FORK != 0;
        let kind = match policy & !SCHED_RESET_ON_FORK {
            SCHED_OTHER => Kind::Other,
            SCHED_FIFO => Kind::Fifo,
            SCHED_RR => Kind::RoundRobin,
            SCHED_BATCH => Kind::Batch,
            SCHED_IDLE => Kind::Idle,
            _ => return Err(Errno::EINVAL),
        };
        if !kind.priorities().contains(&priority) {
            return Err(Errno::EINVAL);
        }
        Ok(Class {
            kind,
            priority: priority as u8,
            nice,
            resets,
        })
    }

    /// As sched_getscheduler tells it.
    pub fn policy(self) -> u32 {
        let reset = if self.resets { SCHED_RESET_ON_FORK } else { 0 };
        self.kind as u32 | reset
    }

    pub fn is_real_time(self) -> bool {
        self.priority > 0
    }

    pub fn level(self) -> u8 {
        match self.kind {
            Kind::Fifo | Kind::RoundRobin => PRIORITY_MAX - self.priority,
            Kind::Other => FAIR,
            Kind::Batch => BATCH,
            Kind::Idle => IDLE,
        }
    }

    pub fn scale(self) -> Scale {
        match self.kind {
            // A key is no concern of real-time threads.
            Kind::Fifo | Kind::RoundRobin => 0,
            Kind::Idle => SCALES[39] * 5,
            Kind::Other | Kind::Batch => SCALES[(self.nice + 20) as usize],
        }
    }

    /// What a child starts with.
    pub fn child(self) -> Class {
        match self.resets {
            false => self,
            true if self.is_real_time() => Class::OTHER,
            true => Class {
                nice: self.nice.max(0),
                resets: false,
                ..self
            },
        }
    }

    /// In one word, for [`Class::unpack`].
    pub(super) fn pack(self) -> u32 {
        u32::from_le_bytes([
            self.kind as u8,
            self.priority,
            self.nice as u8,
            self.resets.into(),
        ])
    }

    pub(super) fn unpack(word: u32) -> Class {
        let [kind, priority, nice, resets] = word.to_le_bytes();
        let kind = match u32::from(kind) {
            SCHED_FIFO => Kind::Fifo,
            SCHED_RR => Kind::RoundRobin,
            SCHED_BATCH => Kind::Batch,
            SCHED_IDLE => Kind::Idle,
            _ => Kind::Other,
        };
        Class {
            kind,
            priority,
            nice: nice as i8,
            resets: resets != 0,
        }
    }
}

impl Kind {
    /// The priorities that go with it.
    pub fn priorities(self) -> core::ops::RangeInclusive<i32> {
        match self {
            Kind::Fifo | Kind::RoundRobin => 1..=i32::from(PRIORITY_MAX),
            Kind::Other | Kind::Batch | Kind::Idle => 0..=0,
        }
    }
}

/// Whether a thread that wakes at `woken` runs before one at `running`, whatever
/// time they have had; `None` if that decides.
pub fn preempts(woken: u8, running: u8) -> Option<bool> {
    match (woken, running) {
        (FAIR, FAIR | BATCH) => None,
        (FAIR | BATCH, IDLE) => Some(true),
        (BATCH | IDLE, _) => Some(false),
        _ => Some(woken < running),
    }
}

/// By nice values from -20 on. One step of nice is a quarter more time.
static SCALES: [Scale; 40] = {
    let mut scales = [0; 40];
    let mut index = 0;
    while index < 40 {
        let steps = 20usize.abs_diff(index);
        let (mut top, mut bottom, mut step) = (SCALE_ONE as u128, 1u128, 0);
        while step < steps {
            if index < 20 {
                top *= 4;
                bottom *= 5;
            } else {
                top *= 5;
                bottom *= 4;
            }
            step += 1;
        }
        scales[index] = (top / bottom) as Scale;
        index += 1;
    }
    scales
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_and_priorities_go_together() {
        for policy in [SCHED_FIFO, SCHED_RR] {
            assert_eq!(Class::new(policy, 99, 0).map(Class::level), Ok(0));
            assert_eq!(Class::new(policy, 1, 0).map(Class::level), Ok(98));
            for bad in [0, 100, -1, i32::MAX] {
                assert_eq!(Class::new(policy, bad, 0), Err(Errno::EINVAL));
            }
        }
        for policy in [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE] {
            assert!(Class::new(policy, 0, 3).is_ok_and(|class| class.level() >= FAIR));
            assert_eq!(Class::new(policy, 1, 0), Err(Errno::EINVAL));
        }
        for bad in [4, 6, 7, u32::MAX] {
            assert_eq!(Class::new(bad, 0, 0), Err(Errno::EINVAL));
        }
    }

    #[test]
    fn a_class_is_one_word() {
        for policy in [0, 1, 2, 3, 5] {
            let priority = i32::from(policy == 1 || policy == 2);
            for nice in [-20, 0, 19] {
                for flag in [0, SCHED_RESET_ON_FORK] {
                    let class = Class::new(policy | flag, priority, nice).unwrap();
                    assert_eq!(Class::unpack(class.pack()), class);
                    assert_eq!(class.policy(), policy | flag);
                }
            }
        }
    }

    #[test]
    fn children_that_start_anew() {
        let class = |policy, priority, nice| Class::new(policy, priority, nice).unwrap();
        let reset = SCHED_RESET_ON_FORK;
        assert_eq!(class(SCHED_FIFO, 5, -3).child(), class(SCHED_FIFO, 5, -3));
        assert_eq!(class(SCHED_FIFO | reset, 5, 3).child(), Class::OTHER);
        assert_eq!(class(reset, 0, -3).child(), Class::OTHER);
        assert_eq!(
            class(SCHED_BATCH | reset, 0, 7).child(),
            class(SCHED_BATCH, 0, 7)
        );
    }

    #[test]
    fn a_step_of_nice_is_a_quarter() {
        assert_eq!(SCALES[20], SCALE_ONE);
        for pair in SCALES.windows(2) {
            let ratio = f64::from(pair[1]) / f64::from(pair[0]);
            assert!((1.2499..1.2501).contains(&ratio), "{ratio}");
        }
        let idle = Class::new(SCHED_IDLE, 0, 0).unwrap();
        assert!(idle.scale() > SCALES[39]);
    }

    #[test]
    fn who_preempts_on_waking() {
        assert_eq!(preempts(5, 6), Some(true));
        assert_eq!(preempts(5, 5), Some(false));
        assert_eq!(preempts(98, FAIR), Some(true));
        assert_eq!(preempts(FAIR, 98), Some(false));
        assert_eq!(preempts(FAIR, FAIR), None);
        assert_eq!(preempts(BATCH, FAIR), Some(false));
        assert_eq!(preempts(FAIR, IDLE), Some(true));
        assert_eq!(preempts(IDLE, IDLE), Some(false));
        assert_eq!(preempts(IDLE, NOTHING), Some(false));
    }
}
