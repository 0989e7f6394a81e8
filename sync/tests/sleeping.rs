//! Sleeping with real threads: hand-offs, order, time-outs, interruptions, and
//! the locks that stand on wait queues. What the models in `models/` explore
//! bit by bit runs here at length.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use sync::scheduler::host::{self, HostScheduler};
use sync::{
    LAST, Mutex, OnceCell, RwLock, Scheduler, SpinLock, TicketLock, WaitError, WaitQueue, rank,
};

/// Miri takes a thousand times longer.
const ROUNDS: usize = if cfg!(miri) { 10 } else { 5000 };
const THREADS: usize = if cfg!(miri) { 3 } else { 4 };
/// More than a queue wakes in one batch.
const CROWD: usize = if cfg!(miri) { 34 } else { 80 };

/// Sleeps under `key`, having said so.
fn sleep(queue: &WaitQueue<usize>, key: usize, asleep: &AtomicUsize) -> Result<(), WaitError> {
    let allow = || {
        asleep.fetch_add(1, Ordering::Release);
        Ok::<_, ()>(())
    };
    queue
        .wait_checked(key, None, true, allow)
        .expect("the check allows it")
}

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn every_hand_off_arrives() {
    let turn = AtomicUsize::new(0);
    let queue = WaitQueue::<()>::new();
    let play = |parity: usize| {
        for _ in 0..ROUNDS {
            queue.wait_until(|| (turn.load(Ordering::Acquire) % 2 == parity).then_some(()));
            turn.fetch_add(1, Ordering::Release);
            queue.wake_one();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| play(0));
        scope.spawn(|| play(1));
    });
    assert_eq!(turn.into_inner(), 2 * ROUNDS);
}

#[test]
fn a_waker_gives_and_chooses() {
    static QUEUE: WaitQueue<usize> = WaitQueue::new();
    let asleep = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for index in 0..4 {
            let (asleep, sender) = (&asleep, sender.clone());
            scope.spawn(move || {
                let allow = || {
                    asleep.fetch_add(1, Ordering::Release);
                    Ok::<_, ()>(())
                };
                let slept = QUEUE.wait_exchanging(LAST, index, None, true, allow);
                sender.send((index, slept)).expect("the receiver is there");
            });
            until(|| asleep.load(Ordering::Acquire) > index);
        }
        let mut seen = Vec::new();
        QUEUE.with_lock(|waiters| {
            waiters.wake_if(|payload| {
                *payload += 10;
                *payload % 2 == 1
            });
            waiters.each(|&payload| seen.push(payload));
        });
        assert_eq!(seen, [10, 12]);
        let mut woken: Vec<_> = receiver.iter().take(2).collect();
        woken.sort_unstable_by_key(|&(index, _)| index);
        assert_eq!(woken, [(1, Ok((Ok(()), 11))), (3, Ok((Ok(()), 13)))]);
        assert_eq!(QUEUE.wake_all(), 2);
    });
}

#[test]
fn the_most_urgent_is_the_first() {
    static QUEUE: WaitQueue<usize> = WaitQueue::new();
    static OTHER: WaitQueue<usize> = WaitQueue::new();
    let asleep = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let urgencies = [LAST, 7, 3, LAST, 7, 0];
    thread::scope(|scope| {
        for (index, urgency) in urgencies.into_iter().enumerate() {
            let (asleep, sender) = (&asleep, sender.clone());
            scope.spawn(move || {
                let allow = || {
                    asleep.fetch_add(1, Ordering::Release);
                    Ok::<_, ()>(())
                };
                let slept = QUEUE.wait_urgent(urgency, index, None, true, allow);
                assert_eq!(slept, Ok(Ok(())));
                sender.send(index).expect("the receiver is there");
            });
            until(|| asleep.load(Ordering::Acquire) > index);
        }
        let mut woken = Vec::new();
        let mut wake = |queue: &WaitQueue<usize>| {
            assert!(queue.wake_one());
            woken.push(receiver.recv().expect("somebody was woken"));
        };
        wake(&QUEUE);
        wake(&QUEUE);
        // Those who are moved keep their order.
        assert_eq!(
            QUEUE.requeue(&OTHER, 0, 2, |&index| index != 1, |_| ()),
            (0, 2)
        );
        wake(&OTHER);
        wake(&OTHER);
        wake(&QUEUE);
        wake(&QUEUE);
        assert_eq!(woken, [5, 2, 4, 0, 1, 3]);
    });
}

#[test]
fn every_unit_finds_a_taker() {
    let units = AtomicUsize::new(0);
    let queue = WaitQueue::<(), rank::ThreadQueue>::new();
    let take = || {
        units
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |units| {
                units.checked_sub(1)
            })
            .ok()
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    queue.wait_until(take);
                }
            });
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    units.fetch_add(1, Ordering::Release);
                    queue.wake_one();
                }
            });
        }
    });
    assert_eq!(units.into_inner(), 0);
}

