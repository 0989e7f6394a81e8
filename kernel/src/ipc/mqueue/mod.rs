//! Message queues of POSIX (mq_overview(7)): named, bounded, and read by priority.
//!
//! A [`Queue`] has its messages ([`messages`]) under a spin lock. Those who wait stand
//! in one of two wait queues whose locks are taken before it. Receivers wait only
//! while there is no message, and senders only while there is no room: a sender hands
//! its message to the first receiver, and a receiver puts the first sender's message
//! where it has made room. Both happen under the locks of the waiters and of the
//! messages, so nobody who comes later is faster.
//!
//! [`names`] leads to queues, [`file`] is a queue as an open file, [`notify`] tells
//! a process of a message, [`room`] has the limits.

mod file;
mod messages;
pub mod names;
mod notify;
pub mod room;

use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use sync::{Rank, SpinLock, WaitError, WaitQueue, rank};

use crate::files::allocate::try_arc;
use crate::files::clock;
use crate::files::inode::Owner;
use crate::files::watch::Watchers;
use crate::thread::{Current, Group};
pub use file::OpenQueue;
pub use messages::Message;
use messages::Messages;
pub use notify::{How, Notification};
use room::{Limits, Room, Shape};

/// Each waits with a place for a message: that to send, or that to be received.
type Waiters<R> = WaitQueue<Option<Message>, R>;

struct State {
    messages: Messages,
    notification: Option<Notification>,
}

/// See the module.
pub struct Queue {
    shape: Shape,
    number: u64,
    made: u64,
    permissions: AtomicU32,
    user: AtomicU32,
    group: AtomicU32,
    state: SpinLock<State, rank::IpcObject>,
    receivers: Waiters<rank::IpcWaiters>,
    senders: Waiters<rank::IpcSenders>,
    watchers: Watchers,
    _room: Room,
}

/// What became of a message that was offered.
enum Offered {
    /// A receiver has it.
    Received,
    /// It is queued; whom to tell of it.
    Queued(Option<Notification>),
    Full(Message),
}

/// How long a call waits.
#[derive(Clone, Copy)]
pub struct Patience {
    pub nonblocking: bool,
    pub deadline: Option<u64>,
}

