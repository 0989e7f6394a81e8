//! The bytes of a pipe: a ring over one contiguous piece of memory.
//!
//! Plain data; the pipe's lock guards it. Both ends hand out slices, so that a
//! transfer is one or two bulk copies however large it is. A ring that has run
//! empty starts again at its beginning, which makes the usual transfer one copy.

use abi::Errno;

use crate::files::allocate::try_zeroed;
use alloc::boxed::Box;

/// A growable ring of bytes. The capacity is zero or a power of two.
pub struct Ring {
    bytes: Box<[u8]>,
    /// Where the oldest byte is.
    start: usize,
    used: usize,
}

impl Ring {
    /// An empty ring without memory.
    pub fn new() -> Ring {
        Ring {
            bytes: Box::default(),
            start: 0,
            used: 0,
        }
    }

    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub fn used(&self) -> usize {
        self.used
    }

    /// Grows to `capacity`, a power of two; ENOMEM leaves all as it was.
    pub fn grow(&mut self, capacity: usize) -> Result<(), Errno> {
        match capacity <= self.capacity() {
            true => Ok(()),
            false => self.resize(capacity),
        }
    }

    /// Makes the capacity a power of two that holds what is there; ENOMEM leaves
    /// all as it was.
    pub fn resize(&mut self, capacity: usize) -> Result<(), Errno> {
        debug_assert!(capacity.is_power_of_two() && capacity >= self.used);
        let mut bytes = try_zeroed(capacity)?;
        let (first, second) = self.filled();
        let split = first.len();
        bytes[..split].copy_from_slice(first);
        bytes[split..split + second.len()].copy_from_slice(second);
        self.bytes = bytes;
        self.start = 0;
        Ok(())
    }

    /// The bytes to read, oldest first, in at most two pieces.
    pub fn filled(&self) -> (&[u8], &[u8]) {
        let end = self.start + self.used;
        match end.checked_sub(self.capacity()) {
            Some(wrapped) => (&self.bytes[self.start..], &self.bytes[..wrapped]),
            None => (&self.bytes[self.start..end], &[]),
        }
    }

    /// The room to write to, in at most two pieces.
    pub fn vacant(&mut self) -> (&mut [u8], &mut [u8]) {
        let capacity = self.capacity();
        let end = self.start + self.used;
        if end >= capacity {
            (&mut self.bytes[end - capacity..self.start], &mut [])
        } else {
            let (head, tail) = self.bytes.split_at_mut(end);
            (tail, &mut head[..self.start])
        }
    }

    /// Counts the first `count` bytes of [`Ring::vacant`] as written.
    pub fn produced(&mut self, count: usize) {
        debug_assert!(count <= self.capacity() - self.used);
        self.used += count;
    }

    /// Forgets the `count` oldest bytes.
    pub fn consumed(&mut self, count: usize) {
        debug_assert!(count <= self.used);
        self.used -= count;
        self.start = match self.used {
            0 => 0,
            _ => (self.start + count) & (self.capacity() - 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    #[derive(Clone, Debug)]
    enum Step {
        Write(Vec<u8>),
        Read(usize),
        Resize(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Step::Write),
            (0usize..40).prop_map(Step::Read),
            (3u32..8).prop_map(Step::Resize),
        ]
    }

    fn write(ring: &mut Ring, bytes: &[u8]) -> usize {
        let (first, second) = ring.vacant();
        let one = first.len().min(bytes.len());
        first[..one].copy_from_slice(&bytes[..one]);
        let two = second.len().min(bytes.len() - one);
        second[..two].copy_from_slice(&bytes[one..one + two]);
        ring.produced(one + two);
        one + two
    }

    proptest! {
        #[test]
        fn behaves_as_a_queue(steps in proptest::collection::vec(step(), 0..200)) {
            let mut ring = Ring::new();
            let mut model = VecDeque::new();
            for step in steps {
                match step {
                    Step::Write(bytes) => {
                        let room = ring.capacity() - ring.used();
                        let count = write(&mut ring, &bytes);
                        prop_assert_eq!(count, room.min(bytes.len()));
                        model.extend(&bytes[..count]);
                    }
                    Step::Read(most) => {
                        let (first, second) = ring.filled();
                        let got: Vec<u8> = first.iter().chain(second).copied().take(most).collect();
                        let expected: Vec<u8> = model.drain(..got.len()).collect();
                        ring.consumed(got.len());
                        prop_assert_eq!(got, expected);
                    }
                    Step::Resize(order) => {
                        if 1 << order >= ring.used() {
                            ring.resize(1 << order).unwrap();
                        }
                    }
                }
                prop_assert_eq!(ring.used(), model.len());
            }
        }
    }
}
