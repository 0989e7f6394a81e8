//! The waiters of a queue, linked through nodes on their own stacks.
//!
//! Purpose: no allocation on any sleep. Key types: [`Node`], [`List`]. Locks: a
//! node's link and payload belong to the lock of the queue it is linked into;
//! its state is atomic, because the sleeper reads it without the lock.
//!
//! The life of a node: the sleeper links it WAITING and looks at nothing but the
//! state until it leaves. A waker, under the lock, unlinks it and sets WAKING,
//! hands the thread to the scheduler, and sets OUT as its last touch: from then
//! on the sleeper may return, and the node's memory is gone. A sleeper that sees
//! WAKING takes the lock once, which the waker holds until after OUT. A sleeper
//! that gives up takes the lock and unlinks itself, unless the state has changed:
//! then the wake has won.
//!
//! The reference to the thread is counted, so the stack that holds the node
//! cannot go before; and while the waker is inside `unpark` the sleeper cannot
//! have left, so no waker ever drops the last reference to a thread.

use core::ptr::NonNull;

use crate::facade::{AtomicPtr, AtomicU32, Ordering, UnsafeCell};
use crate::scheduler::{Erased, ThreadRef};

/// What a sleeper finds when it looks at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Linked into a queue.
    Waiting,
    /// Unlinked by a waker that has the queue's lock and still uses the node.
    Waking,
    /// Unlinked, and nobody but the sleeper uses the node.
    Out,
}

const WAITING: u32 = 0;
const WAKING: u32 = 1;
const OUT: u32 = 2;

/// One sleeper.
pub(super) struct Node<P> {
    state: AtomicU32,
    /// The queue the node was last linked into. Changes under that queue's lock.
    queue: AtomicPtr<()>,
    /// Taken out by the waker.
    thread: UnsafeCell<Option<ThreadRef>>,
    link: UnsafeCell<Link<P>>,
    urgency: Urgency,
    payload: UnsafeCell<P>,
}

struct Link<P> {
    previous: Option<NonNull<Node<P>>>,
    next: Option<NonNull<Node<P>>>,
    /// Never falls from the head of a list to its tail.
    sequence: u64,
}

/// How urgent a waiter is: the smaller, the earlier it is woken. Most are all the
/// same, at [`LAST`].
pub type Urgency = u8;

/// Behind all that are more urgent.
pub const LAST: Urgency = Urgency::MAX;

/// Where a node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind all others that are no less urgent.
    Back,
    /// Before all others, for one that was woken in vain.
    Front,
}

impl<P> Node<P> {
    pub(super) fn new(thread: ThreadRef, payload: P, urgency: Urgency) -> Self {
        Self {
            state: AtomicU32::new(WAITING),
            queue: AtomicPtr::new(core::ptr::null_mut()),
            thread: UnsafeCell::new(Some(thread)),
            link: UnsafeCell::new(Link {
                previous: None,
                next: None,
                sequence: 0,
            }),
            urgency,
            payload: UnsafeCell::new(payload),
        }
    }

    /// For the sleeper: how far wakers are.
    #[inline]
    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            WAITING => State::Waiting,
            WAKING => State::Waking,
            _ => State::Out,
        }
    }

    /// For the sleeper, which is out: the node is its own again. Gives back the
    /// thread's reference if no waker took it.
    #[inline]
    pub(super) fn settle(&self) {
        // SAFETY: OUT was stored after the last access of everybody else.
        self.thread.with_mut(|thread| unsafe { *thread = None });
    }

    /// For the sleeper, which has unlinked itself.
    pub(super) fn set_left(&self) {
        self.state.store(OUT, Ordering::Relaxed);
    }

    /// The queue that it was linked into last.
    pub(super) fn queue(&self) -> *const () {
        self.queue.load(Ordering::Acquire)
    }

    /// The payload, once the node is linked no more.
    pub(super) fn into_payload(self) -> P {
        self.payload.into_inner()
    }
}

/// The waiters, in the order in which they are woken.
pub(super) struct List<P> {
    head: Option<NonNull<Node<P>>>,
    tail: Option<NonNull<Node<P>>>,
    next_sequence: u64,
}

// SAFETY: the list reaches nodes of other threads, of which it uses the link and
// the payload (Send) under the queue's lock, the state (atomic) and the thread's
// reference (Send).
unsafe impl<P: Send> Send for List<P> {}

impl<P> List<P> {
    pub(super) const fn new() -> Self {
        Self {
            head: None,
            tail: None,
            next_sequence: 0,
        }
    }

    pub(super) fn head(&self) -> Option<NonNull<Node<P>>> {
        self.head
    }

