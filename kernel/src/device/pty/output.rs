//! What a slave has sent and its master has not read: a ring of bytes.

use abi::Errno;
use alloc::boxed::Box;

use super::PORTION;
use crate::files::allocate::try_zeroed;

/// How much programs can write ahead.
const WRITTEN: usize = 4096;
/// Room for what is echoed to one who writes and does not read.
const ECHOED: usize = 1024;
/// Programs have looked for room before they write so much at most.
const CAPACITY: usize = WRITTEN + ECHOED + 2 * PORTION;

pub struct Output {
    bytes: Box<[u8]>,
    start: usize,
    used: usize,
}

impl Output {
    /// ENOMEM.
    pub fn new() -> Result<Output, Errno> {
        Ok(Output {
            bytes: try_zeroed(CAPACITY)?,
            start: 0,
            used: 0,
        })
    }

    pub fn used(&self) -> usize {
        self.used
    }

    /// For what programs write.
    pub fn room(&self) -> usize {
        WRITTEN.saturating_sub(self.used)
    }

    /// Adds bytes that there is room for.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            debug_assert!(self.used < CAPACITY, "the writer has looked for room");
            self.bytes[(self.start + self.used) % CAPACITY] = byte;
            self.used += 1;
        }
    }

    /// Adds bytes, wholly or not at all.
    pub fn echo(&mut self, bytes: &[u8]) {
        if self.used + bytes.len() <= WRITTEN + ECHOED {
            self.push(bytes);
        }
    }

    /// Copies the oldest bytes; how many.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.used);
        for (at, byte) in into[..count].iter_mut().enumerate() {
            *byte = self.bytes[(self.start + at) % CAPACITY];
        }
        count
    }

    /// Removes the oldest bytes, of which there are so many if nobody has removed
    /// them before.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.used);
        self.start = (self.start + count) % CAPACITY;
        self.used -= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_leaves_room_for_a_writer_who_has_looked() {
        let mut output = Output::new().unwrap();
        output.push(&[b'.'; WRITTEN - 2]);
        let room = output.room();
        assert_eq!(room, 2);
        while output.used() < WRITTEN + ECHOED {
            output.echo(b"e");
        }
        output.echo(b"lost");
        output.push(&[b'w'; 2 * PORTION]);
        assert_eq!((output.room(), output.used()), (0, CAPACITY));
        output.consume(CAPACITY - 1);
        let mut rest = [0; 2];
        assert_eq!((output.peek(&mut rest), rest[0]), (1, b'w'));
        assert_eq!(output.room(), WRITTEN - 1);
    }

    #[test]
    fn bytes_come_out_in_order_around_the_end() {
        let mut output = Output::new().unwrap();
        let (mut next, mut expected) = (0u8, 0u8);
        for _ in 0..100 {
            let bytes: [u8; 251] = core::array::from_fn(|_| {
                next = next.wrapping_add(1);
                next
            });
            output.push(&bytes);
            let mut read = [0; 251];
            assert_eq!(output.peek(&mut read), 251);
            output.consume(251);
            for byte in read {
                expected = expected.wrapping_add(1);
                assert_eq!(byte, expected);
            }
        }
    }
}
