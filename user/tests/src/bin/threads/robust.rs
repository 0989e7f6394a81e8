//! Robust locks: what others find when a holder ends (set_robust_list(2)), and
//! `FUTEX_WAKE_OP`.

use crate::shared::PAGE;
use crate::shared_futex::{map_shared, wait, wake};
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::futex::*;
use weft::abi::signal::SIGKILL;
use weft::check::{Test, until_asleep};
use weft::process::Ended;
use weft::{Errno, call, check, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    robust_list_is_set_and_told,
    robust_locks_are_marked_at_the_end,
    robust_locks_of_a_thread,
    robust_locks_are_let_go_by_exec,
    robust_waiter_of_a_killed_holder,
    robust_lock_that_was_being_let_go,
    robust_lists_of_nonsense,
    wake_op_changes_and_wakes,
    wake_op_refuses,
];

const HEAD: usize = size_of::<RobustListHead>();

fn set(head: usize) {
    assert_eq!(wild::call(call::SET_ROBUST_LIST, [head, HEAD]), Ok(0));
}

fn get(tid: usize) -> Result<(usize, usize), Errno> {
    let (mut head, mut length) = (1usize, 1usize);
    let out = [tid, &raw mut head as usize, &raw mut length as usize];
    wild::call(call::GET_ROBUST_LIST, out)?;
    Ok((head, length))
}

/// Where lock `index` has its entry; its word lies 8 bytes behind.
fn entry(page: usize, index: usize) -> usize {
    page + 64 * (index + 1)
}

fn word(page: usize, index: usize) -> &'static core::sync::atomic::AtomicU32 {
    wild::word(entry(page, index) + 8)
}

/// Links `count` entries and makes them the caller's list.
fn link(page: usize, count: usize, pending: usize) {
    let write = |at: usize, value: usize| wild::word64(at).store(value as u64, SeqCst);
    for index in 0..count {
        let next = if index + 1 == count {
            page
        } else {
            entry(page, index + 1)
        };
        write(entry(page, index), next);
    }
    write(page, if count == 0 { page } else { entry(page, 0) });
    write(page + 8, 8);
    write(page + 16, pending);
    set(page);
}

fn own_id() -> u32 {
    wild::call(call::GETTID, []).unwrap() as u32
}

fn robust_list_is_set_and_told() {
    let set = |length| wild::call(call::SET_ROBUST_LIST, [64, length]);
    for length in [0, HEAD - 1, HEAD + 1, usize::MAX] {
        assert_eq!(set(length), Err(Errno::EINVAL));
    }
    let ended = check::in_child(|| {
        assert_eq!(get(0), Ok((0, HEAD)));
        assert_eq!(set(HEAD), Ok(0));
        assert_eq!(get(0), Ok((64, HEAD)));
        assert_eq!(get(own_id() as usize), Ok((64, HEAD)));
        // A child has none.
        assert_eq!(
            check::in_child(|| assert_eq!(get(0), Ok((0, HEAD)))),
            Ended::Exited(0)
        );
    });
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(get(0x3fff_ffff), Err(Errno::ESRCH));
    assert_eq!(
        wild::call(call::GET_ROBUST_LIST, [0, 8, 8]),
        Err(Errno::EFAULT)
    );
}

/// Takes five locks, one of them for another thread, one pending.
fn hold_some(page: usize) {
    let tid = own_id();
    for (index, value) in [tid | FUTEX_WAITERS, tid, tid + 1, 0, tid]
        .into_iter()
        .enumerate()
    {
        word(page, index).store(value, SeqCst);
    }
    link(page, 4, entry(page, 4));
}

fn are_marked(page: usize, id: u32) {
    let found = [0, 1, 2, 3, 4].map(|index| word(page, index).load(SeqCst));
    let died = FUTEX_OWNER_DIED;
    assert_eq!(found, [died | FUTEX_WAITERS, died, id + 1, 0, died]);
}

fn robust_locks_are_marked_at_the_end() {
    let page = map_shared();
    let child = check::start_child(|| hold_some(page));
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    are_marked(page, child as u32);
    wild::unmap(page, PAGE).unwrap();
}

fn robust_locks_of_a_thread() {
    let page = wild::map(PAGE);
    let id = wild::word(page + PAGE - 4);
    thread::scope(|scope| {
        let body = || {
            id.store(own_id(), SeqCst);
            hold_some(page);
        };
        scope.spawn(body).unwrap();
    });
    are_marked(page, id.load(SeqCst));
    wild::unmap(page, PAGE).unwrap();
}

fn robust_locks_are_let_go_by_exec() {
    let page = map_shared();
    let child = check::start_child(|| {
        hold_some(page);
        let error = process::exec(c"/bin/true", &[c"true"]);
        panic!("exec: {error}");
    });
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    are_marked(page, child as u32);
    wild::unmap(page, PAGE).unwrap();
}

