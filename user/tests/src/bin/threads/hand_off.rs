//! Wake-ups that come between "decide to sleep" and "asleep": many hand-offs,
//! of every kind, none of which may be lost.

use crate::shared::*;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use weft::check::{Test, rounds};
use weft::sync::{Condvar, KernelSemaphore, Mutex, Semaphore, TicketLock, futex};
use weft::{check, file, process, tests, thread};

pub const TESTS: &[Test] = tests![
    hand_off_by_pipe,
    hand_off_by_pipe_between_processes,
    hand_off_by_futex,
    hand_off_by_kernel_semaphore,
    hand_off_by_semaphore,
    hand_off_by_condition,
    hand_off_by_ticket_lock,
    hand_off_by_join,
    hand_off_by_wait,
];

fn count() -> usize {
    rounds(5_000, 10_000_000)
}

/// Two threads that take turns: one `there` and `back` each.
fn ping_pong(there: impl Fn() + Sync, answer: impl Fn() + Sync) {
    thread::scope(|scope| {
        let work = || (0..count()).for_each(|_| answer());
        scope.spawn(work).unwrap();
        (0..count()).for_each(|_| there());
    });
}

fn hand_off_by_pipe() {
    let (there, back) = (file::pipe().unwrap(), file::pipe().unwrap());
    let send = |fd| assert_eq!(file::write(fd, b"x"), Ok(1));
    let receive = |fd| assert_eq!(file::read(fd, &mut [0; 8]), Ok(1));
    ping_pong(
        || {
            send(there.1);
            receive(back.0);
        },
        || {
            receive(there.0);
            send(back.1);
        },
    );
}

fn hand_off_by_pipe_between_processes() {
    let (there, back) = (file::pipe().unwrap(), file::pipe().unwrap());
    let child = check::start_child(|| {
        for _ in 0..count() {
            assert_eq!(file::read(there.0, &mut [0; 8]), Ok(1));
            assert_eq!(file::write(back.1, b"x"), Ok(1));
        }
    });
    for _ in 0..count() {
        assert_eq!(file::write(there.1, b"x"), Ok(1));
        assert_eq!(file::read(back.0, &mut [0; 8]), Ok(1));
    }
    assert_eq!(check::wait_for(child), process::Ended::Exited(0));
}

fn hand_off_by_futex() {
    let turn = AtomicU32::new(0);
    let pass = |mine: u32| {
        while turn.load(SeqCst) != mine {
            futex::wait(&turn, 1 - mine, futex::ANY);
        }
        turn.store(1 - mine, SeqCst);
        futex::wake(&turn, 1, futex::ANY);
    };
    ping_pong(|| pass(0), || pass(1));
}

fn hand_off_by_kernel_semaphore() {
    let (there, back) = (
        KernelSemaphore::new(0).unwrap(),
        KernelSemaphore::new(0).unwrap(),
    );
    ping_pong(
        || {
            there.post().unwrap();
            back.wait().unwrap();
        },
        || {
            there.wait().unwrap();
            back.post().unwrap();
        },
    );
}

fn hand_off_by_semaphore() {
    let (there, back) = (Semaphore::new(0), Semaphore::new(0));
    ping_pong(
        || {
            there.post();
            back.wait();
        },
        || {
            there.wait();
            back.post();
        },
    );
}

fn hand_off_by_condition() {
    let (turn, changed) = (Mutex::new(0), Condvar::new());
    let pass = |mine: u32| {
        let mut turn = changed.wait_until(turn.lock(), |turn| *turn == mine);
        *turn = 1 - mine;
        drop(turn);
        changed.signal();
    };
    ping_pong(|| pass(0), || pass(1));
}

fn hand_off_by_ticket_lock() {
    let value = TicketLock::new(0usize);
    ping_pong(|| *value.lock() += 1, || *value.lock() += 1);
    assert_eq!(value.into_inner(), 2 * count());
}

fn hand_off_by_join() {
    for i in 0..rounds(3_000, 1_000_000) {
        let peer = bare(GROUP, &|| ()).unwrap();
        if i % 2 == 0 {
            peer.join();
        } else {
            assert_eq!(join_any(), Ok((peer.id, peer.stack)));
            weft::wild::unmap(peer.stack, STACK).unwrap();
        }
    }
}

fn hand_off_by_wait() {
    for _ in 0..rounds(400, 100_000) {
        let child = check::start_child(|| ());
        assert_eq!(process::wait(), Ok((child, process::Ended::Exited(0))));
    }
}
