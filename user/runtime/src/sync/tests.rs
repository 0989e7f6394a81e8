//! The locks against the host's threads and its futex.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::scope;
use std::vec::Vec;

fn counts<R: RawLock + Sync>(raw: R) {
    struct Count(core::cell::UnsafeCell<u64>);
    // SAFETY: touched only under the lock.
    unsafe impl Sync for Count {}
    let count = Count(core::cell::UnsafeCell::new(0));
    scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                let count = &count;
                for _ in 0..20_000 {
                    raw.lock();
                    // SAFETY: under the lock.
                    unsafe { *count.0.get() += 1 };
                    raw.unlock();
                }
            });
        }
    });
    assert_eq!(count.0.into_inner(), 160_000);
    assert!(raw.try_lock() && !raw.try_lock());
}

#[test]
fn locks_exclude() {
    counts(RawMutex::NEW);
    counts(RawTicketLock::NEW);
}

#[test]
fn tickets_wrap() {
    counts(RawTicketLock::starting_at(u32::MAX - 70_000));
    counts(RawTicketLock::starting_at(u32::MAX));
}

#[test]
fn tickets_are_served_in_order() {
    let lock = RawTicketLock::starting_at(u32::MAX - 20);
    let order = Mutex::new(Vec::new());
    lock.lock();
    scope(|s| {
        for i in 0..40 {
            let (lock, order) = (&lock, &order);
            s.spawn(move || {
                lock.lock();
                order.lock().push(i);
                lock.unlock();
            });
            // The next one comes only after this one has its ticket.
            while lock.queued() != i + 2 {
                std::thread::yield_now();
            }
        }
        lock.unlock();
    });
    assert_eq!(order.into_inner(), (0..40).collect::<Vec<_>>());
}

#[test]
fn conditions_hand_over() {
    let turn = Mutex::new(0u32);
    let changed = Condvar::new();
    scope(|s| {
        for me in 0..4 {
            let (turn, changed) = (&turn, &changed);
            s.spawn(move || {
                for round in 0..5_000 {
                    let mut guard = changed.wait_until(turn.lock(), |t| *t == round * 4 + me);
                    *guard += 1;
                    drop(guard);
                    changed.broadcast();
                }
            });
        }
    });
    assert_eq!(turn.into_inner(), 20_000);
}

#[test]
fn a_signal_wakes_one_consumer_per_item() {
    let queue = TicketLock::new((0u32, 0u32));
    let ready = Condvar::new();
    scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                for _ in 0..5_000 {
                    let mut guard = ready.wait_until(queue.lock(), |q| q.0 > 0);
                    guard.0 -= 1;
                    guard.1 += 1;
                }
            });
        }
        for _ in 0..20_000 {
            queue.lock().0 += 1;
            ready.signal();
        }
    });
    assert_eq!(queue.into_inner(), (0, 20_000));
}

#[test]
fn semaphores_count() {
    let (ping, pong) = (Semaphore::new(0), Semaphore::new(0));
    scope(|s| {
        s.spawn(|| {
            for _ in 0..20_000 {
                ping.wait();
                pong.post();
            }
        });
        for _ in 0..20_000 {
            ping.post();
            pong.wait();
        }
    });
    assert!(ping.value() == 0 && pong.value() == 0 && !ping.try_wait());
}

#[test]
fn readers_share_and_writers_do_not() {
    let pair = RwLock::new((0u64, 0u64));
    scope(|s| {
        for i in 0..8 {
            let pair = &pair;
            s.spawn(move || {
                for _ in 0..5_000 {
                    if i % 4 == 0 {
                        let mut guard = pair.write();
                        guard.0 += 1;
                        guard.1 += 1;
                    } else {
                        let guard = pair.read();
                        assert_eq!(guard.0, guard.1);
                    }
                }
            });
        }
    });
    let (first, second) = (pair.read(), pair.read());
    assert_eq!((first.0, second.1), (10_000, 10_000));
}

#[test]
fn barriers_separate_rounds() {
    let barrier = Barrier::new(4);
    let (count, last) = (AtomicU32::new(0), AtomicU32::new(0));
    scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                for round in 1..=1000 {
                    count.fetch_add(1, SeqCst);
                    if barrier.wait() {
                        last.fetch_add(1, SeqCst);
                    }
                    assert_eq!(count.load(SeqCst), round * 4);
                    barrier.wait();
                }
            });
        }
    });
    assert_eq!(last.load(SeqCst), 1000);
}

#[test]
fn once_is_once() {
    for _ in 0..200 {
        let (once, runs) = (Once::new(), AtomicU32::new(0));
        scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    once.call(|| {
                        std::thread::yield_now();
                        runs.fetch_add(1, SeqCst);
                    });
                    assert_eq!(runs.load(SeqCst), 1);
                });
            }
        });
    }
    let lazy = Lazy::new(|| vec![1, 2, 3]);
    assert_eq!(*lazy, [1, 2, 3]);
}

/// In a process that may make no system call but `write` and `exit`, each lock
/// works as long as nobody else wants it.
#[test]
fn uncontended_paths_make_no_call() {
    use crate::call::{self, raw};
    const PRCTL: usize = 157;
    const PR_SET_SECCOMP: usize = 22;
    const STRICT: usize = 1;
    // Made here, because memory may take a call.
    let (ticket, mutex, condition) = (RawTicketLock::NEW, RawMutex::NEW, Condvar::new());
    let (semaphore, rwlock, once) = (Semaphore::new(1), RwLock::new(1), Once::new());
    let barrier = Barrier::new(1);
    // SAFETY: the child touches only its own copies and ends by itself.
    let child = unsafe { raw(call::FORK, []) }.unwrap();
    if child == 0 {
        // SAFETY: as above.
        unsafe { raw(PRCTL, [PR_SET_SECCOMP, STRICT]) }.unwrap();
        for _ in 0..100 {
            ticket.lock();
            ticket.unlock();
            mutex.lock();
            mutex.unlock();
            condition.signal();
            condition.broadcast();
            semaphore.wait();
            semaphore.post();
            drop(rwlock.read());
            *rwlock.write() += 1;
            once.call(|| ());
            barrier.wait();
        }
        // SAFETY: as above; the one exit that is still allowed.
        unsafe { raw(call::EXIT, [42]) }.unwrap();
    }
    let mut status = 0i32;
    // SAFETY: the status word is ours.
    unsafe { raw(call::WAIT4, [child, &raw mut status as usize, 0, 0]) }.unwrap();
    assert_eq!(
        abi::process::Ended::from_status(status),
        abi::process::Ended::Exited(42)
    );
}
