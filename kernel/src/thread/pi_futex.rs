//! Locks with priority inheritance (futex(2), "Priority-inheritance futexes").
//!
//! A program takes and lets go of such a lock itself, by its word, which holds the
//! owner's id; it calls only where somebody else has it or waits for it. Who waits
//! for what stands in one table under one lock, for the calls are rare, and so does
//! the decision who is next: the word changes under that lock with page faults off.
//! A waiter sleeps under its own id until the lock is given to it.

use super::futex::{Key, Word, bring_in_to_write};
use super::inheritance::{Bearer, Locks};
use super::{Current, Thread, Tid, registry};
use crate::sched;
use abi::Errno;
use abi::futex::*;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicU8, AtomicUsize};
use machine::copy;
use sync::{SpinLock, WaitError, WaitQueue, rank};

static LOCKS: SpinLock<Locks<Key, Arc<Thread>>, rank::Inheritance> = SpinLock::new(Locks::new());

/// Those who wait or are about to: while it is 0 nobody needs the table. Raised
/// before the holder is looked at, and looked at by a holder after it is marked as
/// ended, so one of the two sees the other.
static COUNT: AtomicUsize = AtomicUsize::new(0);

pub(super) struct Counted;

impl Counted {
    pub(super) fn new() -> Counted {
        COUNT.fetch_add(1, SeqCst);
        Counted
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, SeqCst);
    }
}

const QUEUES: usize = 64;

/// Those who sleep, by their ids.
static SLEEPERS: [WaitQueue<Tid, rank::Futex>; QUEUES] = [const { WaitQueue::new() }; QUEUES];

/// A thread's own part: how its wait stands. Written with the table locked, but for
/// the end and what [`super::requeue_pi`] says of it.
pub struct Waiting(pub(super) AtomicU8);

pub(super) const NOT: u8 = 0;
const WAITS: u8 = 1;
/// It has the lock, and its word says so.
const GIVEN: u8 = 2;
/// It has the lock of one that ended, and is to say so in the word itself.
const INHERITED: u8 = 3;
/// The thread has ended, and takes no lock any more.
const ENDED: u8 = 4;
/// It waits for a word, and to be moved to a lock (see [`super::requeue_pi`]).
pub(super) const PARKED: u8 = 5;

impl Waiting {
    pub const fn new() -> Waiting {
        Waiting(AtomicU8::new(NOT))
    }
}

impl Bearer for Arc<Thread> {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(self, other)
    }

    fn level(&self) -> u8 {
        self.entity.level()
    }

    fn lend(&self, level: u8) {
        sched::lend(self, level);
    }
}

/// What one look at the word, with the table locked, led to.
enum Look {
    Taken,
    /// The caller is among the waiters.
    Waits,
}

/// Takes the lock, or waits for it until `deadline` (nanoseconds since start) if
/// `may_wait`.
///
/// # Errors
/// `EDEADLK` if the caller has it, or its owner waits for the caller; `EAGAIN` if
/// it may not wait; `ESRCH` for an owner that there is not; `ETIMEDOUT`; `EINTR`;
/// `ENOMEM`, `EFAULT`, `EINVAL`.
pub fn lock(
    current: &Current,
    word: Word,
    may_wait: bool,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    let key = Key::new(current, word)?;
    let me = current.arc();
    let _counted = Counted::new();
    let first_look = || {
        // Let go after the table's lock: it may be the last reference.
        let mut _holder = None;
        let mut locks = LOCKS.lock();
        look(&mut locks, &me, (key, word), may_wait, &mut _holder)
    };
    match retry(word, first_look)? {
        Look::Taken => return Ok(0),
        Look::Waits => {}
    }
    let slept = sleep(&me, deadline);
    finish(&me, key, word, slept)
}

/// How a sleep has ended; not at all if there was nothing to sleep for.
pub(super) type Slept = Result<Result<(), WaitError>, ()>;

/// Sleeps as long as the thread, which is the caller, waits.
pub(super) fn sleep(me: &Thread, deadline: Option<u64>) -> Slept {
    let waits = || match me.lock_wait.0.load(Acquire) {
        WAITS | PARKED => Ok(()),
        _ => Err(()),
    };
    let tid = me.tid();
    queue_of(tid).wait_checked(tid, deadline, true, waits)
}

/// What came of the wait for the lock.
pub(super) fn finish(me: &Arc<Thread>, key: Key, word: Word, slept: Slept) -> Result<usize, Errno> {
    let mut locks = LOCKS.lock();
    let state = me.lock_wait.0.swap(NOT, Relaxed);
    if state == WAITS {
        locks.give_up(me);
    }
    drop(locks);
    match (state, slept) {
        (GIVEN, _) => Ok(0),
        (INHERITED, _) => match retry(word, || mark(me, key, word)) {
            Ok(()) => Ok(0),
            Err(error) => {
                // The word is gone: there is nothing to remember it for.
                LOCKS.lock().marked(key);
                Err(error)
            }
        },
        (_, Ok(Err(WaitError::TimedOut))) => Err(Errno::ETIMEDOUT),
        (_, _) => Err(Errno::EINTR),
    }
}

/// Repeats `act` until its word is there; EFAULT if it cannot be.
fn retry<T>(word: Word, act: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match act() {
            Err(Errno::EFAULT) => bring_in_to_write(word.address)?,
            result => return result,
        }
    }
}

