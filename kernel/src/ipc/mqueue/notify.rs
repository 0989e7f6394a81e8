//! Telling one process that a message has come to a queue that was empty.

use abi::mqueue::{NOTIFY_COOKIE_LEN, NOTIFY_REMOVED, NOTIFY_WOKENUP};
use abi::signal::{SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD};
use alloc::sync::{Arc, Weak};

use crate::signal::Info;
use crate::socket::{Endpoint, Note};
use crate::thread::{self, Current, Group, Tid};

/// How it is told.
pub enum How {
    Not,
    /// A signal, with a value.
    Signal(u32, u64),
    /// By what the C library reads from this socket.
    Socket(Arc<Endpoint>, Note),
}

/// Whom a queue tells, once.
pub struct Notification {
    owner: Weak<Group>,
    pid: Tid,
    how: How,
}

impl Notification {
    pub fn new(current: &Current, how: How) -> Notification {
        Notification {
            owner: Arc::downgrade(current.group()),
            pid: current.tgid(),
            how,
        }
    }

    pub fn belongs_to(&self, group: &Arc<Group>) -> bool {
        core::ptr::eq(self.owner.as_ptr(), Arc::as_ptr(group))
    }

    /// Its owner is there no more, so it counts as none.
    pub fn is_stale(&self) -> bool {
        self.owner.upgrade().is_none_or(|owner| owner.has_ended())
    }

    /// The caller has sent a message.
    pub fn tell(self, sender: &Current) {
        match self.how {
            How::Not => {}
            // None, as Linux has it.
            How::Signal(0, _) => {}
            How::Signal(signal, value) => {
                if let Some(owner) = self.owner.upgrade() {
                    let user = sender.credentials().user.real;
                    let info = Info::message(signal, sender.tgid(), user, value);
                    thread::notify(&owner, info);
                }
            }
            How::Socket(socket, note) => socket.tell(finished(note, NOTIFY_WOKENUP)),
        }
    }

    /// Its owner wants it no more.
    pub fn cancel(self) {
        if let How::Socket(socket, note) = self.how {
            socket.tell(finished(note, NOTIFY_REMOVED));
        }
    }

    /// How and with which signal, and to whom, as a queue tells when it is read.
    pub fn describe(&self) -> (i32, u32, Tid) {
        match self.how {
            How::Not => (SIGEV_NONE, 0, self.pid),
            How::Signal(signal, _) => (SIGEV_SIGNAL, signal, self.pid),
            How::Socket(..) => (SIGEV_THREAD, 0, self.pid),
        }
    }
}

fn finished(mut note: Note, why: u8) -> Note {
    note.set(NOTIFY_COOKIE_LEN - 1, why);
    note
}
