//! Numbers for inodes: the lowest that is free, as disks give them out.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use abi::Errno;

/// Which numbers are in use. Guarded by a lock of the file system.
pub(super) struct Numbers {
    /// Never given out, like all above it.
    next: u64,
    /// Below it, and free again.
    free: BinaryHeap<Reverse<u64>>,
    used: usize,
    /// How many may be used.
    most: usize,
}

impl Numbers {
    pub(super) const fn new() -> Numbers {
        Numbers {
            next: 1,
            free: BinaryHeap::new(),
            used: 0,
            most: usize::MAX,
        }
    }

    /// From here on only so many more can be had.
    pub(super) fn allow(&mut self, more: usize) {
        self.most = self.used.saturating_add(more);
    }

    pub(super) fn left(&self) -> usize {
        self.most.saturating_sub(self.used)
    }

    /// ENOSPC.
    pub(super) fn take(&mut self) -> Result<u64, Errno> {
        if self.left() == 0 {
            return Err(Errno::ENOSPC);
        }
        self.used += 1;
        if let Some(Reverse(number)) = self.free.pop() {
            return Ok(number);
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// For want of memory a number is never used again: there are enough.
    pub(super) fn give_back(&mut self, number: u64) {
        self.used -= 1;
        if self.free.try_reserve(1).is_ok() {
            self.free.push(Reverse(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_comes_first() {
        let mut numbers = Numbers::new();
        assert_eq!([(); 4].map(|()| numbers.take()), [1, 2, 3, 4].map(Ok));
        numbers.give_back(3);
        numbers.give_back(1);
        assert_eq!([(); 3].map(|()| numbers.take()), [1, 3, 5].map(Ok));
    }

    #[test]
    fn no_more_than_what_is_allowed() {
        let mut numbers = Numbers::new();
        assert_eq!(numbers.take(), Ok(1));
        numbers.allow(2);
        let taken = [(); 3].map(|()| numbers.take());
        assert_eq!(taken, [Ok(2), Ok(3), Err(Errno::ENOSPC)]);
        numbers.give_back(2);
        assert_eq!(numbers.left(), 1);
        assert_eq!(numbers.take(), Ok(2));
        assert_eq!(numbers.take(), Err(Errno::ENOSPC));
    }
}
