//! A sleeper's hold on its place in a queue, from registration to departure.
//!
//! Purpose: the sleep itself, and the decision between a wake and every other
//! reason to leave. Key types: [`Registered`]. Locks: that of the queue the node
//! is in, to leave it; none while asleep.

use core::marker::PhantomData;
use core::ptr;

use super::list::{Node, State};
use super::{WaitError, WaitQueue};
use crate::rank::Rank;
use crate::scheduler::Erased;

/// A waiter in a queue; dropping it takes it out.
pub(super) struct Registered<'a, P, R: Rank> {
    node: &'a Node<P>,
    /// The queue is one of this type and lives as long as this: it is the one
    /// that was registered with, or a static one.
    queue: PhantomData<&'a WaitQueue<P, R>>,
}

impl<'a, P, R: Rank> Registered<'a, P, R> {
    pub(super) fn new(node: &'a Node<P>) -> Self {
        Self {
            node,
            queue: PhantomData,
        }
    }

    /// Sleeps until woken, or until there is a reason to leave and no wake.
    #[inline]
    pub(super) fn sleep(
        self,
        scheduler: &dyn Erased,
        deadline: Option<u64>,
        interruptible: bool,
    ) -> Result<(), WaitError> {
        while !self.is_out() {
            let reason = if interruptible && scheduler.interrupted() {
                WaitError::Interrupted
            } else if deadline.is_some_and(|deadline| scheduler.now() >= deadline) {
                WaitError::TimedOut
            } else {
                scheduler.park(deadline);
                continue;
            };
            return if self.leave() { Err(reason) } else { Ok(()) };
        }
        Ok(())
    }

    /// Whether it is in the queue no more. A waker that has just unlinked it is
    /// done with the node when it releases the queue's lock; so that is waited
    /// for, once and for a short time.
    #[inline]
    fn is_out(&self) -> bool {
        match self.node.state() {
            State::Waiting => false,
            State::Out => true,
            State::Waking => {
                drop(self.queue().lock());
                true
            }
        }
    }

    /// Leaves with what was waited for, found without being woken. A wake that
    /// has come nevertheless was meant for another: one whose change is not seen
    /// by anybody else, as the one seen here may have been made when nobody
    /// waited. So it goes to the next in the queue.
    pub(super) fn withdraw(self) {
        if !self.leave() {
            self.queue().wake_one();
        }
    }

    /// The queue the node was last linked into.
    fn queue(&self) -> &'a WaitQueue<P, R> {
        // SAFETY: the node was registered with a queue that lives as long as
        // 'a, and is moved to static ones of the same type only.
        unsafe { &*self.node.queue().cast::<WaitQueue<P, R>>() }
    }

    /// Out of the queue; false if a wake came first.
    #[cold]
    fn leave(&self) -> bool {
        while !self.is_out() {
            let queue = self.queue();
            let mut waiters = queue.lock();
            // It may have been moved between the two lines above. If not, it
            // stays: that takes this lock.
            if ptr::eq(self.queue(), queue) {
                if self.node.state() != State::Waiting {
                    break;
                }
                // SAFETY: not woken and not moved means linked here.
                unsafe { waiters.remove(self.node) };
                self.node.set_left();
                return true;
            }
        }
        false
    }
}

impl<P, R: Rank> Drop for Registered<'_, P, R> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_out() {
            self.leave();
        }
        self.node.settle();
    }
}
