//! clone: what the new thread starts with, what it shares, and what is refused.

use crate::shared::*;
use core::sync::atomic::{AtomicI32, Ordering::SeqCst};
use weft::abi::clone::*;
use weft::abi::file::O_RDONLY;
use weft::abi::memory::*;
use weft::abi::signal::{SIG_DFL, SIG_IGN, SIGUSR1, SigAction};
use weft::check::{Test, rounds, until};
use weft::process::Ended;
use weft::{Errno, check, file, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    clone_passes_any_words,
    clone_starts_as_a_called_function,
    clone_aligns_the_stack_down,
    clone_returning_ends_only_that_thread,
    clone_ids,
    clone_refuses_bad_stacks,
    clone_refuses_bad_flags,
    clone_shares_or_copies_files,
    clone_shares_or_copies_the_folder,
    clone_shares_or_copies_signal_actions,
    clone_without_the_space_is_a_fork,
    clone_for_the_parent,
    clone_keeps_vector_registers_apart,
    clone_until_it_fails,
];

fn clone_passes_any_words() {
    let words = [
        usize::MAX,
        0x8000_0001,
        1 << 63,
        0,
        0x7fff_ffff_ffff_ffff,
        !0 << 32,
    ];
    for flags in [GROUP, SPACE] {
        for first in words {
            for second in words {
                let stack = wild::map(PAGE);
                let id = wild::clone(wild::report_words, (first, second), (stack, PAGE), flags);
                thread::join(id.expect("clone")).expect("join");
                let seen = [0, 1].map(|i| wild::SEEN[i].load(SeqCst) as usize);
                assert_eq!(seen, [first, second]);
                wild::unmap(stack, PAGE).unwrap();
            }
        }
    }
}

/// Starts `report_start`; what it reported, and where its stack was.
fn report(stack: (usize, usize), flags: usize) -> [u64; 5] {
    let out = wild::map(PAGE);
    let id = wild::clone(wild::report_start, (out, 77), stack, flags).expect("clone");
    // It returns to the fake address: that ends it, and it can be joined.
    thread::join(id).expect("join");
    let words = [0, 1, 2, 3, 4].map(|i| wild::word64(out + i * 8).load(SeqCst));
    assert_eq!(words[0] as usize, out);
    assert_eq!(words[1], 77);
    assert_eq!(words[4], 1, "the entry did not run to its end");
    wild::unmap(out, PAGE).unwrap();
    words
}

fn clone_starts_as_a_called_function() {
    for flags in [GROUP, SPACE] {
        let base = wild::map(PAGE);
        let words = report((base, PAGE), flags);
        assert_eq!(words[2] as usize, base + PAGE - 8);
        assert_eq!(words[2] % 16, 8);
        assert_eq!(words[3], u64::MAX, "the fake return address");
    }
}

fn clone_aligns_the_stack_down() {
    let base = wild::map(2 * PAGE);
    for size in [PAGE - 1, PAGE - 9, PAGE + 5, 100] {
        let words = report((base, size), GROUP);
        assert_eq!(words[2] as usize, ((base + size) & !15) - 8);
    }
    for start in [base + 1, base + 15, base + 17] {
        let words = report((start, 200), GROUP);
        assert!(words[2] as usize >= start);
    }
}

fn clone_returning_ends_only_that_thread() {
    let (stop, running) = (Flag::new(), Flag::new());
    let body = || {
        running.set();
        stop.wait();
    };
    let peer = bare(GROUP, &body).unwrap();
    running.wait();
    for _ in 0..20 {
        let stack = wild::map(PAGE);
        let id = wild::clone(wild::return_at_once, (0, 0), (stack, PAGE), GROUP).unwrap();
        thread::join(id).unwrap();
        wild::unmap(stack, PAGE).unwrap();
    }
    assert_eq!(thread::kill(process::id(), peer.id, 0), Ok(()));
    stop.set();
    peer.join();
}

fn clone_ids() {
    assert_eq!(thread::id(), process::id());
    for flags in [GROUP, SPACE] {
        let (tid, pid) = (AtomicI32::new(0), AtomicI32::new(0));
        let body = || {
            tid.store(thread::id(), SeqCst);
            pid.store(process::id(), SeqCst);
        };
        let peer = bare(flags, &body).unwrap();
        assert!(peer.id > 0);
        peer.join();
        assert_eq!(tid.load(SeqCst), peer.id);
        let group = if flags == GROUP {
            process::id()
        } else {
            peer.id
        };
        assert_eq!(pid.load(SeqCst), group);
    }
}

