//! Wait queues: where threads sleep until something is so.
//!
//! Purpose: the one way to sleep, on which everything else that sleeps is built.
//! Key types: [`WaitQueue`], [`WaitError`], [`Waiters`]. Locks: each queue has
//! one spin lock of the rank in its type; the scheduler's locks are taken inside
//! it. `waiting` is written under it and read without it.
//!
//! Every wait registers, then checks, then sleeps; so whoever changes what is
//! waited for and then wakes finds the waiter, or the waiter finds the change. A
//! wake and a time-out (or an interruption) that race are decided under the
//! lock, and the wake wins: it is never spent on one who has left.

mod list;
mod registered;
mod waiters;

use core::convert::Infallible;
use core::ptr;

pub(crate) use list::Place;
pub use list::{LAST, Urgency};
use list::{List, Node};
use registered::Registered;
pub use waiters::Waiters;

use crate::facade::{AtomicU32, Ordering, const_fn, fence};
use crate::rank::{self, Rank};
use crate::scheduler;
use crate::{preempt, spin};

/// As many are woken before the lock is let go for a moment.
const BATCH: usize = 32;

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitError {
    /// The thread is killed or has a signal to deliver.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
}

/// Threads that sleep, first come first woken among those that are as urgent, each
/// with a payload by which wakers can choose.
pub struct WaitQueue<P = (), R: Rank = rank::WaitQueue> {
    /// How many are in the list, or hold the lock to enter it: what a waker
    /// looks at before it takes the lock.
    waiting: AtomicU32,
    list: spin::SpinLock<List<P>, R>,
}

impl<P, R: Rank> WaitQueue<P, R> {
    const_fn! {
        /// An empty queue.
        pub fn new() -> Self {
            Self {
                waiting: AtomicU32::new(0),
                list: spin::SpinLock::assumed(List::new()),
            }
        }
    }

