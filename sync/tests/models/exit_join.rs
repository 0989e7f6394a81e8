//! Exit against join: one joiner gets the thread, none waits for ever, and one
//! who is killed while joining leaves it for others.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::scheduler::host;
use sync::{WaitError, WaitQueue, rank};

use crate::{ALL, MOST, explore};

const RUNNING: u32 = 0;
/// Ended and not joined.
const ENDED: u32 = 1;
const JOINED: u32 = 2;

/// No lock around the state: loom follows every spin of every thread, and with
/// three of them that takes it minutes.
struct Child {
    life: AtomicU32,
    status: AtomicU32,
    ended: WaitQueue<(), rank::JoinQueue>,
}

impl Child {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            life: AtomicU32::new(RUNNING),
            status: AtomicU32::new(0),
            ended: WaitQueue::new(),
        })
    }

    fn exit(&self, status: u32) {
        self.status.store(status, Ordering::Relaxed);
        self.life.store(ENDED, Ordering::Release);
        self.ended.wake_all();
    }

    /// The status for one joiner, `None` for those that come later.
    fn join(&self) -> Result<Option<u32>, WaitError> {
        let look = || {
            let claim =
                self.life
                    .compare_exchange(ENDED, JOINED, Ordering::Acquire, Ordering::Relaxed);
            match claim {
                Ok(_) => Some(Some(self.status.load(Ordering::Relaxed))),
                Err(JOINED) => Some(None),
                Err(_) => None,
            }
        };
        self.ended.wait_interruptible(look, None)
    }
}

#[test]
fn the_joiner_gets_the_status() {
    explore(ALL, || {
        let child = Child::new();
        let exiting = {
            let child = child.clone();
            thread::spawn(move || child.exit(5))
        };
        assert_eq!(child.join(), Ok(Some(5)));
        exiting.join().unwrap();
    });
}

#[test]
fn one_of_two_joiners_gets_the_status() {
    explore(MOST, || {
        let child = Child::new();
        let exiting = {
            let child = child.clone();
            thread::spawn(move || child.exit(5))
        };
        let other = {
            let child = child.clone();
            thread::spawn(move || child.join())
        };
        let mine = child.join().unwrap();
        let others = other.join().unwrap().unwrap();
        exiting.join().unwrap();
        assert!(mine.is_some() != others.is_some(), "{mine:?} {others:?}");
    });
}

#[test]
fn a_killed_joiner_leaves_the_thread_to_others() {
    explore(MOST, || {
        let child = Child::new();
        let exiting = {
            let child = child.clone();
            thread::spawn(move || child.exit(5))
        };
        let me = host::current();
        let killer = thread::spawn(move || me.interrupt());
        let mine = child.join();
        exiting.join().unwrap();
        killer.join().unwrap();
        host::current().forget_interrupt();
        match mine {
            Ok(status) => assert_eq!(status, Some(5)),
            Err(error) => {
                assert_eq!(error, WaitError::Interrupted);
                assert_eq!(child.join(), Ok(Some(5)));
            }
        }
    });
}
