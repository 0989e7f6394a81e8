//! The scheduler of tests: `std` threads on the host, loom's threads in a model.
//!
//! Purpose: whatever sleeps can run in `cargo test` as it is. Key types:
//! [`HostScheduler`], [`HostThread`]. Locks: none.
//!
//! On the host the first use installs it unless another was installed before.
//! Under loom the clock stands still until [`set_clock`] moves it, so that a
//! model decides when a time-out falls due and every order of it is explored.

use std::sync::{Arc, OnceLock};
#[cfg(not(loom))]
use std::time::Duration;

use super::{Erased, Scheduler};
use crate::rank::Chain;

#[cfg(loom)]
use loom::sync::{
    Notify,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
#[cfg(not(loom))]
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::Thread,
};

/// A thread of the host or of a model.
pub struct HostThread {
    token: Token,
    interrupted: AtomicBool,
    held: Chain,
}

impl HostThread {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            token: Token::new(),
            interrupted: AtomicBool::new(false),
            held: Chain::new(),
        })
    }

    /// Makes the thread leave interruptible sleeps, as a kill does.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        self.unpark();
    }

    /// Lets the thread sleep again.
    pub fn forget_interrupt(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// Leaves a token with the thread.
    pub fn unpark(&self) {
        self.token.leave();
    }
}

/// What `unpark` leaves and `park` takes. Not left to `std` alone, whose own
/// token other code in the same thread may take.
#[cfg(not(loom))]
struct Token {
    thread: Thread,
    there: AtomicBool,
}

#[cfg(not(loom))]
impl Token {
    fn new() -> Self {
        Self {
            thread: std::thread::current(),
            there: AtomicBool::new(false),
        }
    }

    fn leave(&self) {
        self.there.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Waits for it; `rest` says how many nanoseconds are left, if they count.
    fn take(&self, rest: impl Fn() -> Option<u64>) {
        while !self.there.swap(false, Ordering::Acquire) {
            match rest() {
                None => std::thread::park(),
                Some(0) => return,
                Some(rest) => std::thread::park_timeout(Duration::from_nanos(rest)),
            }
        }
    }
}

/// Loom's token, with which a model explores spurious returns as well.
#[cfg(loom)]
struct Token(Notify);

#[cfg(loom)]
impl Token {
    fn new() -> Self {
        Self(Notify::new())
    }

    fn leave(&self) {
        self.0.notify();
    }

    /// The clock of a model wakes nobody by itself; see [`set_clock`].
    fn take(&self, rest: impl Fn() -> Option<u64>) {
        if rest() != Some(0) {
            self.0.wait();
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    static CURRENT: Arc<HostThread> = HostThread::new();
}
#[cfg(loom)]
loom::thread_local! {
    static CURRENT: Arc<HostThread> = HostThread::new();
}
#[cfg(loom)]
loom::lazy_static! {
    static ref CLOCK: AtomicU64 = AtomicU64::new(0);
}

/// The calling thread.
pub fn current() -> Arc<HostThread> {
    CURRENT.with(Arc::clone)
}

/// Moves a model's clock; whoever sleeps on it has to be unparked as well.
#[cfg(loom)]
pub fn set_clock(now: u64) {
    CLOCK.store(now, Ordering::Release);
}

/// [`Scheduler`] over [`HostThread`]s.
#[derive(Debug)]
pub struct HostScheduler;

impl Scheduler for HostScheduler {
    type Thread = HostThread;

    fn current(&self) -> Arc<HostThread> {
        current()
    }

    fn park(&self, deadline: Option<u64>) {
        CURRENT.with(|current| {
            current
                .token
                .take(|| deadline.map(|deadline| deadline.saturating_sub(Scheduler::now(self))));
        });
    }

    fn unpark(&self, thread: Arc<HostThread>) {
        thread.unpark();
        // What the trait promises: the sleeper, which has one, is still here.
        assert!(Arc::strong_count(&thread) > 1, "the sleeper has left");
    }

    fn interrupted(&self) -> bool {
        CURRENT.with(|current| current.interrupted.load(Ordering::Acquire))
    }

    fn preempt(&self) {
        crate::preempt::take_request();
        std::thread::yield_now();
    }

    #[cfg(not(loom))]
    fn now(&self) -> u64 {
        static START: OnceLock<std::time::Instant> = OnceLock::new();
        let elapsed = START.get_or_init(std::time::Instant::now).elapsed();
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    #[cfg(loom)]
    fn now(&self) -> u64 {
        CLOCK.load(Ordering::Acquire)
    }

    fn with_held(&self, access: impl FnOnce(&Chain)) {
        CURRENT.with(|current| access(&current.held));
    }
}

static INSTALLED: OnceLock<&'static dyn Erased> = OnceLock::new();

/// Installs another scheduler for ever, before anything has slept.
///
/// # Panics
/// If one is installed or in use already: references to its threads may exist.
pub fn install<S: Scheduler>(scheduler: &'static S) {
    assert!(
        INSTALLED.set(scheduler).is_ok(),
        "the scheduler is installed once, before its first use"
    );
}

/// The scheduler; without [`install`] it is [`HostScheduler`].
pub(crate) fn installed() -> Option<&'static dyn Erased> {
    Some(*INSTALLED.get_or_init(|| &HostScheduler))
}
