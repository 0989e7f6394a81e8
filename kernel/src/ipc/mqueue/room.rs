//! How much all queues may take: their number, and the bytes that their messages
//! could have.

use abi::Errno;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::ipc::setting::Setting;

/// `/proc/sys/fs/mqueue`: what a queue has whose maker does not say it, what others
/// than root may ask for, and how many queues they may make.
pub static MSG_DEFAULT: Setting = Setting::new(10, 1..=HARD_MOST);
pub static MSG_MAX: Setting = Setting::new(10, 1..=HARD_MOST);
pub static MSGSIZE_DEFAULT: Setting = Setting::new(8192, 128..=HARD_SIZE);
pub static MSGSIZE_MAX: Setting = Setting::new(8192, 128..=HARD_SIZE);
pub static QUEUES_MAX: Setting = Setting::new(256, 0..=i32::MAX as usize);

/// What root may ask for.
const HARD_MOST: usize = 65_536;
const HARD_SIZE: usize = 16 << 20;

/// What a message takes besides its bytes, as Linux counts it.
const HEADER: usize = 96;

static QUEUES: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// How many messages a queue may have, and how long each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub most: usize,
    pub size: usize,
}

impl Shape {
    /// What a program asks for: EINVAL.
    pub fn asked(most: i64, size: i64, passes_limits: bool) -> Result<Shape, Errno> {
        let (most_limit, size_limit) = match passes_limits {
            true => (HARD_MOST, HARD_SIZE),
            false => (MSG_MAX.get(), MSGSIZE_MAX.get()),
        };
        let number = |value, limit| match usize::try_from(value) {
            Ok(value) if (1..=limit).contains(&value) => Ok(value),
            _ => Err(Errno::EINVAL),
        };
        Ok(Shape {
            most: number(most, most_limit)?,
            size: number(size, size_limit)?,
        })
    }

    /// Of a program that does not ask.
    pub fn usual() -> Shape {
        Shape {
            most: MSG_DEFAULT.get().min(MSG_MAX.get()),
            size: MSGSIZE_DEFAULT.get().min(MSGSIZE_MAX.get()),
        }
    }

    fn cost(self) -> usize {
        self.most * (self.size + HEADER)
    }
}

/// How many queues there may be, and the bytes they may take, for one who makes one.
#[derive(Clone, Copy)]
pub struct Limits {
    pub queues: usize,
    pub bytes: usize,
}

/// What a queue takes of the limits while it is there.
pub struct Room {
    bytes: usize,
}

impl Room {
    /// ENOSPC if there are too many queues, EMFILE if they would take too much.
    pub fn take(shape: Shape, limits: Limits) -> Result<Room, Errno> {
        let bytes = shape.cost();
        add(&QUEUES, 1, limits.queues).ok_or(Errno::ENOSPC)?;
        if add(&BYTES, bytes, limits.bytes).is_none() {
            QUEUES.fetch_sub(1, Relaxed);
            return Err(Errno::EMFILE);
        }
        Ok(Room { bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        QUEUES.fetch_sub(1, Relaxed);
        BYTES.fetch_sub(self.bytes, Relaxed);
    }
}

/// Adds to a total, unless it would be more than `limit`.
fn add(total: &AtomicUsize, more: usize, limit: usize) -> Option<usize> {
    let sum = |total: usize| total.checked_add(more).filter(|&sum| sum <= limit);
    total.fetch_update(Relaxed, Relaxed, sum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_has_bounds() {
        let shape = |most, size| Shape { most, size };
        assert_eq!(Shape::asked(1, 1, true), Ok(shape(1, 1)));
        assert_eq!(
            Shape::asked(65_536, 16 << 20, true),
            Ok(shape(65_536, 16 << 20))
        );
        for (most, size) in [
            (0, 1),
            (1, 0),
            (-1, 1),
            (1, -1),
            (65_537, 1),
            (1, (16 << 20) + 1),
        ] {
            assert_eq!(
                Shape::asked(most, size, true),
                Err(Errno::EINVAL),
                "{most} {size}"
            );
        }
    }

    #[test]
    fn others_are_bounded_by_what_is_set() {
        assert!(Shape::asked(10, 8192, false).is_ok());
        assert_eq!(Shape::asked(11, 8192, false), Err(Errno::EINVAL));
        assert_eq!(Shape::asked(10, 8193, false), Err(Errno::EINVAL));
    }

    #[test]
    fn a_total_stays_below_its_limit() {
        let total = AtomicUsize::new(3);
        assert_eq!(add(&total, 2, 5), Some(3));
        assert_eq!(add(&total, 1, 5), None);
        assert_eq!(add(&total, usize::MAX, usize::MAX), None);
        assert_eq!(total.load(Relaxed), 5);
    }
}