fn fetch(word: Word) -> Result<u32, Errno> {
    copy::fetch_u32_nofault(word.address).map_err(|_| Errno::EFAULT)
}

/// False if the word is not `value` any more.
fn exchange(word: Word, value: u32, new: u32) -> Result<bool, Errno> {
    let was = copy::compare_exchange_u32_nofault(word.address, value, new);
    was.map(|was| was == value).map_err(|_| Errno::EFAULT)
}

/// `waiter` is to be moved to the lock: it is given it if it is free, else waits for
/// it. The lock's holder, for the caller to let go.
pub(super) fn enter(
    waiter: &Arc<Thread>,
    key: Key,
    word: Word,
    holder: &mut Option<Arc<Thread>>,
) -> Result<(), Errno> {
    let mut locks = LOCKS.lock();
    if let Look::Taken = look(&mut locks, waiter, (key, word), true, holder)? {
        waiter.lock_wait.0.store(GIVEN, Release);
        wake(waiter);
    }
    Ok(())
}

/// `me` takes the lock, or is among its waiters from now on.
fn look(
    locks: &mut Locks<Key, Arc<Thread>>,
    me: &Arc<Thread>,
    (key, word): (Key, Word),
    may_wait: bool,
    holder: &mut Option<Arc<Thread>>,
) -> Result<Look, Errno> {
    loop {
        let value = fetch(word)?;
        let owner = value & FUTEX_TID_MASK;
        if owner == me.tid() {
            return Err(Errno::EDEADLK);
        }
        // The table knows better than the word, which may have to be marked yet.
        let known = locks.holder(key).cloned();
        if known.is_none() && owner == 0 {
            if exchange(word, value, value & FUTEX_OWNER_DIED | me.tid())? {
                return Ok(Look::Taken);
            }
            continue;
        }
        if !may_wait {
            return Err(Errno::EAGAIN);
        }
        let found = match known {
            Some(holder) => holder,
            None => {
                let found = registry::thread(owner)?;
                if found.lock_wait.0.load(SeqCst) == ENDED {
                    // It looked before: the word stays as it is, or has changed.
                    match fetch(word)? == value {
                        true => return Err(Errno::ESRCH),
                        false => continue,
                    }
                }
                found
            }
        };
        if value & FUTEX_WAITERS == 0 && !exchange(word, value, value | FUTEX_WAITERS)? {
            continue;
        }
        locks.wait(key, holder.insert(found), me)?;
        me.lock_wait.0.store(WAITS, Relaxed);
        return Ok(Look::Waits);
    }
}

/// The caller has got the lock from one that ended: says so in the word.
fn mark(me: &Arc<Thread>, key: Key, word: Word) -> Result<(), Errno> {
    let mut locks = LOCKS.lock();
    loop {
        let value = fetch(word)?;
        let waiters = match locks.has_waiters(key) {
            true => FUTEX_WAITERS,
            false => 0,
        };
        if exchange(word, value, me.tid() | FUTEX_OWNER_DIED | waiters)? {
            locks.marked(key);
            return Ok(());
        }
    }
}

/// Gives the lock to the most urgent who waits for it.
///
/// # Errors
/// `EPERM` if the caller does not have it; `EFAULT`, `EINVAL`.
pub fn unlock(current: &Current, word: Word) -> Result<usize, Errno> {
    let key = Key::new(current, word)?;
    let me = current.arc();
    retry(word, || {
        // Let go after the table's lock: it may be the last reference.
        let mut _next = None;
        let mut locks = LOCKS.lock();
        loop {
            let value = fetch(word)?;
            if value & FUTEX_TID_MASK != me.tid() {
                return Err(Errno::EPERM);
            }
            // Another may stand in the table if the word was written by hand.
            if locks.holder(key).is_some_and(|holder| !holder.is(&me)) {
                return Err(Errno::EINVAL);
            }
            let new = match locks.next(key) {
                None => 0,
                Some((next, false)) => next.tid(),
                Some((next, true)) => next.tid() | FUTEX_WAITERS,
            };
            if exchange(word, value, new)? {
                _next = locks.hand_over(key);
                if let Some(next) = &_next {
                    // Before the lock is let go, so that nobody who is less urgent
                    // runs first, now that the caller is so again.
                    next.lock_wait.0.store(GIVEN, Release);
                    wake(next);
                }
                return Ok(0);
            }
        }
    })
}

fn queue_of(tid: Tid) -> &'static WaitQueue<Tid, rank::Futex> {
    &SLEEPERS[tid as usize % QUEUES]
}

fn wake(thread: &Thread) {
    let tid = thread.tid();
    queue_of(tid).wake_if(1, |&sleeper| sleeper == tid);
}

/// The thread ends, or its program does, with what it has not let go of; after the
/// list of its robust locks was walked.
pub(super) fn release(current: &Current, ends: bool) {
    if ends {
        current.lock_wait.0.store(ENDED, SeqCst);
    }
    if COUNT.load(SeqCst) == 0 {
        return;
    }
    let me = current.arc();
    let mut locks = LOCKS.lock();
    locks.end(&me, |next| {
        next.lock_wait.0.store(INHERITED, Release);
        wake(&next);
    });
}

/// A thread's own urgency was changed: so is what it lends.
pub fn urgency_changed(thread: &Arc<Thread>) {
    if COUNT.load(SeqCst) != 0 {
        LOCKS.lock().changed(thread);
    }
}
