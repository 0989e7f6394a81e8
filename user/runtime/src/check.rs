//! A small test harness. Each test runs in a process of its own, so that it
//! may end, be killed or leave threads behind; it passes if that process exits
//! with 0. Output: a line `test NAME ... ok` or `test NAME ... FAILED` each,
//! and `N passed, N failed` at the end.
//!
//! Arguments of a test program: names (or parts of names) of tests to run, and
//! `--full` for the full number of rounds.

use crate::process::{self, Ended};
use crate::{file, thread};
use abi::Errno;
use abi::clone::ThreadInfo;
use abi::file::O_WRONLY;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A test's name and what it does.
pub type Test = (&'static str, fn());

static FULL: AtomicBool = AtomicBool::new(false);

/// How often to repeat something: `quick` times, or `full` times when asked to
/// be thorough.
pub fn rounds(quick: usize, full: usize) -> usize {
    if FULL.load(Relaxed) { full } else { quick }
}

/// Runs the tests that the arguments select; the program's exit code.
pub fn run(tests: &[&[Test]]) -> i32 {
    let words: Vec<&str> = crate::args()
        .skip(1)
        .filter_map(|word| word.to_str().ok())
        .collect();
    FULL.store(words.contains(&"--full"), Relaxed);
    let names: Vec<&str> = words
        .into_iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests
        .iter()
        .copied()
        .flatten()
        .filter(|(name, _)| wanted(name))
    {
        crate::print!("test {name} ... ");
        match run_one(*test) {
            Ok(Ended::Exited(0)) => {
                crate::println!("ok");
                passed += 1;
            }
            result => {
                match result {
                    Ok(Ended::Exited(code)) => crate::println!("exit code {code}"),
                    Ok(Ended::Signaled(signal)) => crate::println!("ended by signal {signal}"),
                    Err(error) => crate::println!("cannot run: {error}"),
                }
                crate::println!("test {name} ... FAILED");
                failed += 1;
            }
        }
    }
    crate::println!("{passed} passed, {failed} failed");
    (failed > 0) as i32
}

fn run_one(test: fn()) -> Result<Ended, Errno> {
    let Some(child) = process::fork()? else {
        // What the test leaves behind goes by its process group.
        let _ = process::set_group(0, 0);
        test();
        process::exit(0)
    };
    let ended = process::wait_for(child)?.1;
    let _ = process::kill(-child, abi::signal::SIGKILL);
    Ok(ended)
}

/// Names tests by their functions: `tests![first, second]`.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name as fn())),*] };
}

/// Runs `body` in a forked child; how the child ended. It exits with 0 if
/// `body` returns.
pub fn in_child(body: impl FnOnce()) -> Ended {
    wait_for(start_child(body))
}

/// As [`in_child`], without waiting; the child's id.
pub fn start_child(body: impl FnOnce()) -> i32 {
    match process::fork().expect("fork") {
        Some(child) => child,
        None => {
            body();
            process::exit(0)
        }
    }
}

pub fn wait_for(child: i32) -> Ended {
    process::wait_for(child).expect("wait for a child").1
}

/// Waits until `condition` holds, giving way meanwhile. A condition that never
/// comes true hangs the test: that is a failure for the time-out outside.
pub fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        crate::time::give_way();
    }
}

/// Lets the kernel write what is dirty, and forget what files have in memory.
pub fn drop_caches() {
    let fd = file::open(c"/proc/sys/vm/drop_caches", O_WRONLY).expect("/proc is mounted");
    file::write_all(fd, b"3").expect("any of 1, 2 and 3 is taken");
    file::close(fd).expect("it is open");
}

/// Waits until the thread sleeps in the kernel (or has ended).
pub fn until_asleep(tid: i32) {
    until(|| !matches!(state(tid), Some(b'R')));
}

/// A thread's state, one of `RSZ`; `None` if there is none of that id.
pub fn state(tid: i32) -> Option<u8> {
    list()
        .iter()
        .find(|info| info.tid == tid as u32)
        .map(|info| info.state)
}

/// All threads of the system.
pub fn list() -> Vec<ThreadInfo> {
    let mut infos = Vec::new();
    loop {
        let count = thread::list(&mut infos).expect("list of threads");
        if count <= infos.len() {
            infos.truncate(count);
            return infos;
        }
        // Some room for those that come meanwhile.
        infos.resize(count + 16, ThreadInfo::default());
    }
}

/// A closure for a bare clone's two words. Whoever starts the thread sees to it
/// that the closure outlives it.
pub fn closure_words<F: Fn() + Sync>(body: &F) -> (thread::Entry, usize) {
    extern "C" fn call<F: Fn() + Sync>(body: usize, _: usize) {
        // SAFETY: see above: the test keeps the closure alive.
        unsafe { (*(body as *const F))() }
        thread::exit_bare()
    }
    (call::<F>, &raw const *body as usize)
}