#[test]
fn the_first_to_come_is_the_first_woken() {
    let queue = WaitQueue::<usize>::new();
    let asleep = AtomicUsize::new(0);
    let (woken, order) = mpsc::channel();
    thread::scope(|scope| {
        for index in 0..THREADS {
            let (woken, queue, asleep) = (woken.clone(), &queue, &asleep);
            scope.spawn(move || {
                sleep(queue, index, asleep).unwrap();
                woken.send(index).unwrap();
            });
            until(|| asleep.load(Ordering::Acquire) == index + 1);
        }
        for index in 0..THREADS {
            assert!(queue.wake_one());
            assert_eq!(order.recv().unwrap(), index);
        }
        assert!(!queue.wake_one());
    });
}

#[test]
fn a_crowd_is_woken_whole_and_by_key() {
    let queue = WaitQueue::<usize>::new();
    let asleep = AtomicUsize::new(0);
    thread::scope(|scope| {
        for index in 0..CROWD {
            let (queue, asleep) = (&queue, &asleep);
            scope.spawn(move || sleep(queue, index % 2, asleep).unwrap());
        }
        until(|| asleep.load(Ordering::Acquire) == CROWD);
        assert_eq!(queue.wake_if(3, |&key| key == 1), 3);
        assert_eq!(queue.wake_if(0, |_| true), 0);
        assert_eq!(queue.wake_if(usize::MAX, |&key| key == 1), CROWD / 2 - 3);
        assert_eq!(queue.wake_if(usize::MAX, |&key| key == 1), 0);
        assert_eq!(queue.wake_all(), CROWD / 2);
        assert_eq!(queue.wake_all(), 0);
    });
}

#[test]
fn if_nobody_waits_something_else_happens() {
    let queue = WaitQueue::<usize>::new();
    let (asleep, other) = (AtomicUsize::new(0), AtomicU32::new(0));
    let otherwise = || {
        other.fetch_add(1, Ordering::Relaxed);
    };
    assert!(!queue.wake_one_or(otherwise));
    assert_eq!(other.load(Ordering::Relaxed), 1);
    thread::scope(|scope| {
        scope.spawn(|| sleep(&queue, 0, &asleep).unwrap());
        until(|| asleep.load(Ordering::Acquire) == 1);
        assert!(queue.wake_one_or(otherwise));
    });
    assert_eq!(other.into_inner(), 1);
}

#[test]
fn a_wait_ends_at_its_deadline() {
    let queue = WaitQueue::<()>::new();
    let start = HostScheduler.now();
    let deadline = start + 2_000_000;
    let never = || None::<()>;
    assert_eq!(
        queue.wait_interruptible(never, Some(deadline)),
        Err(WaitError::TimedOut)
    );
    assert!(HostScheduler.now() >= deadline);
    assert_eq!(
        queue.wait_interruptible(never, Some(0)),
        Err(WaitError::TimedOut)
    );
    let allow = || Ok::<_, ()>(());
    assert_eq!(
        queue.wait_checked((), Some(start), false, allow),
        Ok(Err(WaitError::TimedOut))
    );
    assert_eq!(queue.wait_interruptible(|| Some(7), Some(0)), Ok(7));
    assert!(!queue.wake_one(), "nobody was left behind");
}

#[test]
fn an_interruption_ends_only_waits_that_allow_it() {
    let queue = WaitQueue::<()>::new();
    let (flag, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            host::current().interrupt();
            assert_eq!(
                queue.wait_interruptible(|| None::<()>, None),
                Err(WaitError::Interrupted)
            );
            ready.store(true, Ordering::Release);
            queue.wait_until(|| flag.load(Ordering::Acquire).then_some(()));
            host::current().forget_interrupt();
        });
        until(|| ready.load(Ordering::Acquire));
        thread::yield_now();
        flag.store(true, Ordering::Release);
        queue.wake_all();
        sleeper.join().unwrap();
    });
}

#[test]
fn a_check_that_refuses_does_not_sleep() {
    let queue = WaitQueue::<()>::new();
    assert_eq!(queue.wait_checked((), None, false, || Err("no")), Err("no"));
    assert!(!queue.wake_one());
}

#[test]
fn a_condition_that_panics_leaves_the_queue_whole() {
    let queue = WaitQueue::<()>::new();
    let looks = AtomicU32::new(0);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        queue.wait_until(|| match looks.fetch_add(1, Ordering::Relaxed) {
            0 => None::<()>,
            _ => panic!("while registered"),
        })
    }));
    assert!(panic.is_err());
    assert!(!queue.wake_one());
}