fn clone_refuses_bad_stacks() {
    // Before the holes are made, so that the heap does not fill them.
    let before = check::list().len();
    // Nothing below, three pages, nothing above; then one only to read.
    let around = wild::map(8 * PAGE);
    let (low, high) = (around + PAGE, around + 4 * PAGE);
    wild::unmap(around, PAGE).unwrap();
    wild::unmap(high, PAGE).unwrap();
    let read_only = high + PAGE;
    wild::protect(read_only, PAGE, PROT_READ).unwrap();
    let nothing = read_only + 2 * PAGE;
    wild::protect(nothing, PAGE, PROT_NONE).unwrap();
    // A page of the heap that is only in part below the break.
    let heap = wild::brk(0).next_multiple_of(PAGE);
    assert_eq!(wild::brk(heap + PAGE / 2), heap + PAGE / 2);
    let bad = [
        (low - PAGE, PAGE),
        (low - 16, PAGE),
        (low - PAGE, 3 * PAGE),
        (high - 16, PAGE),
        (high, PAGE),
        (high - PAGE, 2 * PAGE),
        (high - PAGE, 3 * PAGE),
        (read_only, PAGE),
        (read_only, 2 * PAGE),
        (read_only - PAGE, 3 * PAGE),
        (nothing, PAGE),
        (nothing - PAGE, 2 * PAGE),
        (0, PAGE),
        (0, 0),
        (0, usize::MAX),
        (usize::MAX, PAGE),
        (usize::MAX, 1),
        (usize::MAX & !0xfff, PAGE),
        ((usize::MAX & !0xfff) - PAGE, 2 * PAGE),
        (1 << 63, PAGE),
        (1 << 47, PAGE),
        (USER_END, PAGE),
        (USER_END - PAGE, 2 * PAGE),
        (low, usize::MAX),
        (low, usize::MAX - low + 1),
        (low, 0),
        (low, 15),
        (heap, PAGE),
    ];
    for stack in bad {
        for flags in [GROUP, SPACE] {
            let result = wild::clone(wild::return_at_once, (0, 0), stack, flags);
            assert!(
                matches!(result, Err(Errno::EFAULT | Errno::EINVAL)),
                "{:#x}+{:#x}: {result:?}",
                stack.0,
                stack.1
            );
        }
    }
    assert_eq!(join_any(), Err(Errno::ECHILD));
    until(|| check::list().len() <= before);
}

fn clone_refuses_bad_flags() {
    let stack = wild::map(PAGE);
    let bad = [CLONE_THREAD, CLONE_SIGHAND, CLONE_THREAD | CLONE_SIGHAND];
    for flags in bad {
        let result = wild::clone(wild::return_at_once, (0, 0), (stack, PAGE), flags);
        assert_eq!(result, Err(Errno::EINVAL), "{flags:#x}");
    }
    // Linux's own call: the same rules.
    for flags in [
        CLONE_THREAD | CLONE_VM,
        CLONE_SIGHAND,
        CLONE_THREAD | CLONE_SIGHAND,
    ] {
        let result = wild::call(weft::call::CLONE, [flags, stack + PAGE]);
        assert_eq!(result, Err(Errno::EINVAL), "{flags:#x}");
    }
    assert_eq!(join_any(), Err(Errno::ECHILD));
    assert_eq!(process::wait(), Err(Errno::ECHILD));
}

fn is_open(fd: i32) -> bool {
    file::fstat(fd).is_ok()
}

fn clone_shares_or_copies_files() {
    for (flags, shared) in [(GROUP, true), (SPACE | CLONE_FILES, true), (SPACE, false)] {
        let mine = file::open(c"/", O_RDONLY).unwrap();
        let opened = AtomicI32::new(-1);
        let body = || {
            assert!(is_open(mine));
            opened.store(file::open(c"/", O_RDONLY).unwrap(), SeqCst);
            file::close(mine).unwrap();
        };
        bare(flags, &body).unwrap().join();
        assert_eq!(
            is_open(opened.load(SeqCst)),
            shared,
            "{flags:#x}: an open by the thread"
        );
        assert_eq!(is_open(mine), !shared, "{flags:#x}: a close by the thread");
        let _ = (file::close(mine), file::close(opened.load(SeqCst)));
    }
}

