//! The calls on processes, time and the system, as they should be used.

use alloc::vec::Vec;
use weft::abi::process::UtsName;
use weft::abi::signal::*;
use weft::abi::time::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, memory, process, tests, thread, time, wild};

pub const TESTS: &[Test] = tests![
    fork_gives_a_copy,
    exit_code_reaches_the_parent,
    wait_for_each_child_once,
    wait_does_not_wait_when_asked_not_to,
    kill_ends_and_is_seen,
    kill_of_a_group,
    ids_of_parents_and_children,
    orphans_get_a_parent,
    break_moves,
    sleep_sleeps,
    uptime_goes_on,
    clocks_go_on,
    yield_returns,
    affinity_is_kept,
    names_and_numbers_of_the_system,
    unknown_calls,
    registers_survive_a_call,
];

fn fork_gives_a_copy() {
    let mut value = 1;
    let ended = check::in_child(|| {
        value = 2;
        assert_eq!(value, 2);
    });
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(value, 1);
}

fn exit_code_reaches_the_parent() {
    for code in [0, 1, 7, 127, 255, 256, 257, -1, i32::MIN] {
        let ended = check::in_child(|| process::exit(code));
        assert_eq!(ended, Ended::Exited(code as u8));
    }
}

fn wait_for_each_child_once() {
    let mut children: Vec<i32> = (0..20)
        .map(|i| check::start_child(|| process::exit(i)))
        .collect();
    let picked = children.remove(10);
    assert_eq!(process::wait_for(picked), Ok((picked, Ended::Exited(10))));
    while let Ok((child, ended)) = process::wait() {
        let at = children
            .iter()
            .position(|id| *id == child)
            .expect("a child of ours");
        children.swap_remove(at);
        assert!(matches!(ended, Ended::Exited(0..20)));
    }
    assert!(children.is_empty());
    assert_eq!(process::wait(), Err(Errno::ECHILD));
    assert_eq!(process::wait_for(picked), Err(Errno::ECHILD));
    assert_eq!(process::wait_for(1), Err(Errno::ECHILD));
}

fn wait_does_not_wait_when_asked_not_to() {
    let (read, write) = file::pipe().unwrap();
    let child = check::start_child(|| {
        file::close(write).unwrap();
        let _ = file::read(read, &mut [0]);
    });
    assert_eq!(process::poll(child), Ok(None));
    assert_eq!(process::poll(-1), Ok(None));
    file::close(write).unwrap();
    check::until(|| process::poll(child) != Ok(None));
    assert_eq!(process::poll(-1), Err(Errno::ECHILD));
}

fn kill_ends_and_is_seen() {
    for signal in [SIGKILL, SIGTERM, SIGINT, SIGUSR1, SIGSEGV] {
        let child = check::start_child(|| {
            loop {
                time::give_way();
            }
        });
        process::kill(child, signal).unwrap();
        assert_eq!(check::wait_for(child), Ended::Signaled(signal as u8));
        assert_eq!(process::kill(child, signal), Err(Errno::ESRCH));
    }
    // What is ignored does not end anybody; SIGKILL cannot be.
    let (read, write) = file::pipe().unwrap();
    let child = check::start_child(|| {
        process::set_signal(SIGTERM, SIG_IGN).unwrap();
        assert_eq!(process::kill(process::id(), SIGTERM), Ok(()));
        file::write_all(write, b"x").unwrap();
        loop {
            time::give_way();
        }
    });
    assert_eq!(file::read(read, &mut [0]), Ok(1));
    process::kill(child, SIGTERM).unwrap();
    process::kill(child, 0).unwrap();
    process::kill(child, SIGKILL).unwrap();
    assert_eq!(check::wait_for(child), Ended::Signaled(SIGKILL as u8));
}

fn kill_of_a_group() {
    let (read, write) = file::pipe().unwrap();
    let leader = check::start_child(|| {
        process::set_group(0, 0).unwrap();
        for _ in 0..3 {
            check::start_child(|| {
                file::write_all(write, b"x").unwrap();
                loop {
                    let _ = time::sleep(1 << 60);
                }
            });
        }
        file::write_all(write, b"x").unwrap();
        loop {
            let _ = time::sleep(1 << 60);
        }
    });
    assert_eq!(file::read_full(read, &mut [0; 4]), Ok(4));
    file::close(write).unwrap();
    process::kill(-leader, SIGTERM).unwrap();
    assert_eq!(check::wait_for(leader), Ended::Signaled(SIGTERM as u8));
    // All four held the pipe.
    assert_eq!(file::read(read, &mut [0]), Ok(0));
}

