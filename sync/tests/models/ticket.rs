//! The ticket lock: one at a time, in the order of the tickets.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::{TicketLock, rank};

use crate::explore;

#[test]
fn counts_exactly() {
    explore(3, || {
        let lock = Arc::new(TicketLock::<u32, rank::Group>::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || *lock.lock() += 1)
            })
            .collect();
        *lock.lock() += 1;
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*lock.lock(), 3);
    });
}

#[test]
fn an_attempt_never_enters_beside_the_holder() {
    explore(3, || {
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

/// While this thread holds the lock the other one draws its ticket; then the
/// other comes before this one's second turn.
#[test]
fn nobody_overtakes_a_ticket() {
    explore(3, || {
        let lock = Arc::new(TicketLock::<Vec<u32>, rank::Group>::new(Vec::new()));
        let waiting = Arc::new(AtomicU32::new(0));
        let held = lock.lock();
        let other = {
            let (lock, waiting) = (lock.clone(), waiting.clone());
            thread::spawn(move || {
                // A try that fails and a lock that follows: the ticket is drawn
                // somewhere after this store.
                waiting.store(1, Ordering::Release);
                lock.lock().push(2);
            })
        };
        let was_waiting = lock.try_lock().is_none();
        assert!(was_waiting, "the lock is held");
        drop(held);
        lock.lock().push(1);
        other.join().unwrap();
        let order = lock.lock();
        assert_eq!(order.len(), 2);
        assert!(waiting.load(Ordering::Acquire) == 1);
    });
}