    /// Checks under the queue's lock and, if `check` allows, sleeps until woken.
    ///
    /// A waker that changes what `check` looks at and then wakes (or does both
    /// in [`WaitQueue::with_lock`]) finds this waiter, or is seen by `check`.
    ///
    /// # Errors
    /// The outer error is that of `check`: the caller never slept. The inner one
    /// says why it left without a wake; `Ok(Ok(()))` means that exactly one wake
    /// was spent on it.
    pub fn wait_checked<E>(
        &self,
        payload: P,
        deadline: Option<u64>,
        interruptible: bool,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Result<(), WaitError>, E> {
        self.wait_urgent(LAST, payload, deadline, interruptible, check)
    }

    /// As [`WaitQueue::wait_checked`], woken before all that are less urgent.
    ///
    /// # Errors
    /// As there.
    pub fn wait_urgent<E>(
        &self,
        urgency: Urgency,
        payload: P,
        deadline: Option<u64>,
        interruptible: bool,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Result<(), WaitError>, E> {
        match self.wait_exchanging(urgency, payload, deadline, interruptible, check) {
            Ok((ended, _)) => Ok(ended),
            Err((error, _)) => Err(error),
        }
    }

    /// As [`WaitQueue::wait_urgent`], and gives the payload back as wakers left it:
    /// by that they and the waiter hand something to each other.
    ///
    /// # Errors
    /// As there.
    #[allow(
        clippy::type_complexity,
        reason = "how it ended, with the payload in either case"
    )]
    pub fn wait_exchanging<E>(
        &self,
        urgency: Urgency,
        payload: P,
        deadline: Option<u64>,
        interruptible: bool,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(Result<(), WaitError>, P), (E, P)> {
        let place = (Place::Back, urgency);
        self.wait_at(place, payload, deadline, interruptible, check)
    }

    /// As [`WaitQueue::wait_exchanging`], at a place of the caller's choice.
    ///
    /// # Errors
    /// As there.
    #[allow(
        clippy::type_complexity,
        reason = "how it ended, with the payload in either case"
    )]
    pub(crate) fn wait_at<E>(
        &self,
        (place, urgency): (Place, Urgency),
        payload: P,
        deadline: Option<u64>,
        interruptible: bool,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(Result<(), WaitError>, P), (E, P)> {
        preempt::might_sleep();
        let scheduler = scheduler::get();
        let node = Node::new(scheduler.current(), payload, urgency);
        let registered = {
            let mut waiters = self.lock();
            // Counted before the check: a waker that comes after the check and
            // does not see the count could not be seen by the check either.
            waiters.count(1);
            fence(Ordering::SeqCst);
            if let Err(error) = check() {
                waiters.uncount(1);
                drop(waiters);
                return Err((error, node.into_payload()));
            }
            // SAFETY: the node is new, and `registered` takes it out of the
            // list before it goes.
            unsafe { waiters.insert(&node, place) }
        };
        let ended = registered.sleep(scheduler, deadline, interruptible);
        Ok((ended, node.into_payload()))
    }

    /// Wakes the longest waiter; false if there is none.
    #[inline]
    pub fn wake_one(&self) -> bool {
        self.has_waiters() && self.lock().wake_front()
    }

    /// Wakes all who wait now; says how many. Nobody holds the queue's lock for
    /// long, so waiters that leave meanwhile by themselves are not counted.
    pub fn wake_all(&self) -> usize {
        self.wake_if(usize::MAX, |_| true)
    }

    /// Wakes those who wait now and whose payload `filter` accepts, in order, up
    /// to `max`; says how many. It may ask about one waiter several times.
    pub fn wake_if(&self, max: usize, mut filter: impl FnMut(&P) -> bool) -> usize {
        if !self.has_waiters() {
            return 0;
        }
        let mut woken = 0;
        let mut limit = None;
        loop {
            let mut waiters = self.lock();
            let limit = *limit.get_or_insert(waiters.next_sequence());
            let batch = BATCH.min(max - woken);
            let now = waiters.wake_some(batch, limit, &mut |payload| filter(payload));
            woken += now;
            if now < batch || woken == max {
                return woken;
            }
        }
    }

    /// Wakes the longest waiter or, if there is none, runs `otherwise` under the
    /// queue's lock; says whether it woke one.
    pub fn wake_one_or(&self, otherwise: impl FnOnce()) -> bool {
        let mut waiters = self.lock();
        let woken = waiters.wake_front();
        if !woken {
            otherwise();
        }
        woken
    }

    /// Runs `access` with the queue locked.
    #[inline]
    pub fn with_lock<A>(&self, access: impl FnOnce(&mut Waiters<'_, P, R>) -> A) -> A {
        access(&mut self.lock())
    }

    /// Wakes up to `wake_max` of the waiters that `filter` accepts, and moves up
    /// to `move_max` of the others of these to their place in `to`, each payload
    /// changed by `change`; in order and in one step. Says how many were woken
    /// and moved. `to` may be the same queue: then the payloads are changed in
    /// place.
    ///
    /// `to` is static because a waiter that gives up looks for the queue it is
    /// on, and may find one that it has just been moved away from.
    pub fn requeue(
        &self,
        to: &'static Self,
        wake_max: usize,
        move_max: usize,
        filter: impl FnMut(&P) -> bool,
        change: impl FnMut(&mut P),
    ) -> (usize, usize) {
        let check = || Ok::<(), Infallible>(());
        match self.requeue_checked(to, check, wake_max, move_max, filter, change) {
            Ok(done) => done,
            Err(never) => match never {},
        }
    }

    /// As [`WaitQueue::requeue`], if `check` allows; it runs with both queues
    /// locked.
    ///
    /// # Errors
    /// That of `check`; then nothing was done.
    pub fn requeue_checked<E>(
        &self,
        to: &'static Self,
        check: impl FnOnce() -> Result<(), E>,
        wake_max: usize,
        move_max: usize,
        filter: impl FnMut(&P) -> bool,
        change: impl FnMut(&mut P),
    ) -> Result<(usize, usize), E> {
        if ptr::eq(self, to) {
            let mut waiters = self.lock();
            check()?;
            return Ok(waiters.move_some(None, wake_max, move_max, filter, change));
        }
        let (from, target) = spin::SpinLock::lock_both(&self.list, &to.list);
        let mut from = Waiters::new(self, from);
        let mut target = Waiters::new(to, target);
        // As in `wait_at`: those who will have been moved count from here on.
        target.count(1);
        fence(Ordering::SeqCst);
        let checked = check();
        let done =
            checked.map(|()| from.move_some(Some(&mut target), wake_max, move_max, filter, change));
        target.uncount(1);
        done
    }

    /// Whether there may be waiters. The fence stands between what the caller
    /// has changed and this look; its partner is in `wait_at` and `register`.
    #[inline]
    fn has_waiters(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::Relaxed) != 0
    }

    #[inline]
    #[cfg_attr(debug_assertions, track_caller)]
    fn lock(&self) -> Waiters<'_, P, R> {
        Waiters::new(self, self.list.lock())
    }
}

