//! Numbers for inodes: the lowest that is free, as disks give them out.

use alloc::vec::Vec;

use abi::Errno;

const WORD: usize = u64::BITS as usize;

/// Which numbers are in use. Guarded by a lock of the file system.
pub(super) struct Numbers {
    /// Never given out, like all above it.
    next: u64,
    /// A bit for each number below, from 1 on, that is free again.
    free: Vec<u64>,
    /// No word before this one has a bit.
    hint: usize,
    used: usize,
    /// How many may be used.
    most: usize,
}

impl Numbers {
    pub(super) const fn new() -> Numbers {
        Numbers {
            next: 1,
            free: Vec::new(),
            hint: 0,
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
        while let Some(word) = self.free.get_mut(self.hint) {
            if *word != 0 {
                let bit = word.trailing_zeros();
                *word &= *word - 1;
                return Ok((self.hint * WORD) as u64 + u64::from(bit) + 1);
            }
            self.hint += 1;
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// For want of memory a number is never used again: there are enough.
    pub(super) fn give_back(&mut self, number: u64) {
        self.used -= 1;
        let index = number as usize - 1;
        let word = index / WORD;
        let more = (word + 1).saturating_sub(self.free.len());
        if self.free.try_reserve(more).is_ok() {
            self.free.resize(self.free.len() + more, 0);
            self.free[word] |= 1 << (index % WORD);
            self.hint = self.hint.min(word);
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
    fn numbers_far_apart_come_back_in_order() {
        let mut numbers = Numbers::new();
        (1..=300).for_each(|number| assert_eq!(numbers.take(), Ok(number)));
        for number in [200, 64, 65, 299] {
            numbers.give_back(number);
        }
        assert_eq!([(); 2].map(|()| numbers.take()), [64, 65].map(Ok));
        numbers.give_back(1);
        let taken = [(); 4].map(|()| numbers.take());
        assert_eq!(taken, [1, 200, 299, 301].map(Ok));
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
