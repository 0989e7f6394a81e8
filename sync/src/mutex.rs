//! The mutex: mutual exclusion for critical sections that may sleep.
//!
//! Purpose: what is held across I/O or a page fault. Key types: [`Mutex`],
//! [`MutexGuard`]. Locks: its own rank is a sleeping one; those who wait for it
//! are in a wait queue of rank `LockQueue`, under whose lock WAITERS changes.
//!
//! A running thread may take the lock before one that was just woken for it,
//! which saves a switch for each critical section of a thread that comes back
//! often. One that was woken in vain queues again in front of all others, and
//! then the lock is handed to it directly: nobody is passed by for ever.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::facade::{AtomicU32, Ordering, UnsafeCell, const_fn, set_bits};
use crate::rank::{self, Kind, Order, Rank};
use crate::wait_queue::{LAST, Place, WaitQueue};
use crate::{preempt, rank::LockQueue};

const LOCKED: u32 = 1;
/// The queue may have waiters: the release has to look.
const WAITERS: u32 = 2;

/// Mutual exclusion by sleeping.
pub struct Mutex<T: ?Sized, R: Rank> {
    word: AtomicU32,
    queue: WaitQueue<Turn, LockQueue>,
    rank: PhantomData<fn() -> R>,
    value: UnsafeCell<T>,
}

/// What a waiter and the one who releases tell each other.
#[derive(Clone, Copy)]
struct Turn {
    /// It was woken once and found the lock taken again.
    passed_by: bool,
    /// The lock was not released but given to it.
    given: bool,
}

// SAFETY: the lock hands `&mut T` to one thread at a time, so it moves values of
// T between threads but never shares them.
unsafe impl<T: ?Sized + Send, R: Rank> Send for Mutex<T, R> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send, R: Rank> Sync for Mutex<T, R> {}

impl<T, R: Rank> Mutex<T, R> {
    const_fn! {
        /// An unlocked mutex around `value`.
        pub fn new(value: T) -> Self {
            Self {
                word: AtomicU32::new(0),
                queue: WaitQueue::new(),
                rank: PhantomData,
                value: UnsafeCell::new(value),
            }
        }
    }

    /// The value, without the lock.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized, R: Rank> Mutex<T, R> {
    const SLEEPS: () = assert!(
        matches!(R::KIND, Kind::Sleeping),
        "a mutex needs a rank whose kind is Sleeping"
    );

    /// Takes the mutex, sleeping while another thread has it.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> MutexGuard<'_, T, R> {
        self.acquire(Order::Strict)
    }

    /// As [`Mutex::lock`], while mutexes of the same rank may be held. The
    /// caller keeps an order among these, which the rank's line states.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock_nested(&self) -> MutexGuard<'_, T, R> {
        self.acquire(Order::Nested)
    }

    /// Takes two different mutexes of one rank, in the order of their addresses.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock_both<'a>(
        first: &'a Self,
        second: &'a Self,
    ) -> (MutexGuard<'a, T, R>, MutexGuard<'a, T, R>) {
        if first.address() < second.address() {
            let guard = first.lock();
            (guard, second.lock_nested())
        } else {
            let guard = second.lock();
            (first.lock_nested(), guard)
        }
    }

    /// Takes the mutex if it is free at this moment.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T, R>> {
        self.try_acquire().then(|| self.guard())
    }

    /// The value; the exclusive borrow stands for the lock.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self` means that there is no guard.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    fn address(&self) -> *const () {
        (&raw const self.word).cast()
    }

    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn acquire(&self, order: Order) -> MutexGuard<'_, T, R> {
        let () = Self::SLEEPS;
        preempt::might_sleep();
        rank::taking::<R>(self.address(), order);
        if !self.try_acquire() {
            self.wait();
        }
        self.guard()
    }

    /// The mutex was just acquired.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn guard(&self) -> MutexGuard<'_, T, R> {
        rank::taken::<R>(self.address());
        MutexGuard {
            mutex: self,
            not_send: PhantomData,
        }
    }

    /// Setting one bit and asking for the old one is a single `lock bts`.
    #[inline(always)]
    fn try_acquire(&self) -> bool {
        set_bits(&self.word, LOCKED, Ordering::Acquire) & LOCKED == 0
    }

    #[cold]
    fn wait(&self) {
        let mut turn = Turn {
            passed_by: false,
            given: false,
        };
        loop {
            let place = if turn.passed_by {
                Place::Front
            } else {
                Place::Back
            };
            // If this gets the lock, WAITERS may be set with nobody waiting;
            // the release looks at the queue, and clears it.
            let slept = self.queue.wait_at((place, LAST), turn, None, false, || {
                match set_bits(&self.word, LOCKED | WAITERS, Ordering::Acquire) & LOCKED {
                    0 => Err(()),
                    _ => Ok(()),
                }
            });
            match slept {
                Err(_) => return,
                Ok((_, turn)) if turn.given => return,
                Ok(_) if self.try_acquire() => return,
                Ok(_) => turn.passed_by = true,
            }
        }
    }

    #[inline(always)]
    fn release(&self) {
        let alone = self
            .word
            .compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed);
        if alone.is_err() {
            self.release_to_waiter();
        }
    }

    /// While the mutex and its queue are locked, nobody changes the word.
    #[cold]
    fn release_to_waiter(&self) {
        self.queue.with_lock(|waiters| {
            let Some(turn) = waiters.front() else {
                self.word.store(0, Ordering::Release);
                return;
            };
            turn.given = turn.passed_by;
            let kept = if turn.given { LOCKED } else { 0 };
            // The rest of the word is written first where the lock becomes free,
            // so that the one who is woken finds it so.
            self.word.store(kept | WAITERS, Ordering::Release);
            waiters.wake_front();
            if waiters.is_empty() {
                self.word.fetch_and(!WAITERS, Ordering::Relaxed);
            }
        });
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for Mutex<T, R> {
    /// Names the rank, not the value: printing must not wait for a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mutex<{}>", R::NAME)
    }
}

/// The mutex is held while it lives.
#[must_use = "the mutex is released when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized, R: Rank> {
    mutex: &'a Mutex<T, R>,
    /// The thread that took it releases it.
    not_send: PhantomData<*mut ()>,
}

// SAFETY: a shared guard gives `&T` and nothing else.
unsafe impl<T: ?Sized + Sync, R: Rank> Sync for MutexGuard<'_, T, R> {}

impl<T: ?Sized, R: Rank> Deref for MutexGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the mutex, so nobody else reaches the value.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized, R: Rank> DerefMut for MutexGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard has the mutex and is borrowed exclusively.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized, R: Rank> Drop for MutexGuard<'_, T, R> {
    #[inline(always)]
    fn drop(&mut self) {
        rank::released::<R>(self.mutex.address());
        self.mutex.release();
    }
}
