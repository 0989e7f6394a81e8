//! A part of what all objects of a sort may take together.

use abi::Errno;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Given back when it is dropped.
pub struct Room {
    total: &'static AtomicUsize,
    amount: usize,
}

impl Room {
    /// ENOSPC if `total` would be more than `most`.
    pub fn take(total: &'static AtomicUsize, amount: usize, most: usize) -> Result<Room, Errno> {
        let sum = |total: usize| total.checked_add(amount).filter(|&sum| sum <= most);
        let taken = total.fetch_update(Relaxed, Relaxed, sum);
        taken
            .map(|_| Room { total, amount })
            .map_err(|_| Errno::ENOSPC)
    }

    pub fn amount(&self) -> usize {
        self.amount
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.total.fetch_sub(self.amount, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_most() {
        static TOTAL: AtomicUsize = AtomicUsize::new(0);
        let take = |amount| Room::take(&TOTAL, amount, 10);
        let six = take(6).unwrap();
        assert!(take(5).is_err() && take(usize::MAX).is_err());
        let four = take(4).unwrap();
        assert_eq!((four.amount(), TOTAL.load(Relaxed)), (4, 10));
        drop(six);
        assert_eq!(TOTAL.load(Relaxed), 4);
        assert!(take(6).is_ok());
    }
}
