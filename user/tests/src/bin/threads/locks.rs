//! The library's locks on the real system: exclusion, order, and progress when
//! there are more threads than CPUs.

use crate::shared::*;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use weft::check::{Test, rounds, until};
use weft::sync::*;
use weft::{check, tests, thread};

pub const TESTS: &[Test] = tests![
    ticket_lock_excludes,
    ticket_lock_wraps,
    ticket_lock_is_fair,
    ticket_lock_serves_in_order,
    ticket_lock_eight_threads_on_one_cpu,
    mutex_excludes,
    condition_valid_when_zeroed,
    condition_broadcast_wakes_all,
    condition_with_a_ticket_lock,
    semaphore_in_user_memory,
    readers_and_writers,
    barrier_rounds,
    once_and_lazy,
];

struct Count<R>(R, core::sync::atomic::AtomicU64);

impl<R: RawLock + Sync> Count<R> {
    /// Not an atomic addition: two at once lose one.
    fn add(&self) {
        self.0.lock();
        self.1.store(self.1.load(SeqCst) + 1, SeqCst);
        self.0.unlock();
    }
}

fn excludes<R: RawLock + Sync>(raw: R, threads: usize) {
    let count = Count(raw, AtomicU64::new(0));
    let each = rounds(2_000, 200_000);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..each).for_each(|_| count.add())).unwrap();
        }
    });
    assert_eq!(count.1.load(SeqCst), (each * threads) as u64);
}

fn ticket_lock_excludes() {
    excludes(RawTicketLock::NEW, 2);
    excludes(RawTicketLock::NEW, 8);
}

fn ticket_lock_wraps() {
    excludes(RawTicketLock::starting_at(u32::MAX - 1_000), 4);
    excludes(RawTicketLock::starting_at(u32::MAX), 2);
    excludes(RawTicketLock::starting_at(i32::MAX as u32 - 500), 2);
}

/// Two threads that always both want the lock: each lets it go only when the
/// other waits. Their counts differ by at most one in a hundred.
fn ticket_lock_is_fair() {
    let total = rounds(20_000, 1_000_000) as u64;
    let lock = RawTicketLock::NEW;
    let counts = [const { AtomicU64::new(0) }; 2];
    let done = Flag::new();
    let work = |me: usize| {
        while !done.is_set() {
            lock.lock();
            if !done.is_set() {
                counts[me].fetch_add(1, SeqCst);
                if counts[0].load(SeqCst) + counts[1].load(SeqCst) >= total {
                    done.set();
                }
                until(|| lock.queued() > 1 || done.is_set());
            }
            lock.unlock();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| work(0)).unwrap();
        scope.spawn(|| work(1)).unwrap();
    });
    let [first, second] = counts.map(|count| count.into_inner());
    assert!(first.abs_diff(second) * 100 <= total, "{first} {second}");
}

fn ticket_lock_serves_in_order() {
    let lock = RawTicketLock::starting_at(u32::MAX - 3);
    let order = Mutex::new(Vec::new());
    lock.lock();
    thread::scope(|scope| {
        for i in 0..40 {
            let (lock, order) = (&lock, &order);
            let work = move || {
                lock.lock();
                order.lock().push(i);
                lock.unlock();
            };
            scope.spawn(work).unwrap();
            until(|| lock.queued() == i + 2);
        }
        lock.unlock();
    });
    assert_eq!(order.into_inner(), (0..40).collect::<Vec<_>>());
}

fn ticket_lock_eight_threads_on_one_cpu() {
    let mut one = [0u64; 16];
    let all = thread::affinity().unwrap();
    let word = all.iter().position(|word| *word != 0).unwrap();
    one[word] = 1 << all[word].trailing_zeros();
    thread::set_affinity(&one).unwrap();
    // New threads inherit the one CPU.
    excludes(RawTicketLock::NEW, 8);
    thread::set_affinity(&all).unwrap();
}

fn mutex_excludes() {
    excludes(RawMutex::NEW, 2);
    excludes(RawMutex::NEW, 8);
}

