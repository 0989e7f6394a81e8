//! CPU time: of threads, of processes with threads that have ended, of children
//! that were waited for; and the clocks that show it (getrusage(2), times(2),
//! clock_getcpuclockid(3)).

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::process::*;
use weft::abi::signal::SIGKILL;
use weft::abi::time::*;
use weft::check::{Test, until};
use weft::{Errno, call, check, process, tests, thread, time, wild};

pub const TESTS: &[Test] = tests![
    cpu_time_of_ended_threads_stays,
    cpu_time_of_a_sleeper_stands_still,
    cpu_time_divides,
    cpu_time_of_waited_children_is_the_parents,
    cpu_time_of_ignored_children_is_nobodys,
    cpu_clocks_of_others,
    cpu_clocks_refuse,
    switches_and_faults_are_counted,
    getrusage_and_times_refuse,
];

const WORK: u64 = 3_000_000;

fn clock(which: usize) -> u64 {
    time::clock(which).unwrap()
}

/// Uses the CPU until the calling thread's clock has gone on by `nanos`.
fn work(nanos: u64) {
    let end = clock(CLOCK_THREAD_CPUTIME_ID) + nanos;
    until(|| clock(CLOCK_THREAD_CPUTIME_ID) >= end);
}

/// The id of a clock of CPU time.
fn cpu_clock(id: i32, kind: i32) -> usize {
    (!id << CPUCLOCK_ID_SHIFT | kind) as usize
}

fn whole(used: Rusage) -> u64 {
    used.user.to_nanos() + used.system.to_nanos()
}

fn cpu_time_of_ended_threads_stays() {
    let before = clock(CLOCK_PROCESS_CPUTIME_ID);
    let own = clock(CLOCK_THREAD_CPUTIME_ID);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| work(WORK)).unwrap();
        }
    });
    let gone_on = clock(CLOCK_PROCESS_CPUTIME_ID) - before;
    assert!(gone_on >= 3 * WORK, "{gone_on}");
    // The same in another form; microseconds are cut off.
    let used = whole(process::used(RUSAGE_SELF).unwrap());
    assert!(used + 2_000 >= before + 3 * WORK, "{used}");
    assert!(clock(CLOCK_THREAD_CPUTIME_ID) >= own);
    assert!(clock(CLOCK_THREAD_CPUTIME_ID) <= clock(CLOCK_PROCESS_CPUTIME_ID));
}

fn cpu_time_of_a_sleeper_stands_still() {
    let (tid, end) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        let body = || {
            tid.store(thread::id() as u32, SeqCst);
            let word = &raw const end as usize;
            let _ = wild::call(call::FUTEX, [word, 128, 0, 0]);
        };
        scope.spawn(body).unwrap();
        until(|| tid.load(SeqCst) != 0);
        let tid = tid.load(SeqCst) as i32;
        check::until_asleep(tid);
        let of_sleeper = cpu_clock(tid, CPUCLOCK_SCHED | CPUCLOCK_THREAD);
        let before = clock(of_sleeper);
        work(WORK);
        assert_eq!(clock(of_sleeper), before);
        end.store(1, SeqCst);
        let word = &raw const end as usize;
        assert_eq!(wild::call(call::FUTEX, [word, 129, 1]), Ok(1));
    });
}

/// Who only counts is seen in user mode, who only calls is seen in the kernel.
fn cpu_time_divides() {
    let used = || process::used(RUSAGE_SELF).unwrap();
    let mut random = 1u64;
    until(|| {
        for _ in 0..100_000 {
            random = core::hint::black_box(random.wrapping_mul(5).wrapping_add(1));
        }
        used().user.to_nanos() > 0
    });
    let ended = check::in_child(|| {
        let page = wild::map(1 << 20);
        until(|| {
            // Long calls: most of the time is the kernel's.
            for _ in 0..50 {
                wild::call(call::GETRANDOM, [page, 1 << 18]).unwrap();
            }
            used().system.to_nanos() > 0
        });
    });
    assert_eq!(ended, process::Ended::Exited(0));
}

fn cpu_time_of_waited_children_is_the_parents() {
    let children = || whole(process::used(RUSAGE_CHILDREN).unwrap());
    assert_eq!(children(), 0);
    let child = check::start_child(|| {
        // A grandchild that is waited for counts, too.
        check::in_child(|| work(WORK));
        work(WORK);
    });
    let (_, _, used) = process::wait_for_used(child).unwrap();
    assert!(whole(used) + 4_000 >= 2 * WORK, "{used:?}");
    assert_eq!(children(), whole(used));
    let mut times = Tms::default();
    let ticks = wild::call(call::TIMES, [&raw mut times as usize]).unwrap();
    assert_eq!(
        times.children_user + times.children_system,
        (used.user.to_nanos() / NANOS_PER_TICK + used.system.to_nanos() / NANOS_PER_TICK) as i64
    );
    assert!(wild::call(call::TIMES, [0]).unwrap() >= ticks);
    // Nothing to wait for: nothing is stored.
    let mut untouched = Rusage {
        swaps: 7,
        ..Rusage::default()
    };
    let out = &raw mut untouched as usize;
    let child = check::start_child(|| {
        let _ = wild::call(call::PAUSE, []);
    });
    let args = [child as usize, 0, WNOHANG, out];
    assert_eq!(wild::call(call::WAIT4, args), Ok(0));
    assert_eq!(untouched.swaps, 7);
    process::kill(child, SIGKILL).unwrap();
    check::wait_for(child);
}

