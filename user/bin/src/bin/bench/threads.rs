//! Making threads and joining them.

use crate::measure::{Bench, timed};
use alloc::vec::Vec;
use weft::{Errno, call, thread, time, wild};

const STACK: usize = 4096;

extern "C" fn end_at_once(_: usize, _: usize) {
    thread::exit_bare()
}

fn clone_on(stack: usize) -> Result<i32, Errno> {
    wild::clone(end_at_once, (0, 0), (stack, STACK), thread::GROUP_FLAGS)
}

pub fn run(bench: &mut Bench) {
    let stack = wild::map(STACK);
    bench.each("thread_clone_join", 1_000, || {
        thread::join(clone_on(stack)?)
    });
    bench.each("thread_clone_join_any", 1_000, || {
        clone_on(stack)?;
        wild::call(call::THREAD_JOIN_ANY, [0]).map(|_| ())
    });
    bench.each("thread_spawn_join", 1_000, || {
        thread::spawn(|| ())?.join().map(|_| ())
    });
    many(bench);
}

/// A thousand threads alive at once: what each costs to make, and to join.
fn many(bench: &mut Bench) {
    const COUNT: usize = 1_000;
    let stacks = wild::map(COUNT * STACK);
    // Its pages touched before, as they are in a stack that is ready.
    (0..COUNT).for_each(|i| wild::store(stacks + i * STACK + STACK - 1, 0));
    let gate = wild::word(wild::map(4096));
    extern "C" fn wait(gate: usize, _: usize) {
        let gate = wild::word(gate);
        while gate.load(core::sync::atomic::Ordering::SeqCst) == 0 {
            weft::sync::futex::wait(gate, 0, weft::sync::futex::ANY);
        }
        thread::exit_bare()
    }
    let address = gate.as_ptr() as usize;
    let create = |count: usize| -> Result<(Vec<i32>, u64), Errno> {
        gate.store(0, core::sync::atomic::Ordering::SeqCst);
        let mut ids = Vec::with_capacity(count);
        let time = timed(count, || {
            let stack = (stacks + ids.len() * STACK, STACK);
            ids.push(wild::clone(wait, (address, 0), stack, thread::GROUP_FLAGS)?);
            Ok(())
        })?;
        gate.store(1, core::sync::atomic::Ordering::SeqCst);
        weft::sync::futex::wake(gate, i32::MAX as u32, weft::sync::futex::ANY);
        Ok((ids, time))
    };
    bench.batch("thread_create_of_1000", COUNT, |count| {
        let (ids, time) = create(count)?;
        ids.into_iter().try_for_each(thread::join)?;
        Ok(time)
    });
    bench.batch("thread_join_of_1000", COUNT, |count| {
        let (ids, _) = create(count)?;
        let began = time::now();
        ids.into_iter().try_for_each(thread::join)?;
        Ok(time::now() - began)
    });
    // A fork from here on copies a small process again.
    wild::unmap(stacks, COUNT * STACK).ok();
}
