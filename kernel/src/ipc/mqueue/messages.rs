//! The messages of a queue: the highest priority first, and of these the oldest.

use abi::Errno;
use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use core::cmp::Ordering;

pub struct Message {
    pub priority: u32,
    pub bytes: Box<[u8]>,
}

/// A message, and how many came before it.
struct Queued(Message, u64);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_priority = self.0.priority.cmp(&other.0.priority);
        by_priority.then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}

/// See the module.
#[derive(Default)]
pub struct Messages {
    heap: BinaryHeap<Queued>,
    next: u64,
    bytes: usize,
}

impl Messages {
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The bytes of all of them.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Room for one more. ENOMEM.
    pub fn reserve(&mut self) -> Result<(), Errno> {
        self.heap.try_reserve(1).map_err(|_| Errno::ENOMEM)
    }

    /// Adds a message for which there is room: that was reserved, or one was taken.
    pub fn push(&mut self, message: Message) {
        self.bytes += message.bytes.len();
        self.heap.push(Queued(message, self.next));
        self.next += 1;
    }

    pub fn pop(&mut self) -> Option<Message> {
        let Queued(message, _) = self.heap.pop()?;
        self.bytes -= message.bytes.len();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(priority: u32, byte: u8) -> Message {
        let bytes = Box::new([byte; 3]);
        Message { priority, bytes }
    }

    #[test]
    fn order_is_by_priority_and_then_age() {
        let mut messages = Messages::default();
        let sent = [
            (1, b'a'),
            (7, b'b'),
            (1, b'c'),
            (0, b'd'),
            (7, b'e'),
            (1, b'f'),
        ];
        for (priority, byte) in sent {
            messages.reserve().unwrap();
            messages.push(message(priority, byte));
        }
        assert_eq!((messages.len(), messages.bytes()), (6, 18));
        let first = messages.pop().unwrap();
        assert_eq!((first.priority, first.bytes[0]), (7, b'b'));
        // One that comes later is behind those of its priority.
        messages.push(message(7, b'g'));
        let mut rest = alloc::vec::Vec::new();
        while let Some(message) = messages.pop() {
            rest.push(message.bytes[0]);
        }
        assert_eq!(rest, b"egacfd");
        assert!(messages.is_empty() && messages.bytes() == 0);
    }
}
