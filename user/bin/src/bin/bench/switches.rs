//! Hand-offs between two threads, or two processes: there and back.

use crate::measure::{Bench, Measured, timed};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use weft::sync::{Condvar, KernelSemaphore, Mutex, futex};
use weft::{Errno, file, process, thread, time};

pub fn run(bench: &mut Bench) {
    bench.batch("pipe_round_trip_threads", 2_000, pipes_of_threads);
    bench.batch("pipe_round_trip_processes", 2_000, pipes_of_processes);
    bench.batch("futex_round_trip", 2_000, futexes);
    bench.batch("semaphore_round_trip", 2_000, semaphores);
    bench.batch("condition_round_trip", 2_000, conditions);
    bench.batch("yield_to_peer", 2_000, yields);
}

/// Times `rounds` of `there`, while a thread does as many of `answer`.
fn with_peer(
    rounds: usize,
    there: impl FnMut() -> Result<(), Errno>,
    answer: impl Fn() -> Result<(), Errno> + Sync + Send,
) -> Measured {
    thread::scope(|scope| {
        let work = move || (0..rounds).try_for_each(|_| answer());
        let peer = scope.spawn(work)?;
        let total = timed(rounds, there)?;
        peer.join()?.unwrap_or(Err(Errno::EIO))?;
        Ok(total)
    })
}

fn pipes_of_threads(rounds: usize) -> Measured {
    let (there, back) = (file::pipe()?, file::pipe()?);
    let total = with_peer(
        rounds,
        || {
            file::write(there.1, b"x")?;
            file::read(back.0, &mut [0]).map(|_| ())
        },
        || {
            file::read(there.0, &mut [0])?;
            file::write(back.1, b"x").map(|_| ())
        },
    );
    close(there)?;
    close(back)?;
    total
}

fn pipes_of_processes(rounds: usize) -> Measured {
    let (there, back) = (file::pipe()?, file::pipe()?);
    let Some(child) = process::fork()? else {
        while file::read(there.0, &mut [0]).is_ok() && file::write(back.1, b"x").is_ok() {}
        process::exit(0)
    };
    let total = timed(rounds, || {
        file::write(there.1, b"x")?;
        file::read(back.0, &mut [0]).map(|_| ())
    });
    process::kill(child, weft::abi::signal::SIGKILL)?;
    process::wait_for(child)?;
    close(there)?;
    close(back)?;
    total
}

fn close(pipe: (i32, i32)) -> Result<(), Errno> {
    file::close(pipe.0)?;
    file::close(pipe.1)
}

fn futexes(rounds: usize) -> Measured {
    let turn = AtomicU32::new(0);
    let pass = |mine: u32| {
        turn.store(1 - mine, SeqCst);
        futex::wake(&turn, 1, futex::ANY);
        while turn.load(SeqCst) != mine {
            futex::wait(&turn, 1 - mine, futex::ANY);
        }
        Ok(())
    };
    let answer = || {
        while turn.load(SeqCst) != 1 {
            futex::wait(&turn, 0, futex::ANY);
        }
        turn.store(0, SeqCst);
        futex::wake(&turn, 1, futex::ANY);
        Ok(())
    };
    with_peer(rounds, || pass(0), answer)
}

fn semaphores(rounds: usize) -> Measured {
    let (there, back) = (KernelSemaphore::new(0)?, KernelSemaphore::new(0)?);
    let total = with_peer(
        rounds,
        || {
            there.post()?;
            back.wait()
        },
        || {
            there.wait()?;
            back.post()
        },
    );
    there.destroy()?;
    back.destroy()?;
    total
}

fn conditions(rounds: usize) -> Measured {
    let (turn, changed) = (Mutex::new(0u32), Condvar::new());
    let pass = |mine: u32| {
        let mut turn = changed.wait_until(turn.lock(), |turn| *turn == mine);
        *turn = 1 - mine;
        drop(turn);
        changed.signal();
        Ok(())
    };
    with_peer(rounds, || pass(0), || pass(1))
}

/// Two threads on one CPU that do nothing but give way to each other.
fn yields(rounds: usize) -> Measured {
    let all = thread::affinity()?;
    let word = all.iter().position(|word| *word != 0).unwrap_or(0);
    let mut one = [0; 16];
    one[word] = 1 << all[word].trailing_zeros();
    thread::set_affinity(&one)?;
    let done = AtomicBool::new(false);
    let total = thread::scope(|scope| {
        let work = || {
            while !done.load(SeqCst) {
                time::give_way();
            }
        };
        let peer = scope.spawn(work)?;
        let total = timed(rounds, || {
            time::give_way();
            Ok(())
        });
        done.store(true, SeqCst);
        peer.join()?;
        total
    });
    thread::set_affinity(&all)?;
    // Each round of ours is one of the peer's.
    total.map(|total| total / 2)
}
