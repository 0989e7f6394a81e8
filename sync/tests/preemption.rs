//! Guards: when interrupts are off, when a thread is preempted, what a handler
//! and a holder of a spin lock may not do. Each test thread plays a CPU.
#![cfg(not(loom))]

use std::cell::Cell;
use std::sync::{Arc, Once};

use sync::{Scheduler, SpinLock, interrupts, preempt, rank};

struct Counting;

thread_local! {
    static PREEMPTED: Cell<u32> = const { Cell::new(0) };
    /// How many ticks are still to come, each as the CPU is got back.
    static TICKS: Cell<u32> = const { Cell::new(0) };
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

impl Scheduler for Counting {
    type Thread = ();

    fn current(&self) -> Arc<()> {
        unreachable!("nothing sleeps here")
    }

    fn park(&self, _deadline: Option<u64>) {}

    fn unpark(&self, _thread: Arc<()>) {}

    fn interrupted(&self) -> bool {
        false
    }

    fn preempt(&self) {
        assert!(interrupts::enabled());
        assert_eq!(preempt::count(), 0);
        PREEMPTED.set(PREEMPTED.get() + 1);
        assert!(!WITHIN.replace(true), "the stack grows with every tick");
        if TICKS.get() > 0 {
            TICKS.set(TICKS.get() - 1);
            // The switch's guard ends on the far side, where a tick waits.
            let serving = preempt::switch_away();
            let queue = interrupts::off();
            preempt::request();
            drop(queue);
            preempt::switched_back(serving);
            assert!(preempt::wanted(), "the request of the tick is kept");
        }
        WITHIN.set(false);
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Installs the scheduler; gives what tells how often this CPU was preempted.
fn start() -> fn() -> u32 {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| sync::scheduler::install(&Counting));
    || PREEMPTED.get()
}

#[test]
fn the_last_guard_preempts_once() {
    let preempted = start();
    let outer = preempt::disable();
    let inner = preempt::disable();
    preempt::request();
    assert_eq!(preempt::count(), 2);
    assert!(preempt::wanted());
    drop(outer);
    assert_eq!(preempted(), 0);
    drop(inner);
    assert_eq!(preempted(), 1);
    assert!(!preempt::wanted());
    drop(preempt::disable());
    assert_eq!(preempted(), 1);
}

#[test]
fn ticks_that_wait_for_a_thread_are_served_one_after_the_other() {
    let preempted = start();
    TICKS.set(3);
    let section = preempt::disable();
    preempt::request();
    drop(section);
    assert_eq!(preempted(), 4);
    // And at the return from an interrupt.
    TICKS.set(3);
    let by_the_cpu = interrupts::off();
    preempt::request();
    preempt::serve();
    assert_eq!(preempted(), 4, "the interrupted code has a guard");
    drop(by_the_cpu);
    assert_eq!(preempted(), 8);
    assert!(!preempt::wanted());
}

#[test]
fn a_thread_that_comes_back_serves_what_came_meanwhile() {
    let preempted = start();
    // A thread that slept; the request comes while it may not be preempted yet.
    let serving = preempt::switch_away();
    preempt::request();
    drop(preempt::disable());
    assert_eq!(preempted(), 0);
    preempt::switched_back(serving);
    assert_eq!(preempted(), 1);
}

#[test]
fn a_request_can_be_taken_back() {
    let preempted = start();
    let guard = preempt::disable();
    preempt::request();
    assert!(preempt::take_request());
    assert!(!preempt::take_request());
    drop(guard);
    assert_eq!(preempted(), 0);
}

#[test]
fn interrupts_come_back_with_the_last_guard_in_any_order() {
    let preempted = start();
    let first = interrupts::off();
    let second = interrupts::off();
    let third = interrupts::off();
    preempt::request();
    drop(first);
    assert!(!interrupts::enabled());
    drop(third);
    assert!(!interrupts::enabled());
    assert_eq!(preempted(), 0);
    drop(second);
    assert!(interrupts::enabled());
    assert_eq!(preempted(), 1);
    // And the mark of the first is not left behind.
    let handler = interrupts::off();
    drop(interrupts::off());
    assert!(!interrupts::enabled());
    drop(handler);
    assert!(interrupts::enabled());
}

#[test]
fn a_rank_says_whether_interrupts_go_off() {
    start();
    let plain = SpinLock::<(), rank::Group>::new(());
    let quiet = SpinLock::<(), rank::RunQueue>::new(());
    {
        let _held = plain.lock();
        assert!(interrupts::enabled());
        assert_eq!(preempt::count(), 1);
        let _inner = quiet.lock();
        assert!(!interrupts::enabled());
        assert_eq!(preempt::count(), 2);
        assert!(plain.try_lock().is_none());
        assert_eq!(preempt::count(), 2);
    }
    assert!(interrupts::enabled());
    assert_eq!(preempt::count(), 0);
}

#[test]
fn two_quiet_locks_are_released_in_the_order_of_taking() {
    start();
    let locks = [
        SpinLock::<(), rank::RunQueue>::new(()),
        SpinLock::<(), rank::RunQueue>::new(()),
    ];
    let (first, second) = SpinLock::lock_both(&locks[0], &locks[1]);
    drop(first);
    assert!(!interrupts::enabled());
    drop(second);
    assert!(interrupts::enabled());
}

#[test]
fn a_handler_is_preempted_at_its_return() {
    let preempted = start();
    let quiet = SpinLock::<(), rank::RunQueue>::new(());
    // The CPU has turned interrupts off before the handler begins.
    let by_the_cpu = interrupts::off();
    let handler = interrupts::enter_handler();
    assert!(interrupts::in_handler());
    preempt::request();
    drop(quiet.lock());
    assert!(!interrupts::enabled());
    drop(handler);
    assert_eq!(preempted(), 0);
    assert!(!preempt::due(), "the interrupted code may not be preempted");
    drop(by_the_cpu);
    assert_eq!(preempted(), 1);
    preempt::request();
    assert!(preempt::due());
    drop(preempt::disable());
    assert_eq!(preempted(), 2);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "may sleep with 1 preemption guards alive")]
fn nobody_sleeps_with_a_spin_lock() {
    start();
    let lock = SpinLock::<(), rank::Group>::new(());
    let _held = lock.lock();
    preempt::might_sleep();
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "may sleep in an interrupt handler")]
fn no_handler_sleeps() {
    start();
    let _handler = interrupts::enter_handler();
    preempt::might_sleep();
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "Group taken in an interrupt handler")]
fn a_handler_takes_quiet_locks_only() {
    start();
    let lock = SpinLock::<(), rank::Group>::new(());
    let _handler = interrupts::enter_handler();
    let _held = lock.lock();
}
