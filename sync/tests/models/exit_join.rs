//! Exit against join: one joiner gets the thread, none waits for ever, and one
//! who is killed while joining leaves it for others.

use loom::{sync::Arc, thread};
use sync::scheduler::host;
use sync::{SpinLock, WaitError, WaitQueue, rank};

use crate::explore;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    /// Ended with this status, not joined.
    Ended(u32),
    Joined,
}

struct Child {
    life: SpinLock<Life, rank::Threads>,
    ended: WaitQueue<(), rank::JoinQueue>,
}

impl Child {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            life: SpinLock::new(Life::Running),
            ended: WaitQueue::new(),
        })
    }

    fn exit(&self, status: u32) {
        *self.life.lock() = Life::Ended(status);
        self.ended.wake_all();
    }

    /// The status for one joiner, `None` for those that come later.
    fn join(&self) -> Result<Option<u32>, WaitError> {
        self.ended.wait_interruptible(
            || {
                let mut life = self.life.lock();
                match *life {
                    Life::Running => None,
                    Life::Ended(status) => {
                        *life = Life::Joined;
                        Some(Some(status))
                    }
                    Life::Joined => Some(None),
                }
            },
            None,
        )
    }
}

#[test]
fn the_joiner_gets_the_status() {
    explore(4, || {
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
    explore(2, || {
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
    explore(2, || {
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
