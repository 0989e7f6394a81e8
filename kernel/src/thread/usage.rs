//! What a process has used of the CPUs: the sum over its threads, those that have
//! ended included, and, apart from it, over the children it has waited for.

use super::{Group, Thread};
use crate::sched::{self, Account, Times, Usage};

/// A process's part, with its members and under their lock.
#[derive(Default)]
pub struct Used {
    /// By threads that have ended.
    ended: Usage,
    /// User and system time as they were last told.
    told: Times,
    /// By children that were waited for, and by theirs.
    children: Account,
}

impl Used {
    /// A thread ends.
    pub(super) fn keep(&mut self, thread: Option<&Thread>) {
        if let Some(thread) = thread {
            self.ended += sched::usage(thread);
        }
    }
}

impl Group {
    /// What the process has used until now.
    pub fn usage(&self) -> Usage {
        let members = self.members.lock();
        let mut sum = members.used.ended;
        for thread in members.threads.values() {
            sum += sched::usage(thread);
        }
        sum
    }

    /// The same, as programs are told it.
    pub fn account(&self) -> Account {
        let usage = self.usage();
        let mut members = self.members.lock();
        let times = members.used.told.next(usage.time, usage.ticks);
        members.used.told = times;
        Account {
            times,
            counts: usage.counts,
        }
    }

    /// What the children that were waited for have used.
    pub fn children_account(&self) -> Account {
        self.members.lock().used.children
    }

    /// A child was waited for: what it and its own have used, which counts as the
    /// caller's children's from now on.
    pub(super) fn inherit_account(&self, child: &Group) -> Account {
        let mut account = child.account();
        account += child.children_account();
        self.members.lock().used.children += account;
        account
    }
}
