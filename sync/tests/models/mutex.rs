//! The mutex: one at a time, no wake lost, nobody passed by for ever.

use loom::{sync::Arc, thread};
use sync::{Mutex, rank};

use crate::{ALL, MOST, explore};

fn count(preemptions: usize, others: usize, rounds: u32) {
    explore(preemptions, move || {
        let mutex = Arc::new(Mutex::<u32, rank::Inode>::new(0));
        let add = move |mutex: &Mutex<u32, rank::Inode>| {
            for _ in 0..rounds {
                *mutex.lock() += 1;
            }
        };
        let others: Vec<_> = (0..others)
            .map(|_| {
                let mutex = mutex.clone();
                thread::spawn(move || add(&mutex))
            })
            .collect();
        add(&mutex);
        let threads = others.len() as u32 + 1;
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*mutex.lock(), threads * rounds);
    });
}

#[test]
fn two_threads_count_exactly() {
    count(ALL, 1, 2);
}

/// The other thread is woken, finds the mutex taken again, and is then given it:
/// this one's third turn comes after that.
#[test]
fn a_mutex_that_is_handed_over_stays_taken() {
    explore(MOST, || {
        let mutex = Arc::new(Mutex::<u32, rank::Inode>::new(0));
        let other = {
            let mutex = mutex.clone();
            thread::spawn(move || *mutex.lock() += 1)
        };
        for _ in 0..3 {
            *mutex.lock() += 1;
        }
        other.join().unwrap();
        assert_eq!(*mutex.lock(), 4);
    });
}

#[test]
fn three_threads_count_exactly() {
    count(MOST, 2, 1);
}

#[test]
fn an_attempt_never_enters_beside_the_holder() {
    explore(ALL, || {
        let mutex = Arc::new(Mutex::<u32, rank::Inode>::new(0));
        let other = {
            let mutex = mutex.clone();
            thread::spawn(move || mutex.try_lock().map(|mut value| *value += 1).is_some())
        };
        *mutex.lock() += 1;
        let entered = other.join().unwrap();
        assert_eq!(*mutex.lock(), 1 + u32::from(entered));
    });
}
