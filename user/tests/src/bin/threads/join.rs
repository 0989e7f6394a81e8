//! join and wait: whom they find, whom not, and that nobody is lost.

use crate::shared::*;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use weft::abi::memory::PROT_READ;
use weft::abi::signal::SIGKILL;
use weft::check::{Test, until, until_asleep};
use weft::process::Ended;
use weft::{Errno, call, check, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    join_any_gives_id_and_stack,
    join_any_finds_each_once,
    join_any_without_threads_fails_at_once,
    join_any_waits,
    join_any_bad_pointer_consumes_nothing,
    join_pointer_may_be_null,
    join_by_id,
    join_a_peer_that_another_made,
    join_unknown_ids,
    join_twice,
    join_oneself,
    join_one_that_is_being_joined,
    join_in_a_circle_stays_killable,
    join_of_a_killed_thread,
    join_ends_when_its_thread_execs,
    join_and_wait_mind_their_own,
    join_by_one_of_many,
];

fn join_any_gives_id_and_stack() {
    for flags in [GROUP, SPACE] {
        let peer = bare(flags, &|| ()).unwrap();
        assert_eq!(join_any(), Ok((peer.id, peer.stack)));
        assert_eq!(join_any(), Err(Errno::ECHILD));
    }
}

fn join_any_finds_each_once() {
    for flags in [GROUP, SPACE] {
        let mut made: Vec<_> = (0..50)
            .map(|_| {
                bare(flags, &|| ())
                    .map(|peer| (peer.id, peer.stack))
                    .unwrap()
            })
            .collect();
        let mut found: Vec<_> = (0..50).map(|_| join_any().unwrap()).collect();
        made.sort();
        found.sort();
        assert_eq!(made, found);
        assert_eq!(join_any(), Err(Errno::ECHILD));
    }
}

fn join_any_without_threads_fails_at_once() {
    assert_eq!(join_any(), Err(Errno::ECHILD));
    // A thread that has none of its own, though its maker has one.
    let body = || assert_eq!(join_any(), Err(Errno::ECHILD));
    bare(GROUP, &body).unwrap().join();
}

fn join_any_waits() {
    let (first, go) = (AtomicI32::new(thread::id()), Flag::new());
    let body = || {
        // Only once the joiner sleeps.
        until_asleep(first.load(SeqCst));
        go.set();
    };
    let peer = bare(GROUP, &body).unwrap();
    assert_eq!(join_any(), Ok((peer.id, peer.stack)));
    assert!(go.is_set());
}

fn join_any_bad_pointer_consumes_nothing() {
    let read_only = wild::map(PAGE);
    wild::protect(read_only, PAGE, PROT_READ).unwrap();
    for flags in [GROUP, SPACE] {
        let peer = bare(flags, &|| ()).unwrap();
        let bad = [
            8,
            read_only,
            1 << 63,
            usize::MAX,
            weft::abi::memory::USER_END,
        ];
        for pointer in bad {
            let result = wild::call(call::THREAD_JOIN_ANY, [pointer]);
            assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
            let result = wild::call(call::THREAD_JOIN, [peer.id as usize, pointer]);
            assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
        }
        assert_eq!(join_any(), Ok((peer.id, peer.stack)));
    }
}

fn join_pointer_may_be_null() {
    let first = bare(GROUP, &|| ()).unwrap();
    assert_eq!(
        wild::call(call::THREAD_JOIN_ANY, [0]),
        Ok(first.id as usize)
    );
    let second = bare(GROUP, &|| ()).unwrap();
    let id = second.id as usize;
    assert_eq!(wild::call(call::THREAD_JOIN, [id, 0]), Ok(id));
}

fn join_by_id() {
    for flags in [GROUP, SPACE] {
        let mut peers: Vec<_> = (0..10).map(|_| bare(flags, &|| ()).unwrap()).collect();
        // In another order than they were made in.
        peers.reverse();
        for peer in peers {
            let mut base = 0usize;
            let args = [peer.id as usize, &raw mut base as usize];
            assert_eq!(wild::call(call::THREAD_JOIN, args), Ok(peer.id as usize));
            assert_eq!(base, peer.stack);
        }
    }
}

fn join_a_peer_that_another_made() {
    let (grandchild, done) = (AtomicI32::new(0), Flag::new());
    let inner = || done.wait();
    let outer = || grandchild.store(bare(GROUP, &inner).unwrap().id, SeqCst);
    bare(GROUP, &outer).unwrap().join();
    done.set();
    assert_eq!(thread::join(grandchild.load(SeqCst)), Ok(()));
}

fn join_unknown_ids() {
    let child = check::start_child(|| spin_for_ever());
    for id in [0, -1, i32::MAX, i32::MIN, process::parent(), child, 1] {
        let result = thread::join(id);
        assert!(
            matches!(result, Err(Errno::ESRCH | Errno::EINVAL)),
            "{id}: {result:?}"
        );
    }
    process::kill(child, SIGKILL).unwrap();
    assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
}

