//! The wait queue: no wake is lost, whoever comes first.

use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::{SpinLock, WaitQueue, rank};

use crate::{ALL, MOST, explore};

#[test]
fn a_wake_between_check_and_sleep_is_kept() {
    explore(ALL, || {
        let shared = Arc::new((AtomicBool::new(false), WaitQueue::<()>::new()));
        let waker = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0.store(true, Ordering::Relaxed);
                shared.1.wake_one();
            })
        };
        let (flag, queue) = &*shared;
        queue.wait_until(|| flag.load(Ordering::Relaxed).then_some(()));
        waker.join().unwrap();
    });
}

/// One hand-off each way, as in a pipe's round trip.
#[test]
fn a_round_trip() {
    explore(ALL, || {
        let shared = Arc::new((AtomicU32::new(0), WaitQueue::<()>::new()));
        let other = {
            let shared = shared.clone();
            thread::spawn(move || {
                let (turn, queue) = &*shared;
                queue.wait_until(|| (turn.load(Ordering::Acquire) == 1).then_some(()));
                turn.store(2, Ordering::Release);
                queue.wake_all();
            })
        };
        let (turn, queue) = &*shared;
        turn.store(1, Ordering::Release);
        queue.wake_all();
        queue.wait_until(|| (turn.load(Ordering::Acquire) == 2).then_some(()));
        other.join().unwrap();
    });
}

#[test]
fn all_are_woken() {
    explore(MOST, || {
        let shared = Arc::new((AtomicBool::new(false), WaitQueue::<()>::new()));
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let (flag, queue) = &*shared;
                    queue.wait_until(|| flag.load(Ordering::Relaxed).then_some(()));
                })
            })
            .collect();
        shared.0.store(true, Ordering::Relaxed);
        shared.1.wake_all();
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
    });
}

/// Two units and two wakes for two who each take one.
#[test]
fn each_wake_reaches_one() {
    explore(MOST, || {
        let shared = Arc::new((AtomicU32::new(0), WaitQueue::<()>::new()));
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let (units, queue) = &*shared;
                    queue.wait_until(|| take(units));
                })
            })
            .collect();
        for _ in 0..2 {
            shared.0.fetch_add(1, Ordering::Relaxed);
            shared.1.wake_one();
        }
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
        assert_eq!(shared.0.load(Ordering::Relaxed), 0);
    });
}

fn take(units: &AtomicU32) -> Option<()> {
    units
        .fetch_update(Ordering::Acquire, Ordering::Relaxed, |units| {
            units.checked_sub(1)
        })
        .ok()
        .map(drop)
}

/// The condition changes under a lock that the sleeper gives up as it sleeps.
#[test]
fn releasing_a_lock_and_sleeping_are_one_step() {
    explore(ALL, || {
        let shared = Arc::new((
            SpinLock::<bool, rank::Group>::new(false),
            WaitQueue::<(), rank::ThreadQueue>::new(),
        ));
        let waker = {
            let shared = shared.clone();
            thread::spawn(move || {
                *shared.0.lock() = true;
                shared.1.wake_one();
            })
        };
        let (state, queue) = &*shared;
        loop {
            let ready = state.lock();
            if *ready {
                break;
            }
            queue.wait_releasing(ready, None, false).unwrap();
        }
        waker.join().unwrap();
    });
}

/// The waker's last touch comes before the sleeper's return: the queue and the
/// thread may go right after it. (The host scheduler checks that no waker drops
/// the last reference to a thread.)
#[test]
fn the_sleeper_may_leave_at_once() {
    explore(ALL, || {
        let shared = Arc::new((AtomicBool::new(false), WaitQueue::<()>::new()));
        let sleeper = {
            let shared = shared.clone();
            thread::spawn(move || {
                let (flag, queue) = &*shared;
                queue.wait_until(|| flag.load(Ordering::Relaxed).then_some(()));
            })
        };
        shared.0.store(true, Ordering::Relaxed);
        shared.1.wake_one();
        sleeper.join().unwrap();
    });
}