impl<R: Rank> WaitQueue<(), R> {
    /// Sleeps until `condition` gives something, whatever happens meanwhile.
    /// Whoever changes what it looks at wakes the queue afterwards.
    pub fn wait_until<T>(&self, condition: impl FnMut() -> Option<T>) -> T {
        match self.wait_for(condition, None, false) {
            Ok(value) => value,
            Err(_) => unreachable!("the wait has no deadline and no interruption"),
        }
    }

    /// As [`WaitQueue::wait_until`], until the deadline or an interruption.
    ///
    /// # Errors
    /// Why it left; `condition` had nothing to give when it was last asked.
    pub fn wait_interruptible<T>(
        &self,
        condition: impl FnMut() -> Option<T>,
        deadline: Option<u64>,
    ) -> Result<T, WaitError> {
        self.wait_for(condition, deadline, true)
    }

    /// Registers, drops `held` and sleeps until woken: for one who has looked,
    /// under the lock whose guard is `held`, at what changes only under it.
    ///
    /// # Errors
    /// Why it left without a wake.
    pub fn wait_releasing<G>(
        &self,
        held: G,
        deadline: Option<u64>,
        interruptible: bool,
    ) -> Result<(), WaitError> {
        let scheduler = scheduler::get();
        let node = Node::new(scheduler.current(), (), LAST);
        let registered = self.register(&node);
        drop(held);
        preempt::might_sleep();
        registered.sleep(scheduler, deadline, interruptible)
    }

    fn wait_for<T>(
        &self,
        mut condition: impl FnMut() -> Option<T>,
        deadline: Option<u64>,
        interruptible: bool,
    ) -> Result<T, WaitError> {
        preempt::might_sleep();
        // The look that saves the registration if there is nothing to wait for.
        if let Some(value) = condition() {
            return Ok(value);
        }
        let scheduler = scheduler::get();
        loop {
            let node = Node::new(scheduler.current(), (), LAST);
            let registered = self.register(&node);
            fence(Ordering::SeqCst);
            if let Some(value) = condition() {
                registered.withdraw();
                return Ok(value);
            }
            registered.sleep(scheduler, deadline, interruptible)?;
            // Looked at once more before the next registration: mostly it is so.
            if let Some(value) = condition() {
                return Ok(value);
            }
        }
    }

    #[inline]
    fn register<'a>(&'a self, node: &'a Node<()>) -> Registered<'a, (), R> {
        let mut waiters = self.lock();
        waiters.count(1);
        // SAFETY: every caller's node is new, and what is returned takes it out
        // of the list before it goes.
        unsafe { waiters.insert(node, Place::Back) }
    }
}
