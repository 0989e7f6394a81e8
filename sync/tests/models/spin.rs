//! The spin lock: one at a time, and each sees what the one before did.

use loom::{sync::Arc, thread};
use sync::{SpinLock, rank};

use crate::{ALL, SPINNING, explore};

fn count(preemptions: usize, others: u32, rounds: u32) {
    explore(preemptions, move || {
        let lock = Arc::new(SpinLock::<u32, rank::Group>::new(0));
        let add = move |lock: &SpinLock<u32, rank::Group>| {
            for _ in 0..rounds {
                *lock.lock() += 1;
            }
        };
        let threads: Vec<_> = (0..others)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || add(&lock))
            })
            .collect();
        add(&lock);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*lock.lock(), (others + 1) * rounds);
    });
}

#[test]
fn two_threads_count_exactly() {
    count(ALL, 1, 2);
}

#[test]
fn three_threads_count_exactly() {
    count(SPINNING, 2, 1);
}

#[test]
fn an_attempt_never_enters_beside_the_holder() {
    explore(ALL, || {
        let lock = Arc::new(SpinLock::<u32, rank::RunQueue>::new(0));
        let other = {
            let lock = lock.clone();
            thread::spawn(move || lock.try_lock().map(|mut value| *value += 1).is_some())
        };
        *lock.lock() += 1;
        let entered = other.join().unwrap();
        assert_eq!(*lock.lock(), 1 + u32::from(entered));
    });
}

#[test]
fn both_locks_in_either_order() {
    explore(ALL, || {
        let locks = Arc::new((
            SpinLock::<u32, rank::RunQueue>::new(0),
            SpinLock::<u32, rank::RunQueue>::new(0),
        ));
        let other = {
            let locks = locks.clone();
            thread::spawn(move || {
                let (mut second, mut first) = SpinLock::lock_both(&locks.1, &locks.0);
                *first += 1;
                *second += 1;
            })
        };
        {
            let (mut first, mut second) = SpinLock::lock_both(&locks.0, &locks.1);
            *first += 1;
            *second += 1;
        }
        other.join().unwrap();
        assert_eq!((*locks.0.lock(), *locks.1.lock()), (2, 2));
    });
}