fn clone_shares_or_copies_the_folder() {
    for (flags, shared) in [(GROUP, true), (SPACE | CLONE_FS, true), (SPACE, false)] {
        file::chdir(c"/").unwrap();
        let body = || file::chdir(c"/dev").unwrap();
        bare(flags, &body).unwrap().join();
        let mut buffer = [0; 64];
        let folder = file::current_folder(&mut buffer).unwrap();
        assert_eq!(folder, if shared { c"/dev" } else { c"/" }, "{flags:#x}");
    }
}

fn action_of(signal: u32) -> usize {
    let mut action = SigAction::default();
    let args = [signal as usize, 0, &raw mut action as usize, 8];
    wild::call(weft::call::RT_SIGACTION, args).unwrap();
    action.handler
}

fn clone_shares_or_copies_signal_actions() {
    for (flags, shared) in [(GROUP, true), (SPACE | CLONE_SIGHAND, true), (SPACE, false)] {
        process::set_signal(SIGUSR1, SIG_DFL).unwrap();
        let body = || process::set_signal(SIGUSR1, SIG_IGN).unwrap();
        bare(flags, &body).unwrap().join();
        assert_eq!(
            action_of(SIGUSR1),
            if shared { SIG_IGN } else { SIG_DFL },
            "{flags:#x}"
        );
    }
}

fn clone_without_the_space_is_a_fork() {
    let value = AtomicI32::new(1);
    let parent = process::id();
    let body = || {
        assert_eq!(process::parent(), parent);
        value.store(2, SeqCst);
        process::exit(7)
    };
    let child = bare(0, &body).unwrap();
    assert_eq!(
        join_any(),
        Err(Errno::ECHILD),
        "a forked child is not joined"
    );
    assert_eq!(thread::join(child.id), Err(Errno::ESRCH));
    assert_eq!(process::wait(), Ok((child.id, Ended::Exited(7))));
    assert_eq!(value.load(SeqCst), 1);
}

fn clone_for_the_parent() {
    let outer = process::id();
    let ended = check::in_child(|| {
        let seen = AtomicI32::new(0);
        let body = || seen.store(process::parent(), SeqCst);
        let child = bare(SPACE | CLONE_PARENT, &body).unwrap();
        until(|| seen.load(SeqCst) != 0);
        assert_eq!(seen.load(SeqCst), outer);
        assert!(child.id > 0);
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn clone_keeps_vector_registers_apart() {
    thread::scope(|scope| {
        for i in 0..6u64 {
            let work = move || {
                for round in 0..200 {
                    let mark = i << 32 | round;
                    assert_eq!(wild::vector_after(mark, 5), mark);
                }
            };
            scope.spawn(work).unwrap();
        }
    });
}

/// Threads until there is no room for more: an error, and all go on.
fn clone_until_it_fails() {
    let ended = check::in_child(|| {
        let (stop, alive) = (Flag::new(), AtomicI32::new(0));
        let body = || {
            alive.fetch_add(1, SeqCst);
            stop.wait_asleep();
            alive.fetch_sub(1, SeqCst);
        };
        let (entry, word) = check::closure_words(&body);
        let most = rounds(4_100, 200_000);
        let stacks = weft::memory::map(most * PAGE, PROT_READ | PROT_WRITE);
        let stacks = stacks.expect("room for stacks");
        let mut ids = alloc::vec::Vec::new();
        for i in 0..most {
            match wild::clone(entry, (word, 0), (stacks + i * PAGE, PAGE), GROUP) {
                Ok(id) => ids.push(id),
                Err(error) => {
                    assert!(matches!(error, Errno::EAGAIN | Errno::ENOMEM), "{error:?}");
                    break;
                }
            }
        }
        assert!(ids.len() >= 4_000, "only {} threads", ids.len());
        until(|| alive.load(SeqCst) as usize == ids.len());
        stop.set_and_wake();
        for id in &ids {
            thread::join(*id).unwrap();
        }
        assert_eq!(alive.load(SeqCst), 0);
    });
    assert_eq!(ended, Ended::Exited(0));
}
