//! The kernel's semaphores.

use crate::shared::*;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use weft::abi::signal::SIGKILL;
use weft::check::{Test, until_asleep};
use weft::process::Ended;
use weft::sync::{KernelSemaphore, Mutex};
use weft::{Errno, call, check, file, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    semaphore_counts,
    semaphore_is_fair,
    semaphore_bad_handles,
    semaphore_bad_values,
    semaphore_timed_wait,
    semaphore_destroyed_under_waiters,
    semaphore_waiter_can_be_killed,
    semaphore_goes_with_its_holder,
    semaphore_excludes,
];

fn semaphore_counts() {
    let semaphore = KernelSemaphore::new(2).unwrap();
    assert_eq!(semaphore.try_wait(), Ok(()));
    assert_eq!(semaphore.wait(), Ok(()));
    assert_eq!(semaphore.try_wait(), Err(Errno::EAGAIN));
    semaphore.post().unwrap();
    assert_eq!(semaphore.try_wait(), Ok(()));
    semaphore.destroy().unwrap();
}

fn semaphore_is_fair() {
    let semaphore = KernelSemaphore::new(0).unwrap();
    let order = Mutex::new(Vec::new());
    let body = || {
        semaphore.wait().unwrap();
        order.lock().push(thread::id());
    };
    let peers: Vec<_> = (0..12)
        .map(|_| {
            let peer = bare(GROUP, &body).unwrap();
            until_asleep(peer.id);
            peer
        })
        .collect();
    for i in 0..peers.len() {
        semaphore.post().unwrap();
        check::until(|| order.lock().len() == i + 1);
    }
    let ids: Vec<_> = peers.iter().map(|peer| peer.id).collect();
    assert_eq!(*order.lock(), ids);
    peers.into_iter().for_each(Bare::join);
}

fn semaphore_bad_handles() {
    let gone = KernelSemaphore::new(1).unwrap();
    gone.destroy().unwrap();
    for handle in [
        gone.0,
        4095,
        1 << 20,
        1 << 32,
        1 << 63,
        usize::MAX,
        usize::MAX - 1,
    ] {
        let semaphore = KernelSemaphore(handle);
        assert_eq!(semaphore.wait(), Err(Errno::EINVAL), "{handle:#x}");
        assert_eq!(semaphore.try_wait(), Err(Errno::EINVAL), "{handle:#x}");
        assert_eq!(semaphore.post(), Err(Errno::EINVAL), "{handle:#x}");
        assert_eq!(semaphore.wait_timeout(1), Err(Errno::EINVAL), "{handle:#x}");
        assert_eq!(semaphore.destroy(), Err(Errno::EINVAL), "{handle:#x}");
    }
}

fn semaphore_bad_values() {
    for value in [1 << 31, u32::MAX] {
        assert_eq!(KernelSemaphore::new(value), Err(Errno::EINVAL));
    }
    let full = KernelSemaphore::new(i32::MAX as u32).unwrap();
    assert_eq!(full.post(), Err(Errno::EOVERFLOW));
    assert_eq!(full.try_wait(), Ok(()));
    assert_eq!(full.post(), Ok(()));
}

fn semaphore_timed_wait() {
    let semaphore = KernelSemaphore::new(0).unwrap();
    for nanos in [0, 1, 1_000_000] {
        assert_eq!(semaphore.wait_timeout(nanos), Err(Errno::ETIMEDOUT));
    }
    semaphore.post().unwrap();
    assert_eq!(semaphore.wait_timeout(0), Ok(()));
    for pointer in [0, 8, 1 << 63, usize::MAX] {
        let result = wild::call(call::SEM_TIMEDWAIT, [semaphore.0, pointer]);
        assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
    }
    for time in [(0i64, -1i64), (0, 1_000_000_000), (-1, 0)] {
        let result = wild::call(call::SEM_TIMEDWAIT, [semaphore.0, &raw const time as usize]);
        assert_eq!(result, Err(Errno::EINVAL), "{time:?}");
    }
}

fn semaphore_destroyed_under_waiters() {
    let semaphore = KernelSemaphore::new(0).unwrap();
    let body = || assert_eq!(semaphore.wait(), Err(Errno::EINVAL));
    let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.iter().for_each(|peer| until_asleep(peer.id));
    semaphore.destroy().unwrap();
    peers.into_iter().for_each(Bare::join);
}

fn semaphore_waiter_can_be_killed() {
    let semaphore = KernelSemaphore::new(0).unwrap();
    let got = AtomicU32::new(0);
    let body = || {
        semaphore.wait().unwrap();
        got.fetch_add(1, SeqCst);
    };
    for _ in 0..check::rounds(50, 2_000) {
        let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
        peers.iter().for_each(|peer| until_asleep(peer.id));
        // The one in the middle goes; what is posted reaches the other two.
        thread::kill(process::id(), peers[1].id, SIGKILL).unwrap();
        semaphore.post().unwrap();
        semaphore.post().unwrap();
        peers.into_iter().for_each(Bare::join);
        // Unless the post was faster than the end.
        let missing = got.swap(0, SeqCst);
        assert!(missing == 2 || missing == 3);
        if missing == 3 {
            semaphore.wait().ok();
        }
        while semaphore.try_wait().is_ok() {}
    }
}

fn semaphore_goes_with_its_holder() {
    for _ in 0..check::rounds(20, 500) {
        let ended = check::in_child(|| {
            for _ in 0..1000 {
                KernelSemaphore::new(1).unwrap();
            }
        });
        assert_eq!(ended, Ended::Exited(0));
    }
    // And a process that sleeps in its own can be killed.
    let (read, write) = file::pipe().unwrap();
    let child = check::start_child(|| {
        let semaphore = KernelSemaphore::new(0).unwrap();
        file::write_all(write, b"x").unwrap();
        let _ = semaphore.wait();
        sleep_for_ever()
    });
    assert_eq!(file::read(read, &mut [0]), Ok(1));
    process::kill(child, SIGKILL).unwrap();
    assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
}

fn semaphore_excludes() {
    let semaphore = KernelSemaphore::new(1).unwrap();
    let inside = AtomicU32::new(0);
    let body = || {
        for _ in 0..check::rounds(500, 50_000) {
            semaphore.wait().unwrap();
            assert_eq!(inside.fetch_add(1, SeqCst), 0);
            inside.fetch_sub(1, SeqCst);
            semaphore.post().unwrap();
        }
    };
    let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
}
