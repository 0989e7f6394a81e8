//! The list of an epoll, and those who watch a file: a change is queued by who
//! makes it and looked at by who waits. The kernel's `files/watch.rs` and
//! `files/epoll` do the same steps in the same order.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::{sync::Arc, thread};
use sync::{SpinLock, WaitQueue, rank};

use crate::{ALL, MOST, SPINNING, explore};

/// A file, the only one that an epoll watches, and the epoll.
struct Watched {
    /// The file's state; what the wait is for.
    state: AtomicUsize,
    /// How many watch the file, as its changes look at it without the lock.
    count: AtomicUsize,
    watchers: SpinLock<usize, rank::Watchers>,
    queued: AtomicBool,
    /// How often the file is in the list.
    list: SpinLock<usize, rank::EpollReady>,
    waiters: WaitQueue<(), rank::ThreadQueue>,
}

impl Watched {
    fn new(watchers: usize) -> Arc<Watched> {
        Arc::new(Watched {
            state: AtomicUsize::new(0),
            count: AtomicUsize::new(watchers),
            watchers: SpinLock::new(watchers),
            queued: AtomicBool::new(false),
            list: SpinLock::new(0),
            waiters: WaitQueue::new(),
        })
    }

    fn change(&self, state: usize) {
        self.state.store(state, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) != 0 {
            let watchers = self.watchers.lock();
            if *watchers > 0 {
                self.tell();
            }
        }
    }

    fn tell(&self) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let mut list = self.list.lock();
            *list += 1;
            assert_eq!(*list, 1, "in the list once at most");
        }
        self.waiters.wake_one();
    }

    /// Begins to watch the file, whatever its state is by then.
    fn add(&self, wanted: usize) {
        let mut watchers = self.watchers.lock();
        *watchers += 1;
        self.count.store(*watchers, Ordering::Relaxed);
        drop(watchers);
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == wanted {
            self.tell();
        }
    }

    /// Takes the file from the list; true if its state is the one wanted.
    fn collect(&self, wanted: usize) -> bool {
        let mut list = self.list.lock();
        if *list == 0 {
            return false;
        }
        *list -= 1;
        drop(list);
        self.queued.swap(false, Ordering::AcqRel);
        self.state.load(Ordering::Relaxed) == wanted
    }

    /// Waits for the state `wanted`, as one who is told of edges only.
    fn wait(&self, wanted: usize) {
        while !self.collect(wanted) {
            let any = || (*self.list.lock() > 0).then_some(());
            self.waiters.wait_until(any);
        }
    }
}

#[test]
fn the_last_of_several_changes_is_seen() {
    explore(MOST, || {
        let watched = Watched::new(1);
        let changer = {
            let watched = watched.clone();
            thread::spawn(move || {
                watched.change(1);
                watched.change(2);
            })
        };
        watched.wait(2);
        changer.join().unwrap();
    });
}

#[test]
fn changes_by_two_are_seen() {
    explore(SPINNING, || {
        let watched = Watched::new(1);
        let changers: Vec<_> = (0..2)
            .map(|_| {
                let watched = watched.clone();
                thread::spawn(move || watched.change(1))
            })
            .collect();
        watched.wait(1);
        for changer in changers {
            changer.join().unwrap();
        }
    });
}

/// A change before the file was watched is found by the look that follows.
#[test]
fn a_change_while_it_is_added_is_seen() {
    explore(ALL, || {
        let watched = Watched::new(0);
        let changer = {
            let watched = watched.clone();
            thread::spawn(move || watched.change(1))
        };
        watched.add(1);
        watched.wait(1);
        changer.join().unwrap();
    });
}
