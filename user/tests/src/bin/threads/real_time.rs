//! Real-time threads among others, on all CPUs; what the calls of sched(7) refuse.
//! Their order on one CPU is tested by a program in C, on Linux, too.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::sched::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::sync::KernelSemaphore;
use weft::{Errno, call, check, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    real_time_threads_hand_on_among_others,
    real_time_threads_change_while_they_run,
    sched_calls_refuse,
];

fn set(tid: usize, policy: u32, priority: i32) -> Result<usize, Errno> {
    let param = &raw const priority as usize;
    wild::call(call::SCHED_SETSCHEDULER, [tid, policy as usize, param])
}

/// A ring of threads of all policies, each of which wakes the next.
fn real_time_threads_hand_on_among_others() {
    const RING: usize = 6;
    let classes = [
        (SCHED_OTHER, 0),
        (SCHED_FIFO, 10),
        (SCHED_RR, 10),
        (SCHED_IDLE, 0),
        (SCHED_FIFO, 99),
        (SCHED_BATCH, 0),
    ];
    let gates: [KernelSemaphore; RING] = core::array::from_fn(|_| KernelSemaphore::new(0).unwrap());
    let sum = AtomicU32::new(0);
    let count = rounds(500, 50_000);
    thread::scope(|scope| {
        for (index, (policy, priority)) in classes.into_iter().enumerate() {
            let (gates, sum) = (&gates, &sum);
            let body = move || {
                assert_eq!(set(0, policy, priority), Ok(0));
                for _ in 0..count {
                    gates[index].wait().unwrap();
                    sum.fetch_add(1, SeqCst);
                    gates[(index + 1) % RING].post().unwrap();
                }
            };
            scope.spawn(body).unwrap();
        }
        gates[0].post().unwrap();
    });
    assert_eq!(sum.load(SeqCst) as usize, RING * count);
}

/// Peers on other CPUs are changed while they run, wait and sleep.
fn real_time_threads_change_while_they_run() {
    let ended = check::in_child(|| {
        let tids = [const { AtomicU32::new(0) }; 3];
        let stop = AtomicU32::new(0);
        thread::scope(|scope| {
            for tid in &tids {
                let stop = &stop;
                let body = move || {
                    tid.store(thread::id() as u32, SeqCst);
                    check::until(|| stop.load(SeqCst) != 0);
                };
                scope.spawn(body).unwrap();
            }
            check::until(|| tids.iter().all(|tid| tid.load(SeqCst) != 0));
            // More urgent than all of them, or it would not run again on one CPU.
            set(0, SCHED_FIFO, 50).unwrap();
            for round in 0..rounds(300, 30_000) {
                let tid = tids[round % 3].load(SeqCst) as usize;
                let (policy, priority) = match round % 4 {
                    0 => (SCHED_FIFO, 1 + (round % 20) as i32),
                    1 => (SCHED_RR, 1 + (round % 30) as i32),
                    2 => (SCHED_IDLE, 0),
                    _ => (SCHED_OTHER, 0),
                };
                assert_eq!(set(tid, policy, priority), Ok(0));
                let mut found = -1i32;
                let args = [tid, &raw mut found as usize];
                wild::call(call::SCHED_GETPARAM, args).unwrap();
                assert_eq!(found, priority);
                let policy = Ok(policy as usize);
                assert_eq!(wild::call(call::SCHED_GETSCHEDULER, [tid]), policy);
            }
            stop.store(1, SeqCst);
        });
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn sched_calls_refuse() {
    for number in [call::SCHED_SETPARAM, call::SCHED_GETPARAM] {
        assert_eq!(wild::call(number, [0, 0]), Err(Errno::EINVAL));
        assert_eq!(wild::call(number, [usize::MAX, 8]), Err(Errno::EINVAL));
        assert_eq!(wild::call(number, [0, 8]), Err(Errno::EFAULT));
    }
    let bad = wild::call(call::SCHED_SETSCHEDULER, [0, 0, 8]);
    assert_eq!(bad, Err(Errno::EFAULT));
    let bad = wild::call(call::SCHED_RR_GET_INTERVAL, [0, 8]);
    assert_eq!(bad, Err(Errno::EFAULT));
    assert_eq!(
        wild::call(call::SCHED_SETATTR, [0, 8, 0]),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        wild::call(call::SCHED_SETATTR, [0, 0, 0]),
        Err(Errno::EINVAL)
    );
    let args = [0, 8, 48, 0];
    assert_eq!(wild::call(call::SCHED_GETATTR, args), Err(Errno::EFAULT));
    let args = [0, 0, 48, 0];
    assert_eq!(wild::call(call::SCHED_GETATTR, args), Err(Errno::EINVAL));
    assert_eq!(set(0, SCHED_DEADLINE, 0), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::GETPRIORITY, [3, 0]), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::GETPRIORITY, [2, 77]), Err(Errno::ESRCH));
    assert_eq!(wild::call(call::GETPRIORITY, [0, 0]), Ok(20));
}
