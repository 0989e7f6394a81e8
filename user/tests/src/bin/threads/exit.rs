//! exit: of the first thread, of others, of whole groups, and who is waited for.

use crate::shared::*;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::SeqCst};
use weft::check::{Test, until, until_asleep};
use weft::process::Ended;
use weft::{Errno, check, file, process, tests, thread};

pub const TESTS: &[Test] = tests![
    exit_of_the_first_thread_leaves_the_others,
    exit_of_the_group_ends_everybody,
    exit_of_the_last_thread_ends_the_process,
    exit_with_live_threads_of_its_own,
    exit_and_be_reaped_while_threads_run,
    wait_for_a_child_that_a_gone_thread_forked,
    wait_by_any_thread_of_the_group,
    wait_wakes_for_a_peers_child,
    exit_leaves_its_threads_to_the_peers,
    exit_frees_what_was_never_joined,
];

fn exit_of_the_first_thread_leaves_the_others() {
    let (read, write) = file::pipe().unwrap();
    static DONE: AtomicU32 = AtomicU32::new(0);
    let child = check::start_child(|| {
        let first = thread::id();
        // On the first thread's stack, which stays.
        let body = || {
            // The first thread is gone as a thread; the process is not.
            until(|| check::state(first).is_none_or(|state| state == b'Z'));
            DONE.fetch_add(1, SeqCst);
            until(|| DONE.load(SeqCst) == 4);
            assert_eq!(process::id(), first);
            file::write_all(write, b"x").unwrap();
        };
        for _ in 0..4 {
            bare(GROUP, &body).unwrap();
        }
        thread::exit()
    });
    file::close(write).unwrap();
    let mut bytes = [0; 8];
    assert_eq!(file::read_full(read, &mut bytes), Ok(4));
    assert_eq!(check::wait_for(child), Ended::Exited(0));
}

fn exit_of_the_group_ends_everybody() {
    for from_first in [true, false] {
        let ended = check::in_child(|| {
            let body = || spin_hard();
            let ender = || process::exit(9);
            for _ in 0..4 {
                bare(GROUP, &body).unwrap();
            }
            if from_first {
                process::exit(9);
            }
            bare(GROUP, &ender).unwrap();
            spin_hard()
        });
        assert_eq!(ended, Ended::Exited(9));
    }
}

fn exit_of_the_last_thread_ends_the_process() {
    // exit(2) of the last thread gives the process its status.
    let ended = check::in_child(|| {
        static FIRST: AtomicI32 = AtomicI32::new(0);
        FIRST.store(thread::id(), SeqCst);
        extern "C" fn last(_: usize, _: usize) {
            until(|| check::state(FIRST.load(SeqCst)).is_none_or(|state| state == b'Z'));
            let _ = weft::wild::call(weft::call::EXIT, [5]);
        }
        let stack = weft::wild::map(STACK);
        weft::wild::clone(last, (0, 0), (stack, STACK), GROUP).unwrap();
        let _ = weft::wild::call(weft::call::EXIT, [4]);
    });
    assert!(matches!(ended, Ended::Exited(4 | 5)), "{ended:?}");
}

fn exit_with_live_threads_of_its_own() {
    for flags in [GROUP, SPACE] {
        let (stop, inner_id, ran) = (Flag::new(), AtomicI32::new(0), Flag::new());
        let inner = || {
            stop.wait();
            ran.set();
        };
        let outer = || inner_id.store(bare(flags, &inner).unwrap().id, SeqCst);
        bare(flags, &outer).unwrap().join();
        assert!(!ran.is_set());
        stop.set();
        until(|| ran.is_set());
        let id = inner_id.load(SeqCst);
        until(|| check::state(id).is_none_or(|state| state == b'Z'));
    }
}

/// Threads that share only the address space outlive the process that made
/// them, even when it has been waited for.
fn exit_and_be_reaped_while_threads_run() {
    let (read, write) = file::pipe().unwrap();
    let (gate_read, gate_write) = file::pipe().unwrap();
    let child = check::start_child(|| {
        file::close(gate_write).unwrap();
        let body = move || {
            // Until the parent has reaped the process.
            let _ = file::read(gate_read, &mut [0]);
            let memory = alloc::vec![7u8; 100_000];
            assert!(memory.iter().all(|byte| *byte == 7));
            file::write_all(write, b"x").unwrap();
        };
        // Not on a stack that the process's end writes over.
        let body = alloc::boxed::Box::leak(alloc::boxed::Box::new(body));
        for _ in 0..3 {
            bare(SPACE, body).unwrap();
        }
    });
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    file::close(write).unwrap();
    file::write_all(gate_write, b"xxx").unwrap();
    assert_eq!(file::read_full(read, &mut [0; 8]), Ok(3));
}

fn wait_for_a_child_that_a_gone_thread_forked() {
    let (child, stop) = (AtomicI32::new(0), file::pipe().unwrap());
    let body = || {
        let id = check::start_child(|| {
            file::close(stop.1).unwrap();
            let _ = file::read(stop.0, &mut [0]);
            process::exit(6)
        });
        child.store(id, SeqCst);
    };
    bare(GROUP, &body).unwrap().join();
    file::close(stop.1).unwrap();
    assert_eq!(process::wait(), Ok((child.load(SeqCst), Ended::Exited(6))));
}

fn wait_by_any_thread_of_the_group() {
    let child = check::start_child(|| process::exit(8));
    let body = || assert_eq!(process::wait_for(child), Ok((child, Ended::Exited(8))));
    bare(GROUP, &body).unwrap().join();
    assert_eq!(process::wait_for(child), Err(Errno::ECHILD));
    // A thread that only shares the space is another process.
    let child = check::start_child(|| process::exit(8));
    let body = || assert_eq!(process::wait_for(child), Err(Errno::ECHILD));
    bare(SPACE, &body).unwrap().join();
    check::wait_for(child);
}

/// Two threads wait; the one child goes to one of them, and the other learns
/// that there is none.
fn wait_wakes_for_a_peers_child() {
    for _ in 0..check::rounds(20, 500) {
        let (stop, got, none) = (file::pipe().unwrap(), AtomicU32::new(0), AtomicU32::new(0));
        let child = check::start_child(|| {
            file::close(stop.1).unwrap();
            let _ = file::read(stop.0, &mut [0]);
        });
        let body = || match process::wait() {
            Ok((id, _)) => {
                assert_eq!(id, child);
                got.fetch_add(1, SeqCst);
            }
            Err(error) => {
                assert_eq!(error, Errno::ECHILD);
                none.fetch_add(1, SeqCst);
            }
        };
        let peers = [bare(GROUP, &body).unwrap(), bare(GROUP, &body).unwrap()];
        peers.iter().for_each(|peer| until_asleep(peer.id));
        file::close(stop.1).unwrap();
        peers.iter().for_each(|peer| peer.join());
        assert_eq!((got.load(SeqCst), none.load(SeqCst)), (1, 1));
        file::close(stop.0).unwrap();
    }
}

fn exit_leaves_its_threads_to_the_peers() {
    let inner_id = AtomicI32::new(0);
    let outer = || inner_id.store(bare(GROUP, &|| ()).unwrap().id, SeqCst);
    bare(GROUP, &outer).unwrap().join();
    assert_eq!(thread::join(inner_id.load(SeqCst)), Ok(()));
}

fn exit_frees_what_was_never_joined() {
    let ended = check::in_child(|| {
        for _ in 0..20 {
            bare(GROUP, &|| ()).unwrap();
            bare(SPACE, &|| ()).unwrap();
        }
    });
    assert_eq!(ended, Ended::Exited(0));
}