fn join_twice() {
    let peer = bare(GROUP, &|| ()).unwrap();
    assert_eq!(thread::join(peer.id), Ok(()));
    assert_eq!(thread::join(peer.id), Err(Errno::ESRCH));
    let detached = bare(GROUP, &|| ()).unwrap();
    assert_eq!(
        wild::call(call::THREAD_DETACH, [detached.id as usize]),
        Ok(0)
    );
    assert_eq!(thread::join(detached.id), Err(Errno::ESRCH));
}

fn join_oneself() {
    let refused = |result| matches!(result, Err(Errno::EDEADLK | Errno::ESRCH));
    assert!(refused(thread::join(thread::id())));
    let body = || assert_eq!(thread::join(thread::id()), Err(Errno::EDEADLK));
    bare(GROUP, &body).unwrap().join();
}

fn join_one_that_is_being_joined() {
    let stop = Flag::new();
    let target_body = || stop.wait();
    let target = bare(GROUP, &target_body).unwrap();
    let joiner_body = || thread::join(target.id).unwrap();
    let joiner = bare(GROUP, &joiner_body).unwrap();
    until_asleep(joiner.id);
    assert_eq!(thread::join(target.id), Err(Errno::EINVAL));
    assert_eq!(
        wild::call(call::THREAD_DETACH, [target.id as usize]),
        Err(Errno::EINVAL)
    );
    stop.set();
    joiner.join();
    assert_eq!(thread::join(target.id), Err(Errno::ESRCH));
}

fn join_in_a_circle_stays_killable() {
    let child = check::start_child(|| {
        let ids = [const { AtomicI32::new(0) }; 3];
        let ids = &ids;
        let body = |i: usize| {
            let next = &ids[(i + 1) % 3];
            until(|| next.load(SeqCst) != 0);
            // The kernel may refuse to close the circle.
            let _ = thread::join(next.load(SeqCst));
            spin_for_ever()
        };
        let bodies: [_; 3] = core::array::from_fn(|i| move || -> () { body(i) });
        for (id, body) in ids.iter().zip(&bodies) {
            id.store(bare(GROUP, body).unwrap().id, SeqCst);
        }
        spin_for_ever()
    });
    // Four threads: the first, and three in a circle, of which two sleep.
    let members = || {
        let all = check::list();
        all.iter()
            .filter(|info| info.tgid == child as u32)
            .map(|info| info.state)
            .collect()
    };
    until(|| {
        let states: Vec<u8> = members();
        states.len() == 4 && states.iter().filter(|state| **state == b'S').count() >= 2
    });
    process::kill(child, SIGKILL).unwrap();
    assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
}

fn join_of_a_killed_thread() {
    let started = Flag::new();
    let body = || {
        started.set();
        spin_hard()
    };
    let victim = bare(GROUP, &body).unwrap();
    started.wait();
    let joiner_body = || thread::join(victim.id).unwrap();
    let joiner = bare(GROUP, &joiner_body).unwrap();
    until_asleep(joiner.id);
    thread::kill(process::id(), victim.id, SIGKILL).unwrap();
    joiner.join();
    assert!(is_gone(victim.id));
}

/// The joined thread execs: it becomes the whole process, its joiner is ended.
fn join_ends_when_its_thread_execs() {
    let ended = check::in_child(|| {
        let first = thread::id();
        let body = || {
            until_asleep(first);
            let error = crate::exec::become_helper(c"alone", process::id());
            panic!("exec: {error}");
        };
        let peer = bare(GROUP, &body).unwrap();
        let _ = thread::join(peer.id);
        spin_for_ever()
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn join_and_wait_mind_their_own() {
    for flags in [GROUP, SPACE] {
        let stop = Flag::new();
        let body = || stop.wait();
        let peer = bare(flags, &body).unwrap();
        assert_eq!(process::wait(), Err(Errno::ECHILD), "only threads");
        assert_eq!(process::poll(-1), Err(Errno::ECHILD), "only threads");
        assert_eq!(process::wait_for(peer.id), Err(Errno::ECHILD));
        let child = check::start_child(|| process::exit(3));
        stop.set();
        assert_eq!(process::wait(), Ok((child, Ended::Exited(3))));
        assert_eq!(join_any(), Ok((peer.id, peer.stack)));
    }
    let child = check::start_child(|| ());
    assert_eq!(join_any(), Err(Errno::ECHILD), "only a forked child");
    check::wait_for(child);
}

/// Several join one thread at once: one succeeds.
fn join_by_one_of_many() {
    for _ in 0..check::rounds(100, 5_000) {
        let joined = AtomicUsize::new(0);
        let target = bare(GROUP, &|| ()).unwrap();
        let body = || match thread::join(target.id) {
            Ok(()) => drop(joined.fetch_add(1, SeqCst)),
            Err(error) => assert!(matches!(error, Errno::ESRCH | Errno::EINVAL), "{error:?}"),
        };
        let joiners: Vec<_> = (0..4).map(|_| bare(GROUP, &body).unwrap()).collect();
        joiners.into_iter().for_each(Bare::join);
        assert_eq!(joined.load(SeqCst), 1);
        wild::unmap(target.stack, STACK).unwrap();
    }
}