fn condition_valid_when_zeroed() {
    let page = weft::wild::map(PAGE);
    // What C gets from zeroed memory is what `new` makes.
    let zeroed = weft::wild::bytes(page, size_of::<Condvar>());
    assert!(zeroed.iter().all(|byte| *byte == 0));
    static CONDITION: Condvar = Condvar::new();
    static READY: Mutex<bool> = Mutex::new(false);
    let waiter = thread::spawn(|| drop(CONDITION.wait_until(READY.lock(), |ready| *ready)));
    *READY.lock() = true;
    CONDITION.signal();
    waiter.unwrap().join().unwrap();
}

fn condition_broadcast_wakes_all() {
    for _ in 0..rounds(50, 2_000) {
        let (ready, condition) = (Mutex::new(false), Condvar::new());
        let woken = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..6 {
                let work = || {
                    drop(condition.wait_until(ready.lock(), |ready| *ready));
                    woken.fetch_add(1, SeqCst);
                };
                scope.spawn(work).unwrap();
            }
            *ready.lock() = true;
            condition.broadcast();
        });
        assert_eq!(woken.load(SeqCst), 6);
    }
}

fn condition_with_a_ticket_lock() {
    // A buffer of one: producers and consumers take turns.
    let slot = TicketLock::new(None);
    let (filled, emptied) = (Condvar::new(), Condvar::new());
    let each = rounds(500, 50_000) as u64;
    let sum = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            let produce = || {
                for n in 1..=each {
                    let mut slot = emptied.wait_until(slot.lock(), |slot| slot.is_none());
                    *slot = Some(n);
                    drop(slot);
                    filled.signal();
                }
            };
            let consume = || {
                for _ in 0..each {
                    let mut slot = filled.wait_until(slot.lock(), |slot| slot.is_some());
                    sum.fetch_add(slot.take().unwrap(), SeqCst);
                    drop(slot);
                    emptied.signal();
                }
            };
            scope.spawn(produce).unwrap();
            scope.spawn(consume).unwrap();
        }
    });
    assert_eq!(sum.load(SeqCst), 3 * each * (each + 1) / 2);
}

fn semaphore_in_user_memory() {
    let (permits, most) = (Semaphore::new(3), AtomicU32::new(0));
    let inside = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            let work = || {
                for _ in 0..rounds(200, 20_000) {
                    permits.wait();
                    most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                    weft::time::give_way();
                    inside.fetch_sub(1, SeqCst);
                    permits.post();
                }
            };
            scope.spawn(work).unwrap();
        }
    });
    assert!(most.load(SeqCst) <= 3);
    assert_eq!(permits.value(), 3);
}

fn readers_and_writers() {
    let pair = RwLock::new((0u64, 0u64));
    let each = rounds(300, 20_000);
    thread::scope(|scope| {
        for i in 0..6 {
            let pair = &pair;
            let work = move || {
                for _ in 0..each {
                    if i % 3 == 0 {
                        let mut pair = pair.write();
                        pair.0 += 1;
                        weft::time::give_way();
                        pair.1 += 1;
                    } else {
                        let pair = pair.read();
                        assert_eq!(pair.0, pair.1);
                    }
                }
            };
            scope.spawn(work).unwrap();
        }
    });
    assert_eq!(pair.read().0, 2 * each as u64);
    // Readers are let in together.
    let (first, second) = (pair.read(), pair.read());
    assert_eq!(first.0, second.1);
}

fn barrier_rounds() {
    let (barrier, count, last) = (Barrier::new(5), AtomicU32::new(0), AtomicU32::new(0));
    let each = rounds(50, 10_000) as u32;
    thread::scope(|scope| {
        for _ in 0..5 {
            let work = || {
                for round in 1..=each {
                    count.fetch_add(1, SeqCst);
                    last.fetch_add(barrier.wait() as u32, SeqCst);
                    assert_eq!(count.load(SeqCst), round * 5);
                    barrier.wait();
                }
            };
            scope.spawn(work).unwrap();
        }
    });
    assert_eq!(last.load(SeqCst), each);
}

fn once_and_lazy() {
    for _ in 0..check::rounds(30, 1_000) {
        let (once, runs) = (Once::new(), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                let work = || {
                    once.call(|| {
                        weft::time::give_way();
                        runs.fetch_add(1, SeqCst);
                    });
                    assert_eq!(runs.load(SeqCst), 1);
                };
                scope.spawn(work).unwrap();
            }
        });
    }
    static TABLE: Lazy<Vec<u32>> = Lazy::new(|| (0..10).collect());
    assert_eq!(TABLE.len(), 10);
}
