//! tgkill ends one thread, kill the whole process, wherever the threads are.

use crate::shared::*;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use weft::abi::signal::*;
use weft::check::{Test, until, until_asleep};
use weft::process::Ended;
use weft::sync::{KernelSemaphore, futex};
use weft::{Errno, check, file, process, tests, thread, time};

pub const TESTS: &[Test] = tests![
    tgkill_ends_one_thread_wherever_it_is,
    tgkill_signal_zero_checks,
    tgkill_wants_a_pair_that_exists,
    tgkill_oneself_does_not_return,
    tgkill_and_the_others_go_on,
    kill_ends_every_thread_first,
    kill_during_creation,
    kill_from_a_thread_of_the_victim,
    kill_bad_arguments,
    fault_ends_one_thread,
];

static NEVER: AtomicU32 = AtomicU32::new(0);
static HELD: weft::sync::Mutex<()> = weft::sync::Mutex::new(());

/// All the places a thread can be stuck in. None of these comes back.
fn stuck(place: usize) -> ! {
    match place {
        0 => spin_hard(),
        1 => {
            let (read, _write) = file::pipe().unwrap();
            let _ = file::read(read, &mut [0]);
        }
        2 => {
            let (_read, write) = file::pipe().unwrap();
            loop {
                file::write(write, &[0; 4096]).unwrap();
            }
        }
        3 => futex::wait(&NEVER, 0, futex::ANY),
        4 => {
            let peer = bare(GROUP, &|| sleep_for_ever()).unwrap();
            let _ = thread::join(peer.id);
        }
        5 => KernelSemaphore::new(0).unwrap().wait().unwrap(),
        6 => sleep_for_ever(),
        7 => {
            check::start_child(|| sleep_for_ever());
            let _ = process::wait();
        }
        8 => drop(HELD.lock()),
        _ => spin_for_ever(),
    }
    panic!("not stuck in place {place}")
}

const PLACES: usize = 10;
/// Those that sleep in the kernel.
const ASLEEP: core::ops::RangeInclusive<usize> = 1..=8;

fn tgkill_ends_one_thread_wherever_it_is() {
    let guard = HELD.lock();
    for place in 0..PLACES {
        for signal in [SIGKILL, SIGTERM] {
            let started = Flag::new();
            let body = || {
                started.set();
                stuck(place)
            };
            let peer = bare(GROUP, &body).unwrap();
            started.wait();
            if ASLEEP.contains(&place) {
                until_asleep(peer.id);
            }
            assert_eq!(thread::kill(process::id(), peer.id, signal), Ok(()));
            peer.join();
            assert!(is_gone(peer.id));
        }
    }
    drop(guard);
}

fn tgkill_signal_zero_checks() {
    let stop = Flag::new();
    let body = || stop.wait();
    let peer = bare(GROUP, &body).unwrap();
    for _ in 0..10 {
        assert_eq!(thread::kill(process::id(), peer.id, 0), Ok(()));
    }
    stop.set();
    peer.join();
    assert!(is_gone(peer.id));
}

fn tgkill_wants_a_pair_that_exists() {
    let me = process::id();
    let stop = Flag::new();
    let body = || stop.wait();
    let peer = bare(GROUP, &body).unwrap();
    let child = check::start_child(|| spin_for_ever());
    for (group, tid) in [
        (child, peer.id),
        (peer.id, peer.id),
        (me, child),
        (me, i32::MAX),
    ] {
        for signal in [0, SIGKILL] {
            let result = thread::kill(group, tid, signal);
            assert_eq!(result, Err(Errno::ESRCH), "{group} {tid} {signal}");
        }
    }
    for (group, tid, signal) in [
        (0, peer.id, 0),
        (-1, peer.id, 0),
        (me, 0, 0),
        (me, -1, 0),
        (me, peer.id, 65),
        (me, peer.id, u32::MAX),
    ] {
        let result = thread::kill(group, tid, signal);
        assert_eq!(result, Err(Errno::EINVAL), "{group} {tid} {signal}");
    }
    assert_eq!(process::poll(child), Ok(None), "the child is unharmed");
    process::kill(child, SIGKILL).unwrap();
    check::wait_for(child);
    stop.set();
    peer.join();
}

fn tgkill_oneself_does_not_return() {
    let after = Flag::new();
    let body = || {
        let _ = thread::kill(process::id(), thread::id(), SIGKILL);
        after.set();
    };
    bare(GROUP, &body).unwrap().join();
    assert!(!after.is_set());
}

