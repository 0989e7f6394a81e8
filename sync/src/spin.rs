//! The spin lock: one word, taken by one instruction.
//!
//! Purpose: short critical sections. Key types: [`SpinLock`], [`SpinGuard`].
//! Locks: the rank in the type says where it stands and whether interrupts are
//! off while it is held; preemption always is. May call nothing that sleeps.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::facade::{
    AtomicU32, Gate, Ordering, Passage, UnsafeCell, const_fn, set_bits, spin_loop,
};
use crate::hold::Hold;
use crate::rank::{Order, Rank};

const LOCKED: u32 = 1;

/// Mutual exclusion by spinning; unfair (see [`crate::TicketLock`]).
pub struct SpinLock<T: ?Sized, R: Rank> {
    word: AtomicU32,
    gate: Gate,
    rank: PhantomData<fn() -> R>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands `&mut T` to one thread at a time, so it moves values of
// T between threads but never shares them.
unsafe impl<T: ?Sized + Send, R: Rank> Send for SpinLock<T, R> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send, R: Rank> Sync for SpinLock<T, R> {}

impl<T, R: Rank> SpinLock<T, R> {
    const_fn! {
        /// An unlocked lock around `value`.
        pub fn new(value: T) -> Self {
            Self::with_gate(Gate::open(), value)
        }
    }

    const_fn! {
        /// As `new`, for what is modelled on the assumption that this lock works.
        pub(crate) fn assumed(value: T) -> Self {
            Self::with_gate(Gate::blocking(), value)
        }
    }

    const_fn! {
        fn with_gate(gate: Gate, value: T) -> Self {
            Self {
                word: AtomicU32::new(0),
                gate,
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

impl<T: ?Sized, R: Rank> SpinLock<T, R> {
    /// Takes the lock, spinning while another CPU has it.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> SpinGuard<'_, T, R> {
        self.acquire(Order::Strict)
    }

    /// As [`SpinLock::lock`], while locks of the same rank may be held. The
    /// caller keeps an order among these, which the rank's line states.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock_nested(&self) -> SpinGuard<'_, T, R> {
        self.acquire(Order::Nested)
    }

    /// Takes two different locks of one rank, in the order of their addresses.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock_both<'a>(
        first: &'a Self,
        second: &'a Self,
    ) -> (SpinGuard<'a, T, R>, SpinGuard<'a, T, R>) {
        if first.address() < second.address() {
            let guard = first.lock();
            (guard, second.lock_nested())
        } else {
            let guard = second.lock();
            (first.lock_nested(), guard)
        }
    }

    /// Takes the lock if it is free at this moment.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T, R>> {
        let hold = Hold::enter();
        let passage = self.gate.pass();
        if self.try_acquire() {
            hold.taken(self.address());
            Some(SpinGuard {
                lock: self,
                hold,
                _passage: passage,
            })
        } else {
            hold.leave();
            None
        }
    }

    /// The value; the exclusive borrow stands for the lock.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self` means that there is no guard.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    /// Whether somebody has the lock; out of date as soon as it is known.
    pub fn is_locked(&self) -> bool {
        self.word.load(Ordering::Relaxed) != 0
    }

    fn address(&self) -> *const () {
        (&raw const self.word).cast()
    }

    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn acquire(&self, order: Order) -> SpinGuard<'_, T, R> {
        Hold::<R>::taking(self.address(), order);
        let hold = Hold::enter();
        let passage = self.gate.pass();
        if !self.try_acquire() {
            self.wait();
        }
        hold.taken(self.address());
        SpinGuard {
            lock: self,
            hold,
            _passage: passage,
        }
    }

    /// Setting one bit and asking for the old one is a single `lock bts`.
    #[inline(always)]
    fn try_acquire(&self) -> bool {
        set_bits(&self.word, LOCKED, Ordering::Acquire) & LOCKED == 0
    }

    /// Spins by reading, so that the waiters' caches share the line.
    #[cold]
    fn wait(&self) {
        loop {
            while self.word.load(Ordering::Relaxed) != 0 {
                spin_loop();
            }
            if self.try_acquire() {
                return;
            }
        }
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for SpinLock<T, R> {
    /// Names the rank, not the value: printing must not wait for a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpinLock<{}>", R::NAME)
    }
}

/// The lock is held while it lives.
#[must_use = "the lock is released when the guard is dropped"]
pub struct SpinGuard<'a, T: ?Sized, R: Rank> {
    lock: &'a SpinLock<T, R>,
    hold: Hold<R>,
    _passage: Passage<'a>,
}

// SAFETY: a shared guard gives `&T` and nothing else.
unsafe impl<T: ?Sized + Sync, R: Rank> Sync for SpinGuard<'_, T, R> {}

impl<T: ?Sized, R: Rank> Deref for SpinGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the lock, so nobody else reaches the value.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized, R: Rank> DerefMut for SpinGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard has the lock and is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized, R: Rank> Drop for SpinGuard<'_, T, R> {
    #[inline(always)]
    fn drop(&mut self) {
        self.hold.releasing(self.lock.address());
        self.lock.word.store(0, Ordering::Release);
        self.hold.leave();
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for SpinGuard<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
