//! What was sent to an endpoint and not yet read, in order.
//!
//! A spin lock guards the messages; how much they are is mirrored in an atomic
//! for those who wait. Bytes are copied to and from users outside of it.

use super::message::{Message, cost_of, discard};
use crate::files::allocate::try_vec;
use abi::Errno;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use sync::{SpinLock, WaitQueue, rank};

/// A wait queue that only threads wake.
pub type Queue = WaitQueue<(), rank::ThreadQueue>;

/// How many messages may wait, however short.
const MOST: usize = 4096;

pub struct Inbox {
    messages: SpinLock<VecDeque<Message>, rank::SocketInbox>,
    /// What they cost together, and how many they are. Written under the lock.
    used: AtomicUsize,
    count: AtomicUsize,
    pub readers: Queue,
    /// Those who wait for room.
    pub writers: Queue,
}

impl Inbox {
    pub fn new() -> Inbox {
        Inbox {
            messages: SpinLock::new(VecDeque::new()),
            used: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
            readers: Queue::new(),
            writers: Queue::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Whether a message of `length` bytes fits below `limit`. One always does where
    /// poll says that there is room: if there is no other, or not half as much.
    pub fn has_room(&self, length: usize, limit: usize) -> bool {
        let used = self.used.load(Ordering::Acquire);
        let count = self.count.load(Ordering::Acquire);
        let fits = used <= limit / 2 || used + cost_of(length) <= limit;
        count == 0 || count < MOST && fits
    }

    /// Adds a message if it fits, unless `refuses`, which is asked under the lock:
    /// the message back, if not. ENOMEM.
    pub fn add(
        &self,
        message: Message,
        limit: usize,
        refuses: impl FnOnce() -> bool,
    ) -> Result<Option<Message>, (Errno, Message)> {
        let mut messages = self.messages.lock();
        if refuses() || !self.has_room(message.bytes.len(), limit) {
            return Ok(Some(message));
        }
        if messages.try_reserve(1).is_err() {
            return Err((Errno::ENOMEM, message));
        }
        self.used.fetch_add(message.cost, Ordering::Release);
        messages.push_back(message);
        self.count.store(messages.len(), Ordering::Release);
        Ok(None)
    }

    /// Looks at the first message. Only who reads takes messages out, and one
    /// does at a time.
    pub fn with_first<R>(&self, look: impl FnOnce(&mut Message) -> R) -> Option<R> {
        self.messages.lock().front_mut().map(look)
    }

    /// A copy of up to `most` bytes of the message number `index`, from `skip`
    /// on; `None` if there is no such message. ENOMEM.
    pub fn peek(&self, index: usize, most: usize) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            let length = |messages: &VecDeque<Message>| {
                let message = messages.get(index)?;
                Some(message.left().len().min(most))
            };
            let Some(expected) = length(&self.messages.lock()) else {
                return Ok(None);
            };
            let mut bytes = try_vec(expected)?;
            let messages = self.messages.lock();
            // Only the caller, who reads, makes it shorter.
            if let Some(message) = messages.get(index) {
                bytes.extend_from_slice(&message.left()[..expected]);
                return Ok(Some(bytes));
            }
        }
    }

    /// Takes the first message out.
    pub fn pop(&self) -> Option<Message> {
        let mut messages = self.messages.lock();
        let message = messages.pop_front()?;
        self.used.fetch_sub(message.cost, Ordering::Release);
        self.count.store(messages.len(), Ordering::Release);
        Some(message)
    }

    /// The bytes that can be read: of the first message, or of all.
    pub fn readable(&self, all: bool) -> usize {
        let messages = self.messages.lock();
        let most = if all { messages.len() } else { 1 };
        messages
            .iter()
            .take(most)
            .map(|message| message.left().len())
            .sum()
    }

    /// What is queued.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Throws all away; whether that was anything.
    pub fn clear(&self) -> bool {
        let mut any = false;
        while let Some(message) = self.pop() {
            any = true;
            if let Some(files) = message.files {
                discard(files);
            }
        }
        any
    }
}
