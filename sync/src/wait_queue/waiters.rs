//! A queue while its lock is held.
//!
//! Purpose: everything that walks, wakes or moves waiters. Key types:
//! [`Waiters`]. Locks: it has the queue's, and takes the scheduler's inside it.

use core::ptr::NonNull;

use super::WaitQueue;
use super::list::{List, Node, Place};
use super::registered::Registered;
use crate::facade::Ordering;
use crate::rank::Rank;
use crate::scheduler;
use crate::spin::SpinGuard;

/// The waiters of a locked queue.
pub struct Waiters<'a, P, R: Rank> {
    queue: &'a WaitQueue<P, R>,
    list: SpinGuard<'a, List<P>, R>,
}

impl<'a, P, R: Rank> Waiters<'a, P, R> {
    pub(super) fn new(queue: &'a WaitQueue<P, R>, list: SpinGuard<'a, List<P>, R>) -> Self {
        Self { queue, list }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.list.head().is_none()
    }

    /// The payload of the longest waiter.
    pub fn front(&mut self) -> Option<&mut P> {
        let node = self.list.head()?;
        // SAFETY: the head is in the list.
        Some(unsafe { self.list.payload_mut(node) })
    }

    /// Wakes the longest waiter; false if there is none.
    #[inline]
    pub fn wake_front(&mut self) -> bool {
        let Some(node) = self.list.head() else {
            return false;
        };
        // SAFETY: the head is in the list.
        unsafe { self.wake(node) };
        true
    }

    /// Shows the payload of each waiter, in order.
    pub fn each(&mut self, mut look: impl FnMut(&P)) {
        self.wake_if(|payload| {
            look(payload);
            false
        });
    }

    /// Asks `wants` of each waiter, in order, and wakes those it says; what it changes
    /// of the payload is what the waiter gets back.
    pub fn wake_if(&mut self, mut wants: impl FnMut(&mut P) -> bool) {
        self.wake_some(usize::MAX, u64::MAX, &mut wants);
    }

    /// Counts waiters that are about to enter. The lock makes it one step.
    #[inline]
    pub(super) fn count(&mut self, more: u32) {
        let waiting = self.queue.waiting.load(Ordering::Relaxed);
        self.queue.waiting.store(waiting + more, Ordering::Relaxed);
    }

    /// Counts waiters that have left, or did not enter.
    #[inline]
    pub(super) fn uncount(&mut self, less: u32) {
        let waiting = self.queue.waiting.load(Ordering::Relaxed);
        self.queue.waiting.store(waiting - less, Ordering::Relaxed);
    }

    /// Links a node that was counted; dropping the result takes it out again.
    ///
    /// # Safety
    /// The node is new, and the result is not forgotten.
    #[inline]
    pub(super) unsafe fn insert<'n>(
        &mut self,
        node: &'n Node<P>,
        place: Place,
    ) -> Registered<'n, P, R>
    where
        'a: 'n,
    {
        // SAFETY: a new node is in no list; the result keeps it borrowed, and
        // takes it out before the borrow ends.
        unsafe { self.link(NonNull::from(node), place) };
        Registered::new(node)
    }

    /// # Safety
    /// As [`List::insert`].
    #[inline]
    unsafe fn link(&mut self, node: NonNull<Node<P>>, place: Place) {
        let queue: *const WaitQueue<P, R> = self.queue;
        // SAFETY: as the caller says.
        unsafe { self.list.insert(node, place, queue.cast()) };
    }

    /// Takes the waiter out, who gives up.
    ///
    /// # Safety
    /// The node is in this queue.
    pub(super) unsafe fn remove(&mut self, node: &Node<P>) {
        // SAFETY: as the caller says.
        unsafe { self.list.remove(NonNull::from(node)) };
        self.uncount(1);
    }

    /// Takes the waiter out and wakes its thread; the node may be gone then.
    ///
    /// # Safety
    /// The node is in this queue.
    #[inline]
    unsafe fn wake(&mut self, node: NonNull<Node<P>>) {
        self.uncount(1);
        // SAFETY: as the caller says.
        unsafe { self.list.wake(node, scheduler::get()) };
    }

    /// Wakes up to `max` waiters that `filter` accepts and that were linked
    /// before `limit` was the next sequence.
    pub(super) fn wake_some(
        &mut self,
        max: usize,
        limit: u64,
        filter: &mut impl FnMut(&mut P) -> bool,
    ) -> usize {
        let mut woken = 0;
        let mut next = self.list.head();
        while woken < max
            && let Some(node) = next
        {
            // SAFETY: `node` was found in the list, and is used as one of it
            // only until it is woken, which comes last.
            unsafe {
                if self.list.sequence(node) >= limit {
                    break;
                }
                next = self.list.after(node);
                if filter(self.list.payload_mut(node)) {
                    self.wake(node);
                    woken += 1;
                }
            }
        }
        woken
    }

    /// The walk of [`WaitQueue::requeue`]; without `target` it moves nobody and
    /// only changes the payloads. Says how many were woken and moved.
    pub(super) fn move_some(
        &mut self,
        mut target: Option<&mut Self>,
        wake_max: usize,
        move_max: usize,
        mut filter: impl FnMut(&P) -> bool,
        mut change: impl FnMut(&mut P),
    ) -> (usize, usize) {
        let (mut woken, mut moved) = (0, 0);
        let mut next = self.list.head();
        while (woken < wake_max || moved < move_max)
            && let Some(node) = next
        {
            // SAFETY: `node` was found in the list, and is used as one of it
            // only until it is woken or moved, which comes last.
            unsafe {
                next = self.list.after(node);
                if !filter(self.list.payload(node)) {
                    continue;
                }
                if woken < wake_max {
                    self.wake(node);
                    woken += 1;
                    continue;
                }
                change(self.list.payload_mut(node));
                moved += 1;
                if let Some(target) = &mut target {
                    self.list.remove(node);
                    self.uncount(1);
                    target.count(1);
                    target.link(node, Place::Back);
                }
            }
        }
        (woken, moved)
    }

    /// The limit that tells those who wait now from those who come later.
    pub(super) fn next_sequence(&self) -> u64 {
        self.list.next_sequence()
    }
}
