//! Who holds a lock with priority inheritance, who waits for it, and what urgency
//! the holders are lent: as data, for [`super::pi_futex`].
//!
//! A lock is known here only while somebody waits for it. Its holder runs at least
//! as urgently as the most urgent of the waiters, and if it waits itself, so does
//! the holder of that lock, and so on. Nothing here is long: locks are looked for
//! one after the other.

use abi::Errno;
use alloc::vec::Vec;

/// A thread, as far as this goes.
pub trait Bearer: Clone {
    fn is(&self, other: &Self) -> bool;
    /// How urgent it is now, the smaller, the more.
    fn level(&self) -> u8;
    /// Makes it at least that urgent, whatever it was lent before.
    fn lend(&self, level: u8);
}

/// As far as a chain of holders that wait is followed (Linux's limit, too).
const LONGEST: usize = 1024;

struct Lock<K, T> {
    key: K,
    holder: T,
    /// In the order they came.
    waiters: Vec<T>,
    /// The holder has got it from one that ended, and has yet to mark the word.
    unmarked: bool,
}

pub struct Locks<K, T> {
    locks: Vec<Lock<K, T>>,
}

impl<K: PartialEq + Copy, T: Bearer> Locks<K, T> {
    pub const fn new() -> Self {
        Locks { locks: Vec::new() }
    }

    fn find(&self, key: K) -> Option<usize> {
        self.locks.iter().position(|lock| lock.key == key)
    }

    /// The holder of a lock that somebody waits for.
    pub fn holder(&self, key: K) -> Option<&T> {
        self.find(key).map(|index| &self.locks[index].holder)
    }

    pub fn has_waiters(&self, key: K) -> bool {
        self.find(key)
            .is_some_and(|index| !self.locks[index].waiters.is_empty())
    }

    /// Has `waiter` wait for a lock that `holder` has.
    ///
    /// # Errors
    /// `EDEADLK` if the holder waits, over any number of locks, for the waiter;
    /// `ENOMEM`. Then nothing is changed.
    pub fn wait(&mut self, key: K, holder: &T, waiter: &T) -> Result<(), Errno> {
        let mut at = Some(holder);
        for _ in 0..LONGEST {
            match at {
                Some(thread) if thread.is(waiter) => return Err(Errno::EDEADLK),
                Some(thread) => at = self.waited_for(thread).map(|lock| &lock.holder),
                None => break,
            }
        }
        if at.is_some() {
            return Err(Errno::EDEADLK);
        }
        let no_memory = |_| Errno::ENOMEM;
        match self.find(key) {
            Some(index) => {
                let waiters = &mut self.locks[index].waiters;
                waiters.try_reserve(1).map_err(no_memory)?;
                waiters.push(waiter.clone());
            }
            None => {
                let mut waiters = Vec::new();
                waiters.try_reserve(4).map_err(no_memory)?;
                waiters.push(waiter.clone());
                self.locks.try_reserve(1).map_err(no_memory)?;
                self.locks.push(Lock {
                    key,
                    holder: holder.clone(),
                    waiters,
                    unmarked: false,
                });
            }
        }
        self.lend(holder.clone());
        Ok(())
    }

    /// `waiter` waits no more, and has not got the lock.
    pub fn give_up(&mut self, waiter: &T) {
        let waits = |lock: &Lock<K, T>| lock.waiters.iter().any(|other| other.is(waiter));
        let Some(index) = self.locks.iter().position(waits) else {
            return;
        };
        let lock = &mut self.locks[index];
        lock.waiters.retain(|other| !other.is(waiter));
        let holder = lock.holder.clone();
        self.forget_idle(index);
        self.lend(holder);
    }

    /// Who is to get the lock next: the most urgent waiter, the first of its equals.
    /// And whether others go on waiting.
    pub fn next(&self, key: K) -> Option<(&T, bool)> {
        let waiters = &self.locks[self.find(key)?].waiters;
        let next = waiters.iter().min_by_key(|waiter| waiter.level())?;
        Some((next, waiters.len() > 1))
    }

    /// Makes [`Locks::next`] the holder; it, for it is to be woken.
    pub fn hand_over(&mut self, key: K) -> Option<T> {
        let index = self.find(key)?;
        self.pass_on(index, false)
    }

    /// `holder` ends: its locks go to those who are next, each called `woken`.
    pub fn end(&mut self, holder: &T, mut woken: impl FnMut(T)) {
        let held = |lock: &Lock<K, T>| lock.holder.is(holder) && !lock.waiters.is_empty();
        while let Some(index) = self.locks.iter().position(held) {
            if let Some(next) = self.pass_on(index, true) {
                woken(next);
            }
        }
        self.locks.retain(|lock| !lock.holder.is(holder));
    }

    /// The new holder has marked the word.
    pub fn marked(&mut self, key: K) {
        if let Some(index) = self.find(key) {
            self.locks[index].unmarked = false;
            self.forget_idle(index);
        }
    }

    /// The urgency of `thread` has changed.
    pub fn changed(&mut self, thread: &T) {
        if let Some(lock) = self.waited_for(thread) {
            self.lend(lock.holder.clone());
        }
    }

    fn waited_for(&self, waiter: &T) -> Option<&Lock<K, T>> {
        let waits = |lock: &&Lock<K, T>| lock.waiters.iter().any(|other| other.is(waiter));
        self.locks.iter().find(waits)
    }

    fn pass_on(&mut self, index: usize, unmarked: bool) -> Option<T> {
        let lock = &mut self.locks[index];
        let by_level = lock.waiters.iter().enumerate();
        let (at, _) = by_level.min_by_key(|(_, waiter)| waiter.level())?;
        let next = lock.waiters.remove(at);
        let before = core::mem::replace(&mut lock.holder, next.clone());
        lock.unmarked = unmarked;
        self.forget_idle(index);
        self.lend(before);
        self.lend(next.clone());
        Some(next)
    }

    fn forget_idle(&mut self, index: usize) {
        let lock = &self.locks[index];
        if lock.waiters.is_empty() && !lock.unmarked {
            self.locks.swap_remove(index);
        }
    }

    /// Lends `holder` the urgency of the most urgent that waits for any of its
    /// locks, and passes the change on.
    fn lend(&self, mut holder: T) {
        for _ in 0..LONGEST {
            let held = self.locks.iter().filter(|lock| lock.holder.is(&holder));
            let waiters = held.flat_map(|lock| &lock.waiters);
            let most = waiters.map(Bearer::level).min().unwrap_or(u8::MAX);
            let before = holder.level();
            holder.lend(most);
            if holder.level() == before {
                return;
            }
            match self.waited_for(&holder) {
                Some(lock) => holder = lock.holder.clone(),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
