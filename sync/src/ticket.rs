//! The ticket lock: first come, first served.
//!
//! Purpose: short critical sections that many CPUs contend for, where a
//! [`crate::SpinLock`] could pass one by. Key types: [`TicketLock`],
//! [`TicketGuard`]. Locks: as the rank in the type says.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::facade::{AtomicU32, Ordering, UnsafeCell, const_fn, spin_loop};
use crate::hold::Hold;
use crate::rank::{Order, Rank};

/// Mutual exclusion by spinning, fair by ticket.
pub struct TicketLock<T: ?Sized, R: Rank> {
    /// The next ticket to be drawn. Both counters wrap; only equality counts.
    next: AtomicU32,
    /// The ticket that has the lock, or will have it when it is drawn.
    serving: AtomicU32,
    rank: PhantomData<fn() -> R>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands `&mut T` to one thread at a time, so it moves values of
// T between threads but never shares them.
unsafe impl<T: ?Sized + Send, R: Rank> Send for TicketLock<T, R> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send, R: Rank> Sync for TicketLock<T, R> {}

impl<T, R: Rank> TicketLock<T, R> {
    const_fn! {
        /// An unlocked lock around `value`.
        pub fn new(value: T) -> Self {
            Self::starting_at(0, value)
        }
    }

    const_fn! {
        /// As `new`, with the counters anywhere: they wrap.
        fn starting_at(ticket: u32, value: T) -> Self {
            Self {
                next: AtomicU32::new(ticket),
                serving: AtomicU32::new(ticket),
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

impl<T: ?Sized, R: Rank> TicketLock<T, R> {
    /// Draws a ticket and spins until it is served.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> TicketGuard<'_, T, R> {
        self.acquire(Order::Strict)
    }

    /// As [`TicketLock::lock`], while locks of the same rank may be held. The
    /// caller keeps an order among these, which the rank's line states.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock_nested(&self) -> TicketGuard<'_, T, R> {
        self.acquire(Order::Nested)
    }

    /// Takes the lock if nobody has it or waits for it.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_lock(&self) -> Option<TicketGuard<'_, T, R>> {
        let hold = Hold::enter();
        let ticket = self.serving.load(Ordering::Acquire);
        let drawn = self.next.compare_exchange(
            ticket,
            ticket.wrapping_add(1),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if drawn.is_ok() {
            hold.taken(self.address());
            Some(TicketGuard { lock: self, hold })
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

    fn address(&self) -> *const () {
        (&raw const self.next).cast()
    }

    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn acquire(&self, order: Order) -> TicketGuard<'_, T, R> {
        Hold::<R>::taking(self.address(), order);
        let hold = Hold::enter();
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != ticket {
            self.wait(ticket);
        }
        hold.taken(self.address());
        TicketGuard { lock: self, hold }
    }

    #[cold]
    fn wait(&self, ticket: u32) {
        while self.serving.load(Ordering::Acquire) != ticket {
            spin_loop();
        }
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for TicketLock<T, R> {
    /// Names the rank, not the value: printing must not wait for a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketLock<{}>", R::NAME)
    }
}

/// The lock is held while it lives.
#[must_use = "the lock is released when the guard is dropped"]
pub struct TicketGuard<'a, T: ?Sized, R: Rank> {
    lock: &'a TicketLock<T, R>,
    hold: Hold<R>,
}

// SAFETY: a shared guard gives `&T` and nothing else.
unsafe impl<T: ?Sized + Sync, R: Rank> Sync for TicketGuard<'_, T, R> {}

impl<T: ?Sized, R: Rank> Deref for TicketGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the lock, so nobody else reaches the value.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized, R: Rank> DerefMut for TicketGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard has the lock and is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized, R: Rank> Drop for TicketGuard<'_, T, R> {
    #[inline(always)]
    fn drop(&mut self) {
        self.hold.releasing(self.lock.address());
        // Only the holder writes it, so a load and a store are one step.
        let ticket = self.lock.serving.load(Ordering::Relaxed);
        self.lock
            .serving
            .store(ticket.wrapping_add(1), Ordering::Release);
        self.hold.leave();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::rank;

    #[test]
    fn the_counters_wrap() {
        let lock = TicketLock::<u32, rank::Group>::starting_at(u32::MAX - 1, 0);
        for _ in 0..4 {
            *lock.lock() += 1;
            assert!(lock.try_lock().is_some());
        }
        assert_eq!(lock.into_inner(), 4);
    }
}
