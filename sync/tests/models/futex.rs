//! The futex-like sleep: a word that user code changes without the kernel, a
//! check of it under the queue's lock, and wakes by key.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::scheduler::host;
use sync::{WaitError, WaitQueue, rank};

use crate::{ALL, MOST, clock_reaches, explore};

/// One user word, and the bucket it shares with others.
struct User {
    word: AtomicU32,
    bucket: WaitQueue<u32, rank::Futex>,
}

const KEY: u32 = 7;

impl User {
    fn new(word: u32) -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU32::new(word),
            bucket: WaitQueue::new(),
        })
    }

    /// The outer error says that the word was not `expected`.
    fn wait(&self, expected: u32, deadline: Option<u64>) -> Result<Result<(), WaitError>, ()> {
        self.bucket.wait_checked(KEY, deadline, true, || {
            match self.word.load(Ordering::Relaxed) == expected {
                true => Ok(()),
                false => Err(()),
            }
        })
    }

    fn wake(&self, count: usize) -> usize {
        self.bucket.wake_if(count, |&key| key == KEY)
    }

    /// A mutex on the word as user code writes it: 0 free, 1 taken, 2 taken
    /// with sleepers.
    fn lock(&self) {
        if self
            .word
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            while self.word.swap(2, Ordering::Acquire) != 0 {
                let _ = self.wait(2, None);
            }
        }
    }

    fn unlock(&self) {
        if self.word.swap(0, Ordering::Release) == 2 {
            self.wake(1);
        }
    }
}

#[test]
fn a_change_and_a_wake_end_the_sleep() {
    explore(ALL, || {
        let user = User::new(0);
        let waker = {
            let user = user.clone();
            thread::spawn(move || {
                user.word.store(1, Ordering::Relaxed);
                user.wake(1)
            })
        };
        let slept = user.wait(0, None).is_ok();
        assert_eq!(waker.join().unwrap() == 1, slept);
    });
}

#[test]
fn a_user_mutex_counts_exactly() {
    explore(MOST, || {
        let user = User::new(0);
        let inside = Arc::new(AtomicU32::new(0));
        let work = |user: &User, inside: &AtomicU32| {
            user.lock();
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
            inside.fetch_sub(1, Ordering::Relaxed);
            user.unlock();
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (user, inside) = (user.clone(), inside.clone());
                thread::spawn(move || work(&user, &inside))
            })
            .collect();
        work(&user, &inside);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(user.wake(1), 0, "nobody is left asleep");
    });
}

/// What a wake says it woke, it woke: a time-out does not swallow it.
#[test]
fn a_wake_is_not_spent_on_one_who_timed_out() {
    explore(MOST, || {
        let user = User::new(0);
        let waker = {
            let user = user.clone();
            thread::spawn(move || user.wake(1))
        };
        let me = host::current();
        let timer = thread::spawn(move || clock_reaches(10, &me));
        let ended = user.wait(0, Some(10));
        timer.join().unwrap();
        assert_eq!(waker.join().unwrap() == 1, ended == Ok(Ok(())));
    });
}