#[test]
fn waiters_move_between_queues() {
    static QUEUES: [WaitQueue<usize>; 2] = [WaitQueue::new(), WaitQueue::new()];
    let asleep = AtomicUsize::new(0);
    let [from, to] = &QUEUES;
    thread::scope(|scope| {
        for index in 0..6 {
            let asleep = &asleep;
            scope.spawn(move || sleep(&QUEUES[0], index, asleep).unwrap());
            until(|| asleep.load(Ordering::Acquire) == index + 1);
        }
        let even = |key: &usize| key.is_multiple_of(2);
        assert_eq!(
            from.requeue_checked(to, || Err("no"), 1, 1, even, |_| ()),
            Err("no")
        );
        assert_eq!(from.requeue(to, 1, 9, even, |key| *key += 10), (1, 2));
        assert_eq!(from.wake_if(9, even), 0);
        assert_eq!(to.wake_if(9, |&key| key == 12), 1);
        assert_eq!(from.requeue(from, 0, 1, |_| true, |key| *key += 20), (0, 1));
        assert_eq!(from.wake_if(9, |&key| key == 21), 1);
        assert_eq!((from.wake_all(), to.wake_all()), (2, 1));
    });
}

#[test]
fn releasing_and_sleeping_lose_nothing() {
    let state = SpinLock::<usize, rank::Group>::new(0);
    let queue = WaitQueue::<(), rank::ThreadQueue>::new();
    let play = |parity: usize| {
        for _ in 0..ROUNDS {
            let mut turn = state.lock();
            while *turn % 2 != parity {
                queue.wait_releasing(turn, None, false).unwrap();
                turn = state.lock();
            }
            *turn += 1;
            drop(turn);
            queue.wake_one();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| play(0));
        scope.spawn(|| play(1));
    });
    assert_eq!(*state.lock(), 2 * ROUNDS);
}

#[test]
fn each_lock_counts_exactly() {
    let spin = SpinLock::<usize, rank::Group>::new(0);
    let ticket = TicketLock::<usize, rank::Threads>::new(0);
    let mutex = Mutex::<usize, rank::Inode>::new(0);
    let shared = RwLock::<(usize, usize), rank::Space>::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    *spin.lock() += 1;
                    *ticket.lock() += 1;
                    *mutex.lock() += 1;
                    if round % 4 == 0 {
                        let mut pair = shared.write();
                        pair.0 += 1;
                        pair.1 += 1;
                    } else {
                        let pair = shared.read();
                        assert_eq!(pair.0, pair.1);
                    }
                }
            });
        }
    });
    assert_eq!(spin.into_inner(), THREADS * ROUNDS);
    assert_eq!(ticket.into_inner(), THREADS * ROUNDS);
    assert_eq!(mutex.into_inner(), THREADS * ROUNDS);
    assert_eq!(shared.into_inner().0, THREADS * ROUNDS.div_ceil(4));
}

/// The holder comes back at once each time; the waiter gets its turn all the same.
#[test]
fn nobody_is_passed_by_for_ever() {
    let mutex = Mutex::<bool, rank::Inode>::new(false);
    let started = AtomicBool::new(false);
    thread::scope(|scope| {
        let first = mutex.lock();
        scope.spawn(|| {
            started.store(true, Ordering::Release);
            *mutex.lock() = true;
        });
        until(|| started.load(Ordering::Acquire));
        drop(first);
        while !*mutex.lock() {}
    });
}

#[test]
fn readers_do_not_keep_a_writer_out() {
    let lock = RwLock::<bool, rank::Space>::new(false);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| while !*lock.read() {});
        }
        *lock.write() = true;
    });
    let writing = lock.write();
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    let reading = writing.downgrade();
    assert!(lock.try_read().is_some() && lock.try_write().is_none());
    drop(reading);
    assert!(lock.try_write().is_some());
}

#[test]
fn two_mutexes_in_either_order() {
    let pair = [
        Mutex::<usize, rank::Directory>::new(0),
        Mutex::<usize, rank::Directory>::new(0),
    ];
    thread::scope(|scope| {
        for (one, other) in [(0, 1), (1, 0)] {
            let pair = &pair;
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let (mut first, mut second) = Mutex::lock_both(&pair[one], &pair[other]);
                    *first += 1;
                    *second += 1;
                }
            });
        }
    });
    assert_eq!(*pair[0].lock(), 2 * ROUNDS);
}

#[test]
fn a_cell_is_filled_once() {
    let cell = OnceCell::<usize>::new();
    let made = AtomicUsize::new(0);
    assert!(cell.get().is_none());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let value = *cell.get_or_init(|| {
                    made.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                    7
                });
                assert_eq!(value, 7);
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
    assert_eq!(cell.set(8), Err(8));
}

#[test]
fn a_maker_that_panics_leaves_it_to_the_next() {
    let cell = OnceCell::<usize>::new();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        cell.get_or_init(|| panic!("while making"));
    }));
    assert!(panic.is_err());
    assert_eq!(*cell.get_or_init(|| 3), 3);
}
