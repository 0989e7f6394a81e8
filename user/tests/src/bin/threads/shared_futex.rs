//! Futexes in memory that processes share: whoever maps the word, wherever, is
//! meant (futex(2), "private and shared").

use crate::shared::PAGE;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::file::*;
use weft::abi::futex::*;
use weft::abi::memory::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    a_shared_word_wakes_another_process,
    a_word_of_a_file_has_many_addresses,
    private_waiters_are_their_own,
    waiters_move_between_shared_words,
    hand_off_by_shared_futex,
];

fn map(flags: usize, fd: i32) -> usize {
    let rights = PROT_READ | PROT_WRITE;
    wild::call(call::MMAP, [0, PAGE, rights, flags, fd as usize, 0]).unwrap()
}

pub fn map_shared() -> usize {
    map(MAP_SHARED | MAP_ANONYMOUS, -1)
}

pub fn wait(address: usize, expected: u32, flags: usize) -> Result<usize, Errno> {
    let args = [address, FUTEX_WAIT | flags, expected as usize, 0];
    wild::call(call::FUTEX, args)
}

pub fn wake(address: usize, flags: usize) -> usize {
    wild::call(call::FUTEX, [address, FUTEX_WAKE | flags, 100]).unwrap()
}

/// A child that sleeps on the word while it is 0.
fn sleeper(address: usize) -> i32 {
    let child = check::start_child(|| assert_eq!(wait(address, 0, 0), Ok(0)));
    check::until_asleep(child);
    child
}

fn a_shared_word_wakes_another_process() {
    let address = map_shared();
    let child = sleeper(address + 8);
    assert_eq!((wake(address, 0), wake(address + 12, 0)), (0, 0));
    assert_eq!(wake(address + 8, 0), 1);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    // Memory that is copied by a fork is each process's own.
    let private = wild::map(PAGE);
    let child = sleeper(private);
    assert_eq!(wake(private, 0), 0);
    weft::process::kill(child, weft::abi::signal::SIGKILL).unwrap();
    check::wait_for(child);
    for address in [address, private] {
        wild::unmap(address, PAGE).unwrap();
    }
}

fn a_word_of_a_file_has_many_addresses() {
    let fd = file::open(c"futex", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::truncate(fd, PAGE as u64).unwrap();
    let [one, other] = [map(MAP_SHARED, fd), map(MAP_SHARED, fd)];
    let copy = map(MAP_PRIVATE, fd);
    let child = sleeper(one + 16);
    assert_eq!(wake(copy + 16, 0), 0);
    assert_eq!(wake(other + 16, 0), 1);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    for address in [one, other, copy] {
        wild::unmap(address, PAGE).unwrap();
    }
    file::close(fd).unwrap();
    file::unlink(c"futex").unwrap();
}

fn private_waiters_are_their_own() {
    let address = map_shared();
    let child = sleeper(address);
    assert_eq!(wake(address, FUTEX_PRIVATE_FLAG), 0);
    assert_eq!(wake(address, 0), 1);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    wild::unmap(address, PAGE).unwrap();
}

fn waiters_move_between_shared_words() {
    let address = map_shared();
    let (from, to) = (address, address + 64);
    let children = [(); 3].map(|()| sleeper(from));
    // One is woken, and one moved.
    let args = [from, FUTEX_CMP_REQUEUE, 1, 1, to, 0];
    assert_eq!(wild::call(call::FUTEX, args), Ok(2));
    assert_eq!((wake(from, 0), wake(to, 0)), (1, 1));
    for child in children {
        assert_eq!(check::wait_for(child), Ended::Exited(0));
    }
    wild::unmap(address, PAGE).unwrap();
}

/// Two processes take turns, with threads of their own in between.
fn hand_off_by_shared_futex() {
    let address = map_shared();
    let turn = wild::word(address);
    let pass = |turn: &AtomicU32, mine: u32| {
        while turn.load(SeqCst) != mine {
            let result = wait(address, 1 - mine, 0);
            assert!(matches!(result, Ok(0) | Err(Errno::EAGAIN)), "{result:?}");
        }
        turn.store(1 - mine, SeqCst);
        wake(address, 0);
    };
    let count = rounds(2_000, 1_000_000);
    let child = check::start_child(|| (0..count).for_each(|_| pass(turn, 1)));
    thread::scope(|scope| {
        scope
            .spawn(|| (0..count).for_each(|_| pass(turn, 0)))
            .unwrap();
    });
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    wild::unmap(address, PAGE).unwrap();
}