    /// Waiters linked from now on have this sequence or a greater one.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Links `node`, and notes in it that it is in the list of `queue`.
    ///
    /// # Safety
    /// The node is in no list, and stays alive until it was removed.
    #[inline]
    pub(super) unsafe fn insert(&mut self, node: NonNull<Node<P>>, place: Place, queue: *const ()) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        // SAFETY: the caller says that the node is alive, and the list's lock
        // is held (`&mut self`), under which the links of its nodes change.
        unsafe {
            node.as_ref()
                .queue
                .store(queue.cast_mut(), Ordering::Release);
            let next = match place {
                Place::Front => self.head,
                Place::Back if node.as_ref().urgency == LAST => None,
                Place::Back => self.less_urgent(node.as_ref().urgency),
            };
            match (next, self.tail) {
                (Some(next), _) => {
                    let (sequence, previous) = next
                        .as_ref()
                        .link
                        .with(|link| ((*link).sequence, (*link).previous));
                    Self::set_link(node, previous, Some(next), sequence);
                    next.as_ref().link.with_mut(|l| (*l).previous = Some(node));
                    match previous {
                        Some(previous) => previous
                            .as_ref()
                            .link
                            .with_mut(|link| (*link).next = Some(node)),
                        None => self.head = Some(node),
                    }
                }
                (None, Some(tail)) => {
                    Self::set_link(node, Some(tail), None, sequence);
                    tail.as_ref()
                        .link
                        .with_mut(|link| (*link).next = Some(node));
                    self.tail = Some(node);
                }
                (None, None) => {
                    Self::set_link(node, None, None, sequence);
                    self.head = Some(node);
                    self.tail = Some(node);
                }
            }
        }
    }

    /// The first waiter that is less urgent than `urgency`.
    fn less_urgent(&self, urgency: Urgency) -> Option<NonNull<Node<P>>> {
        let mut at = self.head;
        // SAFETY: nodes in the list are alive, and its lock is held.
        unsafe {
            while let Some(node) = at
                && node.as_ref().urgency <= urgency
            {
                at = self.after(node);
            }
        }
        at
    }

    /// # Safety
    /// The node is alive, and the lock that its link belongs to is held.
    #[inline]
    unsafe fn set_link(
        node: NonNull<Node<P>>,
        previous: Option<NonNull<Node<P>>>,
        next: Option<NonNull<Node<P>>>,
        sequence: u64,
    ) {
        // SAFETY: as the caller says.
        unsafe {
            node.as_ref().link.with_mut(|link| {
                *link = Link {
                    previous,
                    next,
                    sequence,
                }
            });
        }
    }

    /// Takes `node` out.
    ///
    /// # Safety
    /// The node is in this list.
    #[inline]
    pub(super) unsafe fn remove(&mut self, node: NonNull<Node<P>>) {
        // SAFETY: nodes in the list are alive, and its lock is held (`&mut self`).
        unsafe {
            let (previous, next) = node
                .as_ref()
                .link
                .with(|link| ((*link).previous, (*link).next));
            match previous {
                Some(previous) => previous.as_ref().link.with_mut(|link| (*link).next = next),
                None => self.head = next,
            }
            match next {
                Some(next) => next
                    .as_ref()
                    .link
                    .with_mut(|link| (*link).previous = previous),
                None => self.tail = previous,
            }
        }
    }

    /// The node behind `node` and its sequence.
    ///
    /// # Safety
    /// The node is in this list.
    pub(super) unsafe fn after(&self, node: NonNull<Node<P>>) -> Option<NonNull<Node<P>>> {
        // SAFETY: as in `remove`.
        unsafe { node.as_ref().link.with(|link| (*link).next) }
    }

    /// # Safety
    /// The node is in this list.
    pub(super) unsafe fn sequence(&self, node: NonNull<Node<P>>) -> u64 {
        // SAFETY: as in `remove`.
        unsafe { node.as_ref().link.with(|link| (*link).sequence) }
    }

    /// # Safety
    /// The node is in this list.
    pub(super) unsafe fn payload(&self, node: NonNull<Node<P>>) -> &P {
        // SAFETY: the payload of a node in the list belongs to the list's lock,
        // which is held at least as long as the list is borrowed.
        unsafe { node.as_ref().payload.with(|payload| &*payload) }
    }

    /// # Safety
    /// The node is in this list.
    pub(super) unsafe fn payload_mut(&mut self, node: NonNull<Node<P>>) -> &mut P {
        // SAFETY: as in `payload`, and the list is borrowed exclusively.
        unsafe { node.as_ref().payload.with_mut(|payload| &mut *payload) }
    }

    /// Takes `node` out and wakes its thread. The node may be gone on return.
    ///
    /// # Safety
    /// The node is in this list.
    #[inline]
    pub(super) unsafe fn wake(&mut self, node: NonNull<Node<P>>, scheduler: &dyn Erased) {
        // SAFETY: the node is in the list, so alive; it stays so until OUT is
        // stored, since its sleeper leaves only then (or under the list's lock,
        // if it finds the node linked). The reference is taken out under the
        // lock and by one waker only: the one that unlinked the node.
        unsafe {
            self.remove(node);
            let state = &raw const (*node.as_ptr()).state;
            // The sleeper must not leave before `unpark` is through, nor park
            // again after it; its token orders this store before its look.
            (*state).store(WAKING, Ordering::Relaxed);
            let thread = node.as_ref().thread.with_mut(|thread| (*thread).take());
            if let Some(thread) = thread {
                scheduler.unpark(thread);
            }
            (*state).store(OUT, Ordering::Release);
        }
    }
}
