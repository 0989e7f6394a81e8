//! The ticket lock: one at a time, in the order of the tickets.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::{TicketLock, rank};

use crate::{ALL, SPINNING, explore};

fn count(preemptions: usize, others: u32, rounds: u32) {
    explore(preemptions, move || {
        let lock = Arc::new(TicketLock::<u32, rank::Group>::new(0));
        let add = move |lock: &TicketLock<u32, rank::Group>| {
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
        let lock = Arc::new(TicketLock::<u32, rank::Group>::new(0));
        let other = {
            let lock = lock.clone();
            thread::spawn(move || lock.try_lock().map(|mut value| *value += 1).is_some())
        };
        *lock.lock() += 1;
        let entered = other.join().unwrap();
        assert_eq!(*lock.lock(), 1 + u32::from(entered));
    });
}

/// Fairness: between two turns of this thread, another that has drawn its ticket
/// has had its own, however the threads are switched.
#[test]
fn nobody_overtakes_a_ticket() {
    explore(ALL, || {
        let lock = Arc::new(TicketLock::<u32, rank::Group>::new(0));
        let entered = Arc::new(AtomicU32::new(0));
        let held = lock.lock();
        let other = {
            let (lock, entered) = (lock.clone(), entered.clone());
            thread::spawn(move || {
                let mut turns = lock.lock();
                entered.store(1, Ordering::Relaxed);
                *turns += 1;
            })
        };
        drop(held);
        // An attempt succeeds only if nobody waits; so when it fails, the next
        // turn here comes after the other's.
        let other_waited = lock.try_lock().is_none();
        let turns = lock.lock();
        if other_waited {
            assert_eq!(*turns, 1, "overtaken");
            assert_eq!(entered.load(Ordering::Relaxed), 1);
        }
        drop(turns);
        other.join().unwrap();
    });
}
