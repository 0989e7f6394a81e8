//! Numbers for inodes: the lowest that is free, as disks give them out.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

/// Which numbers are in use. Guarded by a lock of the file system.
pub(super) struct Numbers {
    /// Never given out, like all above it.
    next: u64,
    /// Below it, and free again.
    free: BinaryHeap<Reverse<u64>>,
}

impl Numbers {
    pub(super) const fn new() -> Numbers {
        Numbers {
            next: 1,
            free: BinaryHeap::new(),
        }
    }

    pub(super) fn take(&mut self) -> u64 {
        if let Some(Reverse(number)) = self.free.pop() {
            return number;
        }
        self.next += 1;
        self.next - 1
    }

    /// For want of memory a number is never used again: there are enough.
    pub(super) fn give_back(&mut self, number: u64) {
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
        assert_eq!([(); 4].map(|()| numbers.take()), [1, 2, 3, 4]);
        numbers.give_back(3);
        numbers.give_back(1);
        assert_eq!([(); 3].map(|()| numbers.take()), [1, 3, 5]);
    }
}
