//! A message queue: what is in it, who waits for it, and how these come together.

use abi::Errno;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::sync::atomic::AtomicUsize;
use sync::{Rank, SpinLock, WaitQueue, rank};

use super::Wanted;
use crate::files::clock::seconds;
use crate::ipc::permission::Permission;
use crate::ipc::room::Room;
use crate::thread::{Current, Tid};

/// The messages of all queues, and their bytes.
pub static MESSAGES: AtomicUsize = AtomicUsize::new(0);
pub static BYTES: AtomicUsize = AtomicUsize::new(0);

pub struct Message {
    pub kind: i64,
    pub bytes: Box<[u8]>,
    sender: Tid,
}

impl Message {
    pub fn new(current: &Current, kind: i64, bytes: Box<[u8]>) -> Message {
        Message {
            kind,
            bytes,
            sender: current.tgid(),
        }
    }
}

/// A message that is in a queue, and its part of what all take.
pub struct Queued {
    pub message: Message,
    _rooms: [Room; 2],
}

pub struct State {
    pub permission: Permission,
    pub messages: VecDeque<Queued>,
    /// Of the messages.
    pub bytes: usize,
    /// How many bytes there may be, and how many messages.
    pub limit: usize,
    /// Who has sent and received last, and when that and the last change was, in seconds.
    pub last_sender: Tid,
    pub last_receiver: Tid,
    pub sent: u64,
    pub received: u64,
    pub changed: u64,
    pub gone: bool,
    /// Counts changes.
    pub turn: u64,
}

/// Who waits for room.
pub struct Sender {
    /// Taken by whoever makes room.
    pub message: Option<Message>,
    /// Why it is woken otherwise, unless it is to look again.
    pub failure: Option<Errno>,
}

/// Who waits for a message.
pub struct Receiver {
    pub pid: Tid,
    pub wish: Wish,
    /// What it is woken with, unless it is to look again.
    pub outcome: Option<Result<Message, Errno>>,
}

/// What a receiver asks for.
#[derive(Clone, Copy)]
pub struct Wish {
    pub wanted: Wanted,
    /// How many bytes it has room for.
    pub room: usize,
    /// A message that is longer is cut off.
    pub cuts: bool,
}

impl Wish {
    /// E2BIG.
    pub fn check(&self, message: &Message) -> Result<(), Errno> {
        match message.bytes.len() <= self.room || self.cuts {
            true => Ok(()),
            false => Err(Errno::E2BIG),
        }
    }
}

pub type Senders<'a> = sync::Waiters<'a, Sender, rank::IpcSenders>;
pub type Receivers<'a> = sync::Waiters<'a, Receiver, rank::IpcWaiters>;

/// See [`super`].
pub struct Queue {
    pub senders: WaitQueue<Sender, rank::IpcSenders>,
    pub receivers: WaitQueue<Receiver, rank::IpcWaiters>,
    pub state: SpinLock<State, rank::IpcObject>,
}

impl State {
    /// EACCES; EIDRM.
    pub fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        self.permission.check(current, wanted)?;
        match self.gone {
            true => Err(Errno::EIDRM),
            false => Ok(()),
        }
    }

    pub fn has_room(&self, message: &Message) -> bool {
        self.bytes + message.bytes.len() <= self.limit && self.messages.len() < self.limit
    }

    pub fn find(&self, wanted: Wanted) -> Option<usize> {
        wanted.find(self.messages.iter().map(|queued| queued.message.kind))
    }

    /// Takes in a message that there is room for. ENOMEM.
    pub fn accept(&mut self, receivers: &mut Receivers<'_>, message: Message) -> Result<(), Errno> {
        self.messages.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.turn += 1;
        self.last_sender = message.sender;
        self.sent = seconds();
        let mut message = Some(message);
        receivers.wake_if(|receiver| {
            let fits = |message: &mut Message| receiver.wish.wanted.accepts(message.kind);
            let Some(taken) = message.take_if(fits) else {
                return false;
            };
            // Who has too little room is told so, and the next may have it.
            receiver.outcome = Some(match receiver.wish.check(&taken) {
                Ok(()) => {
                    self.last_receiver = receiver.pid;
                    self.received = seconds();
                    Ok(taken)
                }
                Err(error) => {
                    message = Some(taken);
                    Err(error)
                }
            });
            true
        });
        if let Some(message) = message {
            let length = message.bytes.len();
            let rooms = [
                Room::take(&MESSAGES, 1, usize::MAX)?,
                Room::take(&BYTES, length, usize::MAX)?,
            ];
            self.bytes += length;
            self.messages.push_back(Queued {
                message,
                _rooms: rooms,
            });
        }
        Ok(())
    }

    /// Has all who wait look again, or fail.
    pub fn wake_all(
        &mut self,
        senders: &mut Senders<'_>,
        receivers: &mut Receivers<'_>,
        failure: Option<Errno>,
    ) {
        self.turn += 1;
        senders.wake_if(|sender| {
            sender.failure = failure;
            true
        });
        receivers.wake_if(|receiver| {
            receiver.outcome = failure.map(Err);
            true
        });
    }

    /// The message at a place, whose room goes to those who wait for it.
    pub fn take(
        &mut self,
        place: usize,
        senders: &mut Senders<'_>,
        receivers: &mut Receivers<'_>,
    ) -> Message {
        let queued = self.messages.remove(place);
        let Queued { message, .. } = queued.expect("the place was found under the lock");
        self.turn += 1;
        self.bytes -= message.bytes.len();
        senders.wake_if(|sender| {
            let Some(message) = sender.message.take_if(|message| self.has_room(message)) else {
                return false;
            };
            sender.failure = self.accept(receivers, message).err();
            true
        });
        message
    }
}

impl Queue {
    pub fn new(permission: Permission, limit: usize) -> Queue {
        Queue {
            senders: WaitQueue::new(),
            receivers: WaitQueue::new(),
            state: SpinLock::new(State {
                permission,
                messages: VecDeque::new(),
                bytes: 0,
                limit,
                last_sender: 0,
                last_receiver: 0,
                sent: 0,
                received: 0,
                changed: seconds(),
                gone: false,
                turn: 0,
            }),
        }
    }

    /// With the lock of everybody, for what changes it.
    pub fn with_all<R>(
        &self,
        act: impl FnOnce(&mut State, &mut Senders<'_>, &mut Receivers<'_>) -> R,
    ) -> R {
        self.senders.with_lock(|senders| {
            self.receivers
                .with_lock(|receivers| act(&mut self.state.lock(), senders, receivers))
        })
    }

    /// Waits with `waiter`, if the queue is still at this turn; what others have made of
    /// it. EINTR.
    pub fn wait<W, R: Rank>(
        &self,
        current: &Current,
        waiters: &WaitQueue<W, R>,
        waiter: W,
        turn: u64,
    ) -> Result<W, Errno> {
        let is_still_so = || match self.state.lock().turn == turn {
            true => Ok(()),
            false => Err(()),
        };
        let urgency = current.entity.urgency();
        match waiters.wait_exchanging(urgency, waiter, None, true, is_still_so) {
            Err(((), waiter)) | Ok((Ok(()), waiter)) => Ok(waiter),
            Ok((Err(_), _)) => Err(Errno::EINTR),
        }
    }
}