fn ids_of_parents_and_children() {
    let me = process::id();
    assert!(me > 0 && process::parent() > 0);
    let child = check::start_child(|| {
        assert_ne!(process::id(), me);
        assert_eq!(process::parent(), me);
    });
    assert_ne!(child, me);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
}

fn orphans_get_a_parent() {
    let (read, write) = file::pipe().unwrap();
    let me = process::id();
    let child = check::start_child(|| {
        let parent = process::id();
        check::start_child(|| {
            check::until(|| process::parent() != parent);
            assert_ne!(process::parent(), me);
            assert!(process::parent() > 0);
            file::write_all(write, b"x").unwrap();
        });
    });
    check::wait_for(child);
    file::close(write).unwrap();
    assert_eq!(file::read(read, &mut [0]), Ok(1));
}

fn break_moves() {
    let start = memory::move_break(0).unwrap();
    assert_eq!(memory::move_break(10_000), Ok(start));
    assert_eq!(memory::move_break(0), Ok(start + 10_000));
    wild::bytes(start, 10_000).fill(1);
    assert_eq!(memory::move_break(-10_000), Ok(start + 10_000));
    for by in [isize::MAX, isize::MIN, -(start as isize), 1 << 46] {
        assert_eq!(memory::move_break(by), Err(Errno::ENOMEM), "{by:#x}");
    }
    assert_eq!(memory::move_break(0), Ok(start));
}

fn sleep_sleeps() {
    for nanos in [0, 1, 1_000, 3_000_000] {
        let began = time::now();
        time::sleep(nanos).unwrap();
        assert!(time::now() - began >= nanos);
    }
}

fn uptime_goes_on() {
    let Ok(before) = wild::call(call::UPTIME, []) else {
        panic!("no uptime");
    };
    check::until(|| wild::call(call::UPTIME, []).unwrap() > before);
}

fn clocks_go_on() {
    for clock in [
        CLOCK_REALTIME,
        CLOCK_MONOTONIC,
        CLOCK_MONOTONIC_RAW,
        CLOCK_BOOTTIME,
        CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID,
    ] {
        let mut last = time::clock(clock).unwrap();
        for _ in 0..rounds(1_000, 100_000) {
            let now = time::clock(clock).unwrap();
            assert!(now >= last, "clock {clock} went back");
            last = now;
        }
    }
    // Also from one CPU to the next.
    let last = weft::sync::Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            let work = || {
                for _ in 0..rounds(500, 50_000) {
                    let mut last = last.lock();
                    let now = time::now();
                    assert!(now >= *last, "the clock differs between CPUs");
                    *last = now;
                }
            };
            scope.spawn(work).unwrap();
        }
    });
}

fn yield_returns() {
    (0..100).for_each(|_| time::give_way());
}

fn affinity_is_kept() {
    let all = thread::affinity().unwrap();
    assert!(thread::cpus() >= 1);
    for cpu in 0..1024 {
        if all[cpu / 64] >> (cpu % 64) & 1 == 0 {
            continue;
        }
        let mut one = [0; 16];
        one[cpu / 64] = 1 << (cpu % 64);
        thread::set_affinity(&one).unwrap();
        assert_eq!(thread::affinity(), Ok(one));
        for _ in 0..10 {
            let mut now = 0u32;
            wild::call(call::GETCPU, [&raw mut now as usize, 0]).unwrap();
            assert_eq!(now as usize, cpu);
            time::give_way();
        }
    }
    assert_eq!(thread::set_affinity(&[0; 16]), Err(Errno::EINVAL));
    thread::set_affinity(&all).unwrap();
}

fn names_and_numbers_of_the_system() {
    let mut name = UtsName {
        sysname: [0; 65],
        nodename: [0; 65],
        release: [0; 65],
        version: [0; 65],
        machine: [0; 65],
        domainname: [0; 65],
    };
    wild::call(call::UNAME, [&raw mut name as usize]).unwrap();
    assert!(name.machine.starts_with(b"x86_64\0"));
    assert_ne!(name.sysname[0], 0);
    let info = process::system().unwrap();
    assert!(info.totalram > 0 && info.freeram > 0 && info.freeram <= info.totalram);
    assert!(info.procs >= 1);
}

fn unknown_calls() {
    for number in [511, 999, 0x0fff, 0x10ff, 0x2000, 0x7fff_ffff, usize::MAX] {
        assert_eq!(
            wild::call(number, [0; 6]),
            Err(Errno::ENOSYS),
            "{number:#x}"
        );
    }
}

fn registers_survive_a_call() {
    assert_eq!(wild::registers_lost(rounds(1_000, 100_000)), 0);
}