fn cpu_time_of_ignored_children_is_nobodys() {
    use weft::abi::signal::{SIG_IGN, SIGCHLD, SigAction};
    let ignore = SigAction {
        handler: SIG_IGN,
        ..SigAction::default()
    };
    let args = [SIGCHLD as usize, &raw const ignore as usize, 0, 8];
    wild::call(call::RT_SIGACTION, args).unwrap();
    check::start_child(|| work(WORK));
    let args = [usize::MAX, 0, 0, 0];
    assert_eq!(wild::call(call::WAIT4, args), Err(Errno::ECHILD));
    assert_eq!(process::used(RUSAGE_CHILDREN), Ok(Rusage::default()));
}

fn cpu_clocks_of_others() {
    let me = process::id();
    let child = check::start_child(|| {
        work(WORK);
        let _ = wild::call(call::PAUSE, []);
    });
    let of_child = cpu_clock(child, CPUCLOCK_SCHED);
    until(|| clock(of_child) >= WORK);
    assert_ne!(clock(cpu_clock(child, CPUCLOCK_PROF)), 0);
    check::until_asleep(child);
    assert_eq!(clock(of_child), clock(of_child));
    // A thread's clock is its own process's affair.
    let of_thread = cpu_clock(child, CPUCLOCK_SCHED | CPUCLOCK_THREAD);
    assert_eq!(time::clock(of_thread), Err(Errno::EINVAL));
    process::kill(child, SIGKILL).unwrap();
    check::wait_for(child);
    assert_eq!(time::clock(of_child), Err(Errno::EINVAL));
    for id in [0, me] {
        let thread = clock(cpu_clock(id, CPUCLOCK_SCHED | CPUCLOCK_THREAD));
        let process = clock(cpu_clock(id, CPUCLOCK_SCHED));
        assert!(thread > 0 && thread <= process);
        assert!(clock(CLOCK_THREAD_CPUTIME_ID) >= thread);
        assert!(clock(CLOCK_PROCESS_CPUTIME_ID) >= process);
        assert!(clock(cpu_clock(id, CPUCLOCK_VIRT)) <= clock(CLOCK_PROCESS_CPUTIME_ID));
    }
}

fn cpu_clocks_refuse() {
    let resolution = |which: usize, out: usize| wild::call(call::CLOCK_GETRES, [which, out]);
    let bad = [
        cpu_clock(0x3fff_ff00 >> 3, CPUCLOCK_SCHED),
        cpu_clock(0, 3),
        cpu_clock(process::id(), 7),
        12,
        usize::MAX >> 1,
    ];
    for which in bad {
        assert_eq!(time::clock(which), Err(Errno::EINVAL), "{which:#x}");
        assert_eq!(resolution(which, 0), Err(Errno::EINVAL), "{which:#x}");
    }
    let mut fine = Timespec::default();
    let out = &raw mut fine as usize;
    for which in (0..=7).chain([cpu_clock(0, CPUCLOCK_SCHED)]) {
        assert_eq!(resolution(which, out), Ok(0));
        assert_eq!(fine, Timespec { sec: 0, nsec: 1 });
        assert_eq!(resolution(which, 0), Ok(0));
        assert_eq!(resolution(which, 8), Err(Errno::EFAULT));
    }
}

fn switches_and_faults_are_counted() {
    let used = || process::used(RUSAGE_THREAD).unwrap();
    let before = used();
    let length = 64 << 12;
    let pages = wild::map(length);
    for page in (0..length).step_by(1 << 12) {
        wild::store(pages + page, 1);
    }
    assert!(used().minor_faults >= before.minor_faults + 64);
    // The shortest sleep may be over before it begins.
    until(|| {
        time::sleep(100_000).unwrap();
        used().voluntary_switches > before.voluntary_switches
    });
    let after = used();
    // A peer that gives way again and again, on the same CPU.
    let stop = AtomicU32::new(0);
    let one_cpu = 1u64;
    let args = [0, 8, &raw const one_cpu as usize];
    wild::call(call::SCHED_SETAFFINITY, args).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| until(|| stop.load(SeqCst) != 0)).unwrap();
        until(|| {
            time::give_way();
            used().involuntary_switches > after.involuntary_switches
        });
        stop.store(1, SeqCst);
    });
    let all = process::used(RUSAGE_SELF).unwrap();
    assert!(all.involuntary_switches >= used().involuntary_switches);
}

fn getrusage_and_times_refuse() {
    let mut used = Rusage::default();
    let out = &raw mut used as usize;
    for who in [2, -2, i32::MAX, i32::MIN] {
        let args = [who as usize, out];
        assert_eq!(wild::call(call::GETRUSAGE, args), Err(Errno::EINVAL));
    }
    assert_eq!(wild::call(call::GETRUSAGE, [0, 8]), Err(Errno::EFAULT));
    assert_eq!(wild::call(call::TIMES, [8]), Err(Errno::EFAULT));
}
