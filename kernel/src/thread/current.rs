//! The running thread's own: what only it may touch, passed as `&Current` to
//! every call. Not `Send`: it never leaves its thread.

use super::{Group, JoinTable, MUST_EXIT, Thread, Tid};
use crate::credentials::Credentials;
use crate::files::allocate::try_arc;
use crate::files::{FileTable, FsContext, TableUse};
use crate::memory::{Space, Tenant};
use crate::sched;
use abi::Errno;
use abi::process::wait_signaled;
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
    pub space: Tenant,
    pub files: TableUse,
    pub fs: Arc<FsContext>,
    /// Never changed: others are put in their place.
    pub credentials: Arc<Credentials>,
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
    /// The call that a signal, or a stop, has interrupted.
    pub(super) interrupted: Option<Interrupted>,
    /// When such a call, if it is made again, is to end: set by calls that
    /// wait for a time that was given from their beginning on.
    pub(crate) resume_at: Option<u64>,
}

/// A call that ended with EINTR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted {
    pub number: usize,
    /// Its second argument: for futex, what is to be done.
    pub operation: usize,
    /// Its fourth argument is not null: for futex, a time-out.
    pub has_timeout: bool,
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
            interrupted: None,
            resume_at: None,
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

    pub fn credentials(&self) -> &Credentials {
        &self.own.credentials
    }

    /// Goes on with other credentials. ENOMEM.
    pub fn set_credentials(&mut self, new: Credentials) -> Result<(), Errno> {
        if new != *self.own.credentials {
            let new = try_arc(new)?;
            self.replace_credentials(new);
        }
        Ok(())
    }

    /// With other rights than it was started with, a process is no more to be looked
    /// into by who had the old ones, nor has its death signal.
    pub(super) fn replace_credentials(&mut self, new: Arc<Credentials>) {
        let old = core::mem::replace(&mut self.own.credentials, new);
        self.show_resources();
        if self.own.credentials.differs_in_rights(&old) {
            let flags = self.group().flags();
            flags.dumpable.store(false, Ordering::Relaxed);
            flags.death_signal.store(0, Ordering::Relaxed);
        }
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

    /// Ends by `signal`, which nothing handles: a native thread alone, any
    /// other with its process.
    pub(super) fn end_by(&mut self, signal: u32) {
        let status = wait_signaled(signal);
        match self.is_native() {
            true => self.end(status),
            false => self.group().end(status),
        }
    }

    /// Notes that a call was interrupted, for when its signal is looked at.
    #[cold]
    pub fn note_interrupted(&mut self, call: Interrupted) {
        // Only then a look follows before the thread goes on.
        if self.is_interrupted() {
            self.interrupted = Some(call);
        }
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
        // Interrupted: the caller ends, and nobody is waited for.
        let _ = crate::sched::current().killable(|| self.waiters.wait_interruptible(done, None));
    }
}
