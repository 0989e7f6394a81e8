//! The readers-writer lock: many readers or one writer, both may sleep.
//!
//! Purpose: what is read often and in parallel, such as the regions of an
//! address space under page faults. Key types: [`RwLock`], [`ReadGuard`],
//! [`WriteGuard`]. Locks: its own rank is a sleeping one; those who wait for it
//! are in a wait queue of rank `LockQueue`, under whose lock WAITERS changes.
//!
//! It is fair: as soon as one waits, all who come queue behind it, and the lock
//! is handed over in that order, to one writer or to all readers in a row.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use crate::facade::{AtomicU32, Ordering, UnsafeCell, const_fn};
use crate::rank::{self, Kind, Order, Rank};
use crate::wait_queue::{LAST, Place, WaitQueue, Waiters};
use crate::{preempt, rank::LockQueue};

const WRITER: u32 = 1;
/// The queue has waiters. Outside its lock this is exactly so; while its lock is
/// held, it may be set without, to keep everybody off the short ways.
const WAITERS: u32 = 2;
/// One reader; their count is the rest of the word.
const READER: u32 = 4;

/// Shared or exclusive access by sleeping.
pub struct RwLock<T: ?Sized, R: Rank> {
    word: AtomicU32,
    queue: WaitQueue<Access, LockQueue>,
    rank: PhantomData<fn() -> R>,
    value: UnsafeCell<T>,
}

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Shared,
    Exclusive,
}

// SAFETY: the lock moves values of T between threads.
unsafe impl<T: ?Sized + Send, R: Rank> Send for RwLock<T, R> {}
// SAFETY: readers share `&T`, and a writer has `&mut T` alone.
unsafe impl<T: ?Sized + Send + Sync, R: Rank> Sync for RwLock<T, R> {}

impl<T, R: Rank> RwLock<T, R> {
    const_fn! {
        /// An unlocked lock around `value`.
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

impl<T: ?Sized, R: Rank> RwLock<T, R> {
    const SLEEPS: () = assert!(
        matches!(R::KIND, Kind::Sleeping),
        "a readers-writer lock needs a rank whose kind is Sleeping"
    );

    /// Takes the lock for reading; behind whoever waits already.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn read(&self) -> ReadGuard<'_, T, R> {
        self.may_wait();
        if !self.try_acquire_shared() {
            self.wait(Access::Shared);
        }
        self.read_guard()
    }

    /// Takes the lock for writing; behind whoever waits already.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn write(&self) -> WriteGuard<'_, T, R> {
        self.may_wait();
        if !self.try_acquire_exclusive() {
            self.wait(Access::Exclusive);
        }
        self.write_guard()
    }

