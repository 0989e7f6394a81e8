//! The events that wait to be read by one inotify. Plain data.

use abi::Errno;
use abi::inotify::{IN_Q_OVERFLOW, InotifyEvent};
use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::files::allocate::try_bytes;

/// One event, for a watch or (as -1) for the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub watch: i32,
    pub mask: u32,
    /// Connects the two ends of a move.
    pub cookie: u32,
    /// Of what is in the watched directory; else empty.
    pub name: Box<[u8]>,
}

impl Event {
    /// What goes before the name.
    pub fn header(&self) -> InotifyEvent {
        InotifyEvent {
            watch: self.watch,
            mask: self.mask,
            cookie: self.cookie,
            length: self.name_room() as u32,
        }
    }

    /// Bytes that the name takes, with the zeroes behind it.
    pub fn name_room(&self) -> usize {
        match self.name.len() {
            0 => 0,
            length => (length + 1).next_multiple_of(size_of::<InotifyEvent>()),
        }
    }

    fn size(&self) -> usize {
        size_of::<InotifyEvent>() + self.name_room()
    }
}

/// See the module. Once there are `most`, or no memory, the last one says that
/// others are lost.
pub struct Events {
    queue: VecDeque<Event>,
    most: usize,
    bytes: usize,
}

impl Events {
    /// ENOMEM.
    pub fn new(most: usize) -> Result<Events, Errno> {
        let mut queue = VecDeque::new();
        // There is always room for one more: that others are lost.
        queue.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        Ok(Events {
            queue,
            most,
            bytes: 0,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes that a read of all would give.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an event, if it is not the same as the last one; whether it did.
    pub fn add(&mut self, watch: i32, mask: u32, cookie: u32, name: &[u8]) -> bool {
        let is_same =
            |last: &Event| (last.watch, last.mask) == (watch, mask) && *last.name == *name;
        if self.queue.back().is_some_and(is_same) {
            return false;
        }
        let fits = self.queue.len() < self.most && self.queue.try_reserve(2).is_ok();
        let event = match try_bytes(name) {
            Ok(name) if fits => Event {
                watch,
                mask,
                cookie,
                name,
            },
            _ => Event {
                watch: -1,
                mask: IN_Q_OVERFLOW,
                cookie: 0,
                name: Box::default(),
            },
        };
        if self.queue.back() == Some(&event) {
            // It is told already.
            return false;
        }
        self.bytes += event.size();
        self.queue.push_back(event);
        true
    }

    /// Takes the first event: EINVAL, and it stays, if it is longer than `room`.
    pub fn take(&mut self, room: usize) -> Option<Result<Event, Errno>> {
        let size = self.queue.front()?.size();
        if size > room {
            return Some(Err(Errno::EINVAL));
        }
        self.bytes -= size;
        self.queue.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_merged_with_the_last_only() {
        let mut events = Events::new(10).unwrap();
        assert!(events.add(1, 2, 0, b"a"));
        assert!(!events.add(1, 2, 0, b"a"));
        assert!(events.add(1, 2, 0, b"b"));
        assert!(events.add(1, 2, 0, b"a"));
        assert!(events.add(1, 4, 0, b"a"));
        assert!(events.add(2, 4, 0, b"a"));
        assert_eq!(events.bytes(), 5 * 32);
    }

    #[test]
    fn what_is_too_long_stays() {
        let mut events = Events::new(10).unwrap();
        events.add(1, 2, 7, &[b'x'; 16]);
        events.add(1, 2, 0, b"");
        assert_eq!(events.bytes(), 48 + 16);
        assert_eq!(events.take(47), Some(Err(Errno::EINVAL)));
        let first = events.take(48).unwrap().unwrap();
        assert_eq!((first.cookie, first.name_room()), (7, 32));
        assert_eq!(events.take(16).unwrap().unwrap().name_room(), 0);
        assert!(events.take(100).is_none() && events.is_empty());
    }

    #[test]
    fn too_many_are_told_of_once() {
        let mut events = Events::new(2).unwrap();
        for mask in 1..9 {
            events.add(1, mask, 0, b"");
        }
        let masks: std::vec::Vec<u32> =
            core::iter::from_fn(|| Some(events.take(16)?.unwrap().mask)).collect();
        assert_eq!(masks, [1, 2, IN_Q_OVERFLOW]);
        assert!(events.add(1, 1, 0, b""));
    }
}