impl Queue {
    /// A queue without a name: ENOSPC, EMFILE, ENOMEM.
    pub fn new(
        shape: Shape,
        permissions: u32,
        owner: Owner,
        limits: Limits,
    ) -> Result<Arc<Queue>, Errno> {
        static NEXT_NUMBER: AtomicU64 = AtomicU64::new(2);
        let room = Room::take(shape, limits)?;
        try_arc(Queue {
            shape,
            number: NEXT_NUMBER.fetch_add(1, Relaxed),
            made: clock::now(),
            permissions: AtomicU32::new(permissions),
            user: AtomicU32::new(owner.user),
            group: AtomicU32::new(owner.group),
            state: SpinLock::new(State {
                messages: Messages::default(),
                notification: None,
            }),
            receivers: Waiters::new(),
            senders: Waiters::new(),
            watchers: Watchers::new(),
            _room: room,
        })
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many messages there are.
    pub fn count(&self) -> usize {
        self.state.lock().messages.len()
    }

    /// EAGAIN, ETIMEDOUT, EINTR, ENOMEM.
    pub fn send(
        &self,
        current: &Current,
        mut message: Message,
        patience: Patience,
    ) -> Result<(), Errno> {
        loop {
            message = match self.offer(message)? {
                Offered::Received => return Ok(()),
                Offered::Queued(notification) => {
                    if let Some(notification) = notification {
                        notification.tell(current);
                    }
                    self.watchers.notify(POLLIN);
                    return Ok(());
                }
                Offered::Full(message) => message,
            };
            let is_full = |state: &State| state.messages.len() == self.shape.most;
            let sender = (&self.senders, Some(message));
            match self.wait(current, sender, patience, is_full) {
                // A receiver has taken it.
                (_, None) => return Ok(()),
                (Err(error), Some(_)) => return Err(error),
                (Ok(()), Some(back)) => message = back,
            }
        }
    }

    fn offer(&self, message: Message) -> Result<Offered, Errno> {
        self.receivers.with_lock(|receivers| {
            if let Some(place) = receivers.front() {
                *place = Some(message);
                receivers.wake_front();
                return Ok(Offered::Received);
            }
            let mut state = self.state.lock();
            if state.messages.len() == self.shape.most {
                return Ok(Offered::Full(message));
            }
            state.messages.reserve()?;
            state.messages.push(message);
            let is_first = state.messages.len() == 1;
            let notification = state.notification.take_if(|_| is_first);
            Ok(Offered::Queued(notification))
        })
    }

    /// EAGAIN, ETIMEDOUT, EINTR.
    pub fn receive(&self, current: &Current, patience: Patience) -> Result<Message, Errno> {
        loop {
            if let Some(message) = self.take() {
                return Ok(message);
            }
            let is_empty = |state: &State| state.messages.is_empty();
            match self.wait(current, (&self.receivers, None), patience, is_empty) {
                (_, Some(message)) => return Ok(message),
                (Err(error), None) => return Err(error),
                (Ok(()), None) => {}
            }
        }
    }

    fn take(&self) -> Option<Message> {
        let (message, has_room) = self.senders.with_lock(|senders| {
            let mut state = self.state.lock();
            let message = state.messages.pop()?;
            let next = senders.front().and_then(Option::take);
            let has_room = next.is_none();
            if let Some(next) = next {
                state.messages.push(next);
                senders.wake_front();
            }
            Some((message, has_room))
        })?;
        if has_room {
            self.watchers.notify(POLLOUT);
        }
        Some(message)
    }

    /// Waits with a place for a message while `must_wait`; why it ended otherwise
    /// than by that or by a peer, and what is in the place then.
    fn wait<R: Rank>(
        &self,
        current: &Current,
        (waiters, place): (&Waiters<R>, Option<Message>),
        patience: Patience,
        must_wait: impl FnOnce(&State) -> bool,
    ) -> (Result<(), Errno>, Option<Message>) {
        if patience.nonblocking {
            return (Err(Errno::EAGAIN), place);
        }
        let check = || match must_wait(&self.state.lock()) {
            true => Ok(()),
            false => Err(()),
        };
        let urgency = current.entity.urgency();
        match waiters.wait_exchanging(urgency, place, patience.deadline, true, check) {
            Err(((), place)) | Ok((Ok(()), place)) => (Ok(()), place),
            Ok((Err(WaitError::Interrupted), place)) => (Err(Errno::EINTR), place),
            Ok((Err(WaitError::TimedOut), place)) => (Err(Errno::ETIMEDOUT), place),
        }
    }

    /// Has `notification` be told of the next message that comes to the empty queue:
    /// EBUSY if another is to be told.
    pub fn ask(&self, notification: Notification) -> Result<(), Errno> {
        let mut state = self.state.lock();
        if state
            .notification
            .as_ref()
            .is_some_and(|other| !other.is_stale())
        {
            return Err(Errno::EBUSY);
        }
        let stale = state.notification.replace(notification);
        drop(state);
        drop(stale);
        Ok(())
    }

    /// Nobody of `group` is to be told any more.
    pub fn forget(&self, group: &Arc<Group>) {
        let mut state = self.state.lock();
        let own = |notification: &mut Notification| notification.belongs_to(group);
        let forgotten = state.notification.take_if(own);
        drop(state);
        if let Some(notification) = forgotten {
            notification.cancel();
        }
    }

    fn ready(&self) -> i16 {
        let count = self.count();
        let readable = if count > 0 { POLLIN } else { 0 };
        let writable = if count < self.shape.most { POLLOUT } else { 0 };
        readable | writable
    }
}
