//! The running thread's own: what only it may touch, passed as `&Current` to
//! every call. Not `Send`: it never leaves its thread.

use super::{Group, JoinTable, MUST_EXIT, Thread, Tid};
use crate::files::{FileTable, FsContext};
use crate::memory::Space;
use crate::sched;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::Deref;
use core::sync::atomic::Ordering;
use machine::task::Running;
use machine::user::UserRegs;
use sync::{Once, WaitQueue};

/// What a thread owns or shares: each by `Arc`, given back when it ends.
pub struct Resources {
    pub regs: UserRegs,
    pub space: Arc<Space>,
    pub files: Arc<FileTable>,
    pub fs: Arc<FsContext>,
    /// The native threads of this address space that are not joined yet.
    pub joins: Arc<JoinTable>,
    /// Who waits in vfork for this thread to exec or exit.
    pub vfork: Option<Arc<Completion>>,
}

/// The running thread: its shared part by `Deref`, and what it alone owns.
pub struct Current {
    thread: Running<Thread>,
    pub(super) own: Box<Resources>,
    /// The status word of a thread that ends itself.
    pub(super) ending: Option<i32>,
}

impl Deref for Current {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl Current {
    /// The running thread takes what was prepared for it.
    pub(super) fn begin() -> Current {
        let thread = sched::current();
        let own = thread
            .start
            .lock()
            .take()
            .expect("a user thread begins once");
        Current {
            thread,
            own,
            ending: None,
        }
    }

    pub fn arc(&self) -> Arc<Thread> {
        self.thread.arc()
    }

    pub fn group(&self) -> &Arc<Group> {
        self.thread
            .group
            .as_ref()
            .expect("a user thread has a group")
    }

    pub fn tgid(&self) -> Tid {
        self.group().id()
    }

    pub fn space(&self) -> &Arc<Space> {
        &self.own.space
    }

    pub fn files(&self) -> &Arc<FileTable> {
        &self.own.files
    }

    pub fn fs(&self) -> &Arc<FsContext> {
        &self.own.fs
    }

    pub fn joins(&self) -> &Arc<JoinTable> {
        &self.own.joins
    }

    pub fn regs(&mut self) -> &mut UserRegs {
        &mut self.own.regs
    }

    /// Has the thread end before it returns to user mode, with the status
    /// word `status`.
    pub(super) fn end(&mut self, status: i32) {
        self.ending = Some(status);
        self.thread.pending.fetch_or(MUST_EXIT, Ordering::Relaxed);
    }

    pub(super) fn parts(&mut self) -> (&Running<Thread>, &mut UserRegs) {
        (&self.thread, &mut self.own.regs)
    }
}

/// Something that happens once and that others wait for.
pub struct Completion {
    done: Once,
    waiters: WaitQueue,
}

impl Completion {
    pub fn new() -> Completion {
        Completion {
            done: Once::new(),
            waiters: WaitQueue::new(),
        }
    }

    pub fn complete(&self) {
        self.done.call_once(|| {});
        self.waiters.wake_all();
    }

    /// Waits; ends early if the caller is told to end.
    pub fn wait(&self) {
        let done = || self.done.is_completed().then_some(());
        // Interrupted: the caller goes its own way, and nobody is waited for.
        let _ = self.waiters.wait_interruptible(done, None);
    }
}