fn robust_waiter_of_a_killed_holder() {
    let page = map_shared();
    let holder = check::start_child(|| {
        hold_some(page);
        loop {
            let _ = wild::call(call::PAUSE, []);
        }
    });
    let held = holder as u32 | FUTEX_WAITERS;
    check::until(|| word(page, 0).load(SeqCst) == held && get(holder as usize).unwrap().0 == page);
    let address = entry(page, 0) + 8;
    let waiter = check::start_child(|| assert_eq!(wait(address, held, 0), Ok(0)));
    until_asleep(waiter);
    process::kill(holder, SIGKILL).unwrap();
    assert_eq!(check::wait_for(holder), Ended::Signaled(SIGKILL as u8));
    assert_eq!(check::wait_for(waiter), Ended::Exited(0));
    are_marked(page, holder as u32);
    wild::unmap(page, PAGE).unwrap();
}

/// The holder has stored 0, and ends before it wakes the waiter.
fn robust_lock_that_was_being_let_go() {
    let page = map_shared();
    let address = entry(page, 0) + 8;
    let waiter = check::start_child(|| assert_eq!(wait(address, 0, 0), Ok(0)));
    until_asleep(waiter);
    let child = check::start_child(|| link(page, 0, entry(page, 0)));
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    assert_eq!(check::wait_for(waiter), Ended::Exited(0));
    wild::unmap(page, PAGE).unwrap();
}

fn robust_lists_of_nonsense() {
    let page = map_shared();
    let write = |at: usize, value: usize| wild::word64(at).store(value as u64, SeqCst);
    let cases: [(usize, usize, usize); 8] = [
        (8, 0, 0),
        (usize::MAX - 8, 0, 0),
        (page, 8, 0),
        (page, usize::MAX, 0),
        (page, entry(page, 0) + 2, 0),
        (page, page, 8),
        (page, page, entry(page, 0) + 3),
        (page + PAGE - 8, 0, 0),
    ];
    for (head, first, pending) in cases {
        let ended = check::in_child(|| {
            write(page, first);
            write(page + 8, 8);
            write(page + 16, pending);
            set(head);
        });
        assert_eq!(ended, Ended::Exited(0), "{head:#x} {first:#x} {pending:#x}");
    }
    // A circle without the head; a lock before the bad link is marked.
    let ended = check::in_child(|| {
        hold_some(page);
        write(entry(page, 3), entry(page, 0));
    });
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(word(page, 1).load(SeqCst), FUTEX_OWNER_DIED);
    assert_eq!(word(page, 4).load(SeqCst), FUTEX_OWNER_DIED);
    let ended = check::in_child(|| {
        hold_some(page);
        write(entry(page, 1), 8);
    });
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(word(page, 1).load(SeqCst), FUTEX_OWNER_DIED);
    wild::unmap(page, PAGE).unwrap();
}

fn wake_with(first: usize, second: usize, code: u32) -> Result<usize, Errno> {
    let args = [first, FUTEX_WAKE_OP, 1, 1, second, code as usize];
    wild::call(call::FUTEX, args)
}

fn wake_op_changes_and_wakes() {
    let page = map_shared();
    let (first, second) = (page, page + 256);
    let sleepers = [first, first, second, second].map(|address| {
        let child = check::start_child(|| assert_eq!(wait(address, 0, 0), Ok(0)));
        until_asleep(child);
        child
    });
    let value = || wild::word(second).load(SeqCst);
    // Only the first word's: the second was not 7.
    let code = wake_op(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 7);
    assert_eq!((wake_with(first, second, code), value()), (Ok(1), 5));
    let code = wake_op(FUTEX_OP_XOR, 1, FUTEX_OP_CMP_GT, 4);
    assert_eq!((wake_with(first, second, code), value()), (Ok(2), 4));
    let code = wake_op(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 30, FUTEX_OP_CMP_NE, 0);
    assert_eq!((wake_with(first, second, code), value()), (Ok(1), 1 << 30));
    assert_eq!((wake(first, 0), wake(second, 0)), (0, 0));
    for child in sleepers {
        assert_eq!(check::wait_for(child), Ended::Exited(0));
    }
    wild::unmap(page, PAGE).unwrap();
}

fn wake_op_refuses() {
    let page = wild::map(PAGE);
    let code = wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0);
    assert_eq!(wake_with(page, page, 5 << 28), Err(Errno::ENOSYS));
    assert_eq!(wake_with(page, page, 6 << 24), Err(Errno::ENOSYS));
    assert_eq!(wake_with(page + 1, page, code), Err(Errno::EINVAL));
    assert_eq!(wake_with(page, page + 2, code), Err(Errno::EINVAL));
    assert_eq!(wake_with(page, 8, code), Err(Errno::EFAULT));
    assert_eq!(wake_with(page, usize::MAX - 7, code), Err(Errno::EFAULT));
    assert_eq!(wild::word(page).load(SeqCst), 0);
    wild::unmap(page, PAGE).unwrap();
}
