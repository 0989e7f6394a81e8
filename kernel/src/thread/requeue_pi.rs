//! Waiting for a word, and then for a lock with priority inheritance: condition
//! variables whose mutex is such a lock (futex(2), `FUTEX_WAIT_REQUEUE_PI`).
//!
//! A waiter names the lock it wants to come back with. Who signals moves it there
//! without waking it: it is given the lock if that is free, and waits for it like
//! all others if not. Waiters stand in one list, for they are few.

use super::futex::{self, Key, Word, bring_in_to_write};
use super::pi_futex::{self, Counted, NOT, PARKED};
use super::{Current, Thread};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed};
use sync::{SpinLock, WaitError, rank};

struct Waiter {
    /// Its number, which rises.
    ticket: u64,
    thread: Arc<Thread>,
    word: Key,
    lock: Key,
}

struct Waiters {
    /// In the order they came. A thread in it is `PARKED`, and none else is.
    list: Vec<Waiter>,
    next_ticket: u64,
}

static WAITERS: SpinLock<Waiters, rank::Requeue> = SpinLock::new(Waiters {
    list: Vec::new(),
    next_ticket: 0,
});

/// How many there are, for those who only look.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Sleeps while `word` is `expected`, until the lock at `lock` is taken on the
/// caller's behalf, or until `deadline` (nanoseconds since start).
///
/// # Errors
/// `EAGAIN` if the word differs, or for a signal once the caller waits for the
/// lock; `ETIMEDOUT`; `EINTR`; `EINVAL`, `EFAULT`, `ENOMEM`.
pub fn wait(
    current: &Current,
    word: Word,
    expected: u32,
    lock: Word,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    let (key, target) = keys(current, word, lock)?;
    let me = current.arc();
    let _counted = Counted::new();
    while let Err(error) = park(&me, key, target, || futex::check(word.address, expected)) {
        match error {
            Errno::EFAULT => futex::bring_in(word.address)?,
            error => return Err(error),
        }
    }
    let slept = pi_futex::sleep(&me, deadline);
    if leave(&me) {
        return Err(match slept {
            Ok(Err(WaitError::TimedOut)) => Errno::ETIMEDOUT,
            _ => Errno::EINTR,
        });
    }
    match pi_futex::finish(&me, target, lock, slept) {
        // Signalled it is, so it must not wait for the word again.
        Err(Errno::EINTR) => Err(Errno::EAGAIN),
        result => result,
    }
}

/// Two words: EINVAL if they are one, and as [`Key::new`].
fn keys(current: &Current, word: Word, lock: Word) -> Result<(Key, Key), Errno> {
    let (key, target) = (Key::new(current, word)?, Key::new(current, lock)?);
    match key == target {
        true => Err(Errno::EINVAL),
        false => Ok((key, target)),
    }
}

/// Adds `me` to the waiters if `check` allows.
fn park(
    me: &Arc<Thread>,
    word: Key,
    lock: Key,
    check: impl FnOnce() -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut waiters = WAITERS.lock();
    check()?;
    waiters.list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    let ticket = waiters.next_ticket;
    waiters.next_ticket += 1;
    waiters.list.push(Waiter {
        ticket,
        thread: me.clone(),
        word,
        lock,
    });
    COUNT.store(waiters.list.len(), Relaxed);
    me.lock_wait.0.store(PARKED, Relaxed);
    Ok(())
}

/// Takes `me` out of the waiters; false if somebody has moved it to its lock.
fn leave(me: &Arc<Thread>) -> bool {
    let mut waiters = WAITERS.lock();
    if me.lock_wait.0.load(Acquire) != PARKED {
        return false;
    }
    me.lock_wait.0.store(NOT, Relaxed);
    let list = &mut waiters.list;
    let place = list.iter().position(|it| Arc::ptr_eq(&it.thread, me));
    let own = place.map(|at| list.remove(at));
    COUNT.store(list.len(), Relaxed);
    drop(waiters);
    drop(own);
    true
}

/// Moves the most urgent waiter on `word`, and up to `more` others, to `lock`, if
/// `word` is `expected`; how many.
///
/// # Errors
/// `EAGAIN` if the word differs; `EINVAL` if a waiter wants another lock, or none;
/// `EDEADLK`, `ESRCH`, `ENOMEM`, `EFAULT`.
pub fn requeue(
    current: &Current,
    word: Word,
    more: usize,
    lock: Word,
    expected: u32,
) -> Result<usize, Errno> {
    let (key, target) = keys(current, word, lock)?;
    if futex::is_waited_for(key) {
        return Err(Errno::EINVAL);
    }
    // Those who come later do not wait for what is told now.
    let end = loop {
        let waiters = WAITERS.lock();
        match futex::check(word.address, expected) {
            Ok(()) => break waiters.next_ticket,
            Err(Errno::EFAULT) => {}
            Err(error) => return Err(error),
        }
        drop(waiters);
        futex::bring_in(word.address)?;
    };
    let mut moved = 0;
    while moved <= more {
        match move_one(key, end, target, lock) {
            Ok(true) => moved += 1,
            Ok(false) => break,
            Err(Errno::EFAULT) => bring_in_to_write(lock.address)?,
            Err(_) if moved > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

/// Moves the most urgent of the waiters with tickets below `end`; false if there is
/// none.
fn move_one(word: Key, end: u64, target: Key, lock: Word) -> Result<bool, Errno> {
    // Let go after the locks: they may be the last references.
    let (mut _waiter, mut _holder) = (None, None);
    let mut waiters = WAITERS.lock();
    let all = waiters.list.iter().enumerate();
    let meant = all.filter(|(_, it)| it.word == word && it.ticket < end);
    let first = meant.min_by_key(|(_, it)| it.thread.entity.level());
    let Some((at, first)) = first else {
        return Ok(false);
    };
    if first.lock != target {
        return Err(Errno::EINVAL);
    }
    pi_futex::enter(&first.thread, target, lock, &mut _holder)?;
    _waiter = Some(waiters.list.remove(at));
    COUNT.store(waiters.list.len(), Relaxed);
    Ok(true)
}

/// Whether somebody waits for the word who must not be woken otherwise.
pub(super) fn is_waited_for(word: Key) -> bool {
    COUNT.load(Relaxed) != 0 && WAITERS.lock().list.iter().any(|it| it.word == word)
}
