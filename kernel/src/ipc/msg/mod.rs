//! Message queues as System V has them (msgget(2)): read by the kind of a message.
//!
//! All that changes a queue has the locks of those who wait for room in it and of those
//! who wait for a message. So a message that comes goes into the hands of the first
//! receiver that wants it, and room goes to the first senders that it is enough for. A
//! spin lock inside guards the queue itself.

mod queue;
mod wanted;

use abi::Errno;
use abi::ipc::MsqidDs;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

use queue::{BYTES, MESSAGES, Queue, Receiver, Sender};
pub use queue::{Message, Wish};
pub use wanted::Wanted;

use super::access::{READ, WRITE};
use super::ids::Ids;
use super::permission::Permission;
use super::setting::Setting;
use crate::credentials::Capability;
use crate::files::allocate::try_arc;
use crate::files::clock::seconds;
use crate::thread::Current;

/// `/proc/sys/kernel`: the bytes of a message, those of a queue, and how many queues.
pub static MSGMAX: Setting = Setting::new(8192, 0..=i32::MAX as usize);
pub static MSGMNB: Setting = Setting::new(16_384, 0..=i32::MAX as usize);
pub static MSGMNI: Setting = Setting::new(32_000, 0..=32_768);

static QUEUES: Ids<Queue> = Ids::new();

/// The id of the queue with this key: msgget(2).
pub fn get(current: &Current, key: i32, flags: usize) -> Result<i32, Errno> {
    let fits = |queue: &Queue| queue.state.lock().permission.check(current, flags as u32);
    let make = || {
        let permission = Permission::new(current, flags);
        try_arc(Queue::new(permission, MSGMNB.get()))
    };
    QUEUES.find_or_make(key, flags, MSGMNI.get(), fits, make)
}

/// What has this id: EINVAL.
pub fn find(id: i32) -> Result<Found, Errno> {
    QUEUES.get(id).map(|queue| Found { id, queue })
}

/// What is at this place of the table: EINVAL.
pub fn at(place: i32) -> Result<Found, Errno> {
    QUEUES.at(place).map(|(id, queue)| Found { id, queue })
}

/// Calls `act` with each of them.
pub fn each(mut act: impl FnMut(&Found) -> Result<(), Errno>) -> Result<(), Errno> {
    QUEUES.each(|id, queue| act(&Found { id, queue }))
}

/// How many queues there are, and the messages in them and their bytes.
pub fn used() -> (usize, usize, usize) {
    (QUEUES.count(), MESSAGES.load(Relaxed), BYTES.load(Relaxed))
}

pub fn greatest_place() -> usize {
    QUEUES.greatest_place()
}

/// A queue and its id.
pub struct Found {
    pub id: i32,
    pub queue: Arc<Queue>,
}

/// How far a call came: it is done, or it waits since this turn of the queue.
enum Attempt<Done, Waits> {
    Done(Done),
    Waits(u64, Waits),
}

impl Found {
    /// msgsnd(2). EACCES, EIDRM, EINTR, ENOMEM; EAGAIN if there is no room and it is
    /// not to wait.
    pub fn send(&self, current: &Current, mut message: Message, waits: bool) -> Result<(), Errno> {
        let queue = &self.queue;
        loop {
            let attempt = queue.with_all(|state, _, receivers| {
                state.check(current, WRITE)?;
                match state.has_room(&message) {
                    true => state.accept(receivers, message).map(Attempt::Done),
                    false if waits => Ok(Attempt::Waits(state.turn, message)),
                    false => Err(Errno::EAGAIN),
                }
            })?;
            let (turn, refused) = match attempt {
                Attempt::Done(()) => return Ok(()),
                Attempt::Waits(turn, message) => (turn, message),
            };
            let sender = Sender {
                message: Some(refused),
                failure: None,
            };
            let sender = queue.wait(current, &queue.senders, sender, turn)?;
            match (sender.failure, sender.message) {
                (Some(error), _) => return Err(error),
                (None, None) => return Ok(()),
                (None, Some(back)) => message = back,
            }
        }
    }

    /// msgrcv(2). EACCES, EIDRM, E2BIG, EINTR; ENOMSG if there is none and it is not to
    /// wait.
    pub fn receive(&self, current: &Current, wish: Wish, waits: bool) -> Result<Message, Errno> {
        let queue = &self.queue;
        loop {
            let attempt = queue.with_all(|state, senders, receivers| {
                state.check(current, READ)?;
                let Some(place) = state.find(wish.wanted) else {
                    return match waits {
                        true => Ok(Attempt::Waits(state.turn, ())),
                        false => Err(Errno::ENOMSG),
                    };
                };
                wish.check(&state.messages[place].message)?;
                state.last_receiver = current.tgid();
                state.received = seconds();
                Ok(Attempt::Done(state.take(place, senders, receivers)))
            })?;
            let turn = match attempt {
                Attempt::Done(message) => return Ok(message),
                Attempt::Waits(turn, ()) => turn,
            };
            let receiver = Receiver {
                pid: current.tgid(),
                wish,
                outcome: None,
            };
            let receiver = queue.wait(current, &queue.receivers, receiver, turn)?;
            if let Some(outcome) = receiver.outcome {
                return outcome;
            }
        }
    }

    /// EACCES.
    pub fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        self.queue.state.lock().permission.check(current, wanted)
    }

    /// Changes to whom it belongs, who may use it and how much it holds: EPERM, EINVAL.
    pub fn set(&self, current: &Current, new: &MsqidDs) -> Result<(), Errno> {
        self.queue.with_all(|state, senders, receivers| {
            state.permission.check_owner(current)?;
            let limit = usize::try_from(new.limit).map_err(|_| Errno::EINVAL)?;
            if limit > MSGMNB.get() {
                current.credentials().require(Capability::Resource)?;
            }
            state.permission.set(&new.perm)?;
            state.limit = limit;
            state.changed = seconds();
            // Some may not use it any more, and there may be room.
            state.wake_all(senders, receivers, None);
            Ok(())
        })
    }

    /// It goes with its messages, and all who wait are told. EPERM; EIDRM if a peer was
    /// faster.
    pub fn remove(&self, current: &Current) -> Result<(), Errno> {
        let messages = self.queue.with_all(|state, senders, receivers| {
            state.permission.check_owner(current)?;
            if state.gone {
                return Err(Errno::EIDRM);
            }
            state.gone = true;
            state.wake_all(senders, receivers, Some(Errno::EIDRM));
            Ok(core::mem::take(&mut state.messages))
        })?;
        QUEUES.remove(self.id);
        drop(messages);
        Ok(())
    }

    pub fn describe(&self) -> MsqidDs {
        let key = QUEUES.key(self.id);
        let state = self.queue.state.lock();
        MsqidDs {
            perm: state.permission.to_abi(self.id, key),
            sent: state.sent as i64,
            received: state.received as i64,
            changed: state.changed as i64,
            bytes: state.bytes as u64,
            count: state.messages.len() as u64,
            limit: state.limit as u64,
            last_sender: state.last_sender,
            last_receiver: state.last_receiver,
            ..MsqidDs::default()
        }
    }
}
