//! Every lock and every way to sleep, in all interleavings that loom can find.
//!
//! Purpose: what a stress test meets once in a million runs, a model meets each
//! time. Run with `RUSTFLAGS="--cfg loom" cargo test -p sync --release`. Loom
//! itself fails a model that deadlocks (a lost wake) or reaches a value in two
//! threads without an order between them (a lock that lets two in).
//!
//! Time-outs: the model's clock is moved by a thread that plays the timer, so
//! the deadline passes at every possible moment.
#![cfg(loom)]

mod exit_join;
mod futex;
mod mutex;
mod once;
mod ready_list;
mod rwlock;
mod spin;
mod ticket;
mod timeout;
mod wait_queue;

use sync::scheduler::host::{self, HostThread};

/// More involuntary switches than a model of two threads has room for.
const ALL: usize = 6;
/// With three threads each more costs a minute; most bugs need one or two.
const MOST: usize = 3;
/// Where three threads spin, loom follows every turn of each.
const SPINNING: usize = 1;

/// Explores all interleavings with up to `switches` involuntary switches.
fn explore(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 20_000;
    builder.preemption_bound = Some(switches);
    builder.check(model);
}

/// Plays the timer interrupt: the time is `now`, and who sleeps has to look.
fn clock_reaches(now: u64, sleeper: &HostThread) {
    host::set_clock(now);
    sleeper.unpark();
}