fn tgkill_and_the_others_go_on() {
    let (stop, count) = (Flag::new(), AtomicU32::new(0));
    let body = || {
        while !stop.is_set() {
            count.fetch_add(1, SeqCst);
            time::give_way();
        }
    };
    let peers: Vec<_> = (0..6).map(|_| bare(GROUP, &body).unwrap()).collect();
    for victim in &peers[..3] {
        thread::kill(process::id(), victim.id, SIGKILL).unwrap();
    }
    for victim in &peers[..3] {
        victim.join();
        let seen = count.load(SeqCst);
        until(|| count.load(SeqCst) > seen + 10);
    }
    stop.set();
    peers[3..].iter().for_each(|peer| peer.join());
}

/// A process with threads in all places, killed at some moment.
fn kill_ends_every_thread_first() {
    for round in 0..check::rounds(5, 60) {
        let (read, write) = file::pipe().unwrap();
        let child = check::start_child(|| {
            file::close(read).unwrap();
            let _guard = HELD.lock();
            let bodies: [_; PLACES] = core::array::from_fn(|place| move || -> () { stuck(place) });
            for body in &bodies {
                bare(GROUP, body).unwrap();
            }
            file::write_all(write, b"x").unwrap();
            stuck(round % PLACES)
        });
        file::close(write).unwrap();
        assert_eq!(file::read(read, &mut [0]), Ok(1));
        process::kill(child, SIGKILL).unwrap();
        assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
        let left = check::list()
            .iter()
            .filter(|info| info.tgid == child as u32)
            .count();
        assert_eq!(left, 0, "a thread outlived its process");
        // Every writer is gone: the end of the file. (Place 7 leaves a child
        // that holds the pipe, so the orphan is ended first.)
        file::close(read).unwrap();
    }
}

fn kill_during_creation() {
    for _ in 0..check::rounds(20, 500) {
        let (read, write) = file::pipe().unwrap();
        let child = check::start_child(|| {
            let started = Flag::new();
            let body = || {
                // Only the first.
                if !started.swap() {
                    file::write_all(write, b"x").unwrap();
                }
            };
            loop {
                let peers: Vec<_> = (0..4).filter_map(|_| bare(GROUP, &body).ok()).collect();
                peers.into_iter().for_each(Bare::join);
            }
        });
        file::close(write).unwrap();
        assert_eq!(file::read(read, &mut [0]), Ok(1));
        process::kill(child, SIGKILL).unwrap();
        assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
        assert_eq!(file::read(read, &mut [0]), Ok(0), "a writer is left");
        file::close(read).unwrap();
    }
}

fn kill_from_a_thread_of_the_victim() {
    let ended = check::in_child(|| {
        let body = || {
            process::kill(process::id(), SIGTERM).unwrap();
            spin_for_ever()
        };
        bare(GROUP, &body).unwrap();
        spin_hard()
    });
    assert_eq!(ended, Ended::Signaled(SIGTERM as u8));
}

fn kill_bad_arguments() {
    assert_eq!(process::kill(i32::MAX, 0), Err(Errno::ESRCH));
    assert_eq!(process::kill(i32::MIN, SIGKILL), Err(Errno::ESRCH));
    for signal in [65, 1000, u32::MAX] {
        assert_eq!(process::kill(process::id(), signal), Err(Errno::EINVAL));
    }
    assert_eq!(process::kill(process::id(), 0), Ok(()));
}

fn fault_ends_one_thread() {
    let alive = Flag::new();
    let good_body = || alive.wait();
    let good = bare(GROUP, &good_body).unwrap();
    for flags in [GROUP, SPACE] {
        let after = Flag::new();
        let read = || {
            weft::wild::load(16);
            after.set();
        };
        let write = || {
            weft::wild::store(usize::MAX - 4096, 1);
            after.set();
        };
        let not_canonical = || {
            weft::wild::load(1 << 63 | 1 << 40);
            after.set();
        };
        bare(flags, &read).unwrap().join();
        bare(flags, &write).unwrap().join();
        bare(flags, &not_canonical).unwrap().join();
        assert!(!after.is_set());
    }
    alive.set();
    good.join();
    // In a process's first thread it ends the process.
    let ended = check::in_child(|| {
        weft::wild::load(16);
    });
    assert_eq!(ended, Ended::Signaled(SIGSEGV as u8));
}
