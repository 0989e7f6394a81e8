//! No sleep allocates: a kernel that is out of memory still waits and wakes.
#![cfg(not(loom))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sync::{Mutex, RwLock, WaitQueue, rank, scheduler::host};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it is the system's allocator, and a counter that allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate after its locals are gone.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = if cfg!(miri) { 10 } else { 1000 };

/// Runs `act`, in which this thread must not allocate.
fn without_allocation(act: impl FnOnce()) {
    // The host's stand-in makes the thread's own object at its first use.
    drop(host::current());
    let before = ALLOCATIONS.get();
    act();
    assert_eq!(ALLOCATIONS.get(), before);
}

#[test]
fn neither_sleeping_nor_waking_allocates() {
    let turn = AtomicUsize::new(0);
    let queue = WaitQueue::<()>::new();
    let mutex = Mutex::<usize, rank::Inode>::new(0);
    let shared = RwLock::<usize, rank::Space>::new(0);
    let play = |parity: usize| {
        without_allocation(|| {
            for _ in 0..ROUNDS {
                queue.wait_until(|| (turn.load(Ordering::Acquire) % 2 == parity).then_some(()));
                turn.fetch_add(1, Ordering::Release);
                queue.wake_all();
                *mutex.lock() += 1;
                *shared.write() += 1;
                assert!(*shared.read() > 0);
            }
        });
    };
    thread::scope(|scope| {
        scope.spawn(|| play(0));
        scope.spawn(|| play(1));
    });
    assert_eq!(mutex.into_inner(), 2 * ROUNDS);
}