    /// Takes the lock for reading if that is possible without waiting.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_read(&self) -> Option<ReadGuard<'_, T, R>> {
        self.try_acquire_shared().then(|| self.read_guard())
    }

    /// Takes the lock for writing if that is possible without waiting.
    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn try_write(&self) -> Option<WriteGuard<'_, T, R>> {
        self.try_acquire_exclusive().then(|| self.write_guard())
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
    fn may_wait(&self) {
        let () = Self::SLEEPS;
        preempt::might_sleep();
        rank::taking::<R>(self.address(), Order::Strict);
    }

    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn read_guard(&self) -> ReadGuard<'_, T, R> {
        rank::taken::<R>(self.address());
        ReadGuard {
            lock: self,
            not_send: PhantomData,
        }
    }

    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    fn write_guard(&self) -> WriteGuard<'_, T, R> {
        rank::taken::<R>(self.address());
        WriteGuard {
            lock: self,
            not_send: PhantomData,
        }
    }

    #[inline(always)]
    fn try_acquire_shared(&self) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & (WRITER | WAITERS) == 0 {
            match self.word.compare_exchange_weak(
                word,
                word + READER,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[inline(always)]
    fn try_acquire_exclusive(&self) -> bool {
        self.word
            .compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Queues and sleeps, unless the lock has become free.
    #[cold]
    fn wait(&self, access: Access) {
        // Whoever wakes a waiter has handed the lock to it.
        let _ = self
            .queue
            .wait_at((Place::Back, LAST), access, None, false, || {
                self.enter_queue(access)
            });
    }

    /// Under the queue's lock: says that there are waiters, or acquires (the
    /// error). From the first line on, the word changes only by readers who
    /// leave; everybody else goes by the queue's lock.
    fn enter_queue(&self, access: Access) -> Result<(), ()> {
        let before = self.word.fetch_or(WAITERS, Ordering::Acquire);
        match access {
            Access::Shared if before & (WRITER | WAITERS) == 0 => {
                // One more reader, and no waiters as before.
                self.word.fetch_add(READER - WAITERS, Ordering::Acquire);
                Err(())
            }
            Access::Exclusive if before == 0 => {
                self.word.store(WRITER, Ordering::Relaxed);
                Err(())
            }
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn release_shared(&self) {
        let before = self.word.fetch_sub(READER, Ordering::Release);
        if before == READER | WAITERS {
            self.hand_over();
        }
    }

    #[inline(always)]
    fn release_exclusive(&self) {
        let alone = self
            .word
            .compare_exchange(WRITER, 0, Ordering::Release, Ordering::Relaxed);
        if alone.is_err() {
            self.leave_writing(0);
        }
    }

    /// A writer leaves, with waiters: it frees the lock, or keeps it as one of
    /// `readers`, and hands over what it can.
    #[cold]
    fn leave_writing(&self, readers: u32) {
        self.queue.with_lock(|waiters| {
            // WAITERS was seen, is exact outside the queue's lock, and keeps
            // all others from changing the word.
            self.word.store(WAITERS | readers, Ordering::Release);
            self.hand_to(waiters);
        });
    }

    #[cold]
    fn hand_over(&self) {
        self.queue.with_lock(|waiters| self.hand_to(waiters));
    }

    /// Gives the lock to as many of the longest waiters as can have it now. With
    /// WAITERS set and the queue locked, only readers change the word.
    fn hand_to(&self, waiters: &mut Waiters<'_, Access, LockQueue>) {
        while let Some(&mut access) = waiters.front() {
            // Acquire: what the last holder did comes before what the next does.
            let word = self.word.load(Ordering::Acquire);
            match access {
                Access::Exclusive if word == WAITERS => {
                    self.word.store(WRITER | WAITERS, Ordering::Relaxed);
                }
                Access::Shared if word & WRITER == 0 => {
                    self.word.fetch_add(READER, Ordering::Relaxed);
                }
                _ => return,
            }
            waiters.wake_front();
        }
        self.word.fetch_and(!WAITERS, Ordering::Relaxed);
    }
}

impl<T: ?Sized + fmt::Debug, R: Rank> fmt::Debug for RwLock<T, R> {
    /// Names the rank, not the value: printing must not wait for a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RwLock<{}>", R::NAME)
    }
}

/// The lock is held for reading while it lives.
#[must_use = "the lock is released when the guard is dropped"]
pub struct ReadGuard<'a, T: ?Sized, R: Rank> {
    lock: &'a RwLock<T, R>,
    /// The thread that took it releases it.
    not_send: PhantomData<*mut ()>,
}

/// The lock is held for writing while it lives.
#[must_use = "the lock is released when the guard is dropped"]
pub struct WriteGuard<'a, T: ?Sized, R: Rank> {
    lock: &'a RwLock<T, R>,
    /// The thread that took it releases it.
    not_send: PhantomData<*mut ()>,
}

// SAFETY: a shared guard gives `&T` and nothing else.
unsafe impl<T: ?Sized + Sync, R: Rank> Sync for ReadGuard<'_, T, R> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync, R: Rank> Sync for WriteGuard<'_, T, R> {}

impl<'a, T: ?Sized, R: Rank> WriteGuard<'a, T, R> {
    /// Goes on as a reader; no writer comes in between.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn downgrade(self) -> ReadGuard<'a, T, R> {
        let lock = self.lock;
        core::mem::forget(self);
        let alone =
            lock.word
                .compare_exchange(WRITER, READER, Ordering::Release, Ordering::Relaxed);
        if alone.is_err() {
            lock.leave_writing(READER);
        }
        // In the chain of held locks it stays where it was taken.
        ReadGuard {
            lock,
            not_send: PhantomData,
        }
    }
}

impl<T: ?Sized, R: Rank> Deref for ReadGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives there are readers only.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized, R: Rank> Deref for WriteGuard<'_, T, R> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the lock, so nobody else reaches the value.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized, R: Rank> DerefMut for WriteGuard<'_, T, R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard has the lock and is borrowed exclusively.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized, R: Rank> Drop for ReadGuard<'_, T, R> {
    #[inline(always)]
    fn drop(&mut self) {
        rank::released::<R>(self.lock.address());
        self.lock.release_shared();
    }
}

impl<T: ?Sized, R: Rank> Drop for WriteGuard<'_, T, R> {
    #[inline(always)]
    fn drop(&mut self) {
        rank::released::<R>(self.lock.address());
        self.lock.release_exclusive();
    }
}
