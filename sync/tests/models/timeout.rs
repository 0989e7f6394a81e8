//! Wakes that race with time-outs and interruptions: exactly one side wins, and
//! both agree which.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::scheduler::host;
use sync::{WaitError, WaitQueue};

use crate::{MOST, clock_reaches, explore};

type Queue = WaitQueue<u32>;

fn sleep(queue: &Queue, key: u32, deadline: Option<u64>) -> Result<(), WaitError> {
    match queue.wait_checked(key, deadline, true, || Ok::<_, ()>(())) {
        Ok(ended) => ended,
        Err(()) => unreachable!("the check allows it"),
    }
}

#[test]
fn a_wake_against_the_deadline() {
    explore(MOST, || {
        let queue = Arc::new(Queue::new());
        let waker = {
            let queue = queue.clone();
            thread::spawn(move || queue.wake_one())
        };
        let me = host::current();
        let timer = thread::spawn(move || clock_reaches(10, &me));
        let ended = sleep(&queue, 0, Some(10));
        timer.join().unwrap();
        let woke = waker.join().unwrap();
        assert_eq!(woke, ended.is_ok());
        assert!(ended != Err(WaitError::Interrupted));
        assert!(!queue.wake_one(), "nobody is left");
    });
}

#[test]
fn a_wake_against_an_interruption() {
    explore(MOST, || {
        let queue = Arc::new(Queue::new());
        let waker = {
            let queue = queue.clone();
            thread::spawn(move || queue.wake_one())
        };
        let me = host::current();
        let killer = thread::spawn(move || me.interrupt());
        let ended = sleep(&queue, 0, None);
        killer.join().unwrap();
        let woke = waker.join().unwrap();
        assert_eq!(woke, ended.is_ok());
        assert!(ended != Err(WaitError::TimedOut));
    });
}

/// A kernel semaphore in small: a post either hands its unit to a waiter or
/// stores it, and a waiter that times out has taken none.
#[test]
fn no_unit_of_a_semaphore_is_lost() {
    explore(MOST, || {
        let shared = Arc::new((AtomicU32::new(0), WaitQueue::<()>::new()));
        let poster = {
            let shared = shared.clone();
            thread::spawn(move || {
                let (value, queue) = &*shared;
                queue.wake_one_or(|| {
                    value.store(value.load(Ordering::Relaxed) + 1, Ordering::Relaxed)
                });
            })
        };
        let me = host::current();
        let timer = thread::spawn(move || clock_reaches(10, &me));
        let (value, queue) = &*shared;
        let waited = queue.wait_checked((), Some(10), false, || {
            match value.load(Ordering::Relaxed) {
                0 => Ok(()),
                units => {
                    value.store(units - 1, Ordering::Relaxed);
                    Err(())
                }
            }
        });
        timer.join().unwrap();
        poster.join().unwrap();
        let taken = matches!(waited, Err(()) | Ok(Ok(())));
        let left = queue.with_lock(|_| value.load(Ordering::Relaxed));
        assert_eq!(u32::from(taken) + left, 1);
    });
}

/// A waiter that gives up while it is moved: it finds the queue it is on.
#[test]
fn a_move_against_the_deadline() {
    explore(MOST, || {
        let queues: &'static [Queue; 2] = Box::leak(Box::new([Queue::new(), Queue::new()]));
        let mover = thread::spawn(move || {
            let moved = queues[0].requeue(&queues[1], 0, 1, |_| true, |key| *key += 1);
            let woke = queues[1].wake_if(1, |&key| key == 1);
            (moved.1, woke)
        });
        let me = host::current();
        let timer = thread::spawn(move || clock_reaches(10, &me));
        let ended = sleep(&queues[0], 0, Some(10));
        timer.join().unwrap();
        let (moved, woke) = mover.join().unwrap();
        assert!(woke <= moved);
        assert_eq!(woke == 1, ended.is_ok());
        assert!(!queues[0].wake_one() && !queues[1].wake_one());
    });
}

/// Moved to another queue, from which a third thread wakes it; if that finds
/// nobody yet, the interruption ends the sleep wherever it is.
#[test]
fn a_move_against_a_wake() {
    explore(MOST, || {
        let queues: &'static [Queue; 2] = Box::leak(Box::new([Queue::new(), Queue::new()]));
        let mover = thread::spawn(move || queues[0].requeue(&queues[1], 0, 1, |_| true, |_| ()));
        let me = host::current();
        let waker = thread::spawn(move || {
            let woke = queues[1].wake_one();
            if !woke {
                me.interrupt();
            }
            woke
        });
        let ended = sleep(&queues[0], 0, None);
        mover.join().unwrap();
        assert_eq!(ended.is_ok(), waker.join().unwrap());
    });
}
