//! A group of threads that end together: a process.

use super::cpu_timer::CpuTimers;
use super::family::Pid;
use super::resource_limits::ResourceLimits;
use super::semaphore::Semaphores;
use super::signal::Stop;
use super::timers::ProcessTimers;
use super::usage::Used;
use super::{Current, Name, Thread, Tid, registry};
use crate::credentials::Credentials;
use crate::files::allocate::try_arc;
use crate::ipc::sem::Undo;
use crate::signal::{Actions, Pending};
use abi::Errno;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};
use hashbrown::HashMap;
use sync::{SpinLock, WaitQueue, rank};

pub struct Group {
    id: Pid,
    /// When it was made, in nanoseconds since the start of the machine.
    begun: u64,
    pub(super) members: SpinLock<Members, rank::Group>,
    /// A child has ended, was stopped, or goes on.
    pub(super) child_ended: WaitQueue,
    /// Threads that wait for a signal. Nobody wakes it: a signal interrupts.
    pub(super) signaled: WaitQueue,
    /// Threads that have stopped with their process.
    pub(super) continued: WaitQueue,
    /// The status word of the last stop or of going on; 0 once a parent has it.
    pub(super) report: AtomicI32,
    /// A member has gone: exec waits to be alone.
    member_gone: WaitQueue,
    /// The parent's id, 0 for init: a copy of what the tree of processes says,
    /// written under its lock.
    parent: AtomicU32,
    process_group: AtomicU32,
    session: AtomicU32,
    /// Lives in its parent's address space, so it is joined and not waited for.
    pub(super) is_joined: AtomicBool,
    /// Shared with other processes by `CLONE_SIGHAND`.
    actions: SpinLock<Arc<ActionTable>, rank::Actions>,
    semaphores: Semaphores,
    undo: Undo,
    timers: ProcessTimers,
    cpu_timers: CpuTimers,
    limits: ResourceLimits,
    flags: Flags,
    /// Its first thread's.
    name: SpinLock<Name, rank::Actions>,
    /// Its first thread's, too, and those that it ended with.
    credentials: SpinLock<Arc<Credentials>, rank::Actions>,
}

/// The signal actions that processes may share.
pub type ActionTable = SpinLock<Actions, rank::ActionTable>;

/// What a process says of itself by prctl(2) and personality(2).
pub struct Flags {
    /// The signal that it gets when its parent ends; 0 for none.
    pub death_signal: AtomicU32,
    pub dumpable: AtomicBool,
    /// Kept by the next program, too.
    pub personality: AtomicU32,
}

impl Flags {
    /// A child's.
    fn new(parent: Option<&Flags>) -> Flags {
        let dumpable = parent.is_none_or(|parent| parent.dumpable.load(Relaxed));
        Flags {
            death_signal: AtomicU32::new(0),
            dumpable: AtomicBool::new(dumpable),
            personality: AtomicU32::new(
                parent.map_or(0, |parent| parent.personality.load(Relaxed)),
            ),
        }
    }

    /// A new program begins.
    pub(super) fn exec(&self) {
        self.dumpable.store(true, Relaxed);
    }
}

pub(super) struct Members {
    pub(super) threads: HashMap<Tid, Arc<Thread>>,
    /// Signals that wait for any of the threads.
    pub(super) pending: Pending,
    pub(super) stop: Stop,
    pub(super) used: Used,
    /// The status word of the whole group, once its end has begun.
    ending: Option<i32>,
    /// The first thread's own status word, once it has ended.
    first_status: Option<i32>,
    /// The thread that is replacing the program.
    exec: Option<Tid>,
}

/// A table of one's own that says the same. ENOMEM.
fn own_actions(table: &ActionTable) -> Result<Arc<ActionTable>, Errno> {
    let actions = table.lock().duplicate()?;
    try_arc(ActionTable::new(actions))
}

impl Group {
    /// The process `id`, a copy of `parent` as fork makes it, without threads
    /// yet; its signal actions may be shared instead of copied.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(super) fn new(
        id: Pid,
        parent: Option<&Group>,
        shares_actions: bool,
        credentials: Arc<Credentials>,
    ) -> Result<Group, Errno> {
        let (process_group, session) = match parent {
            Some(parent) => (parent.process_group(), parent.session()),
            None => (id, id),
        };
        let actions = match parent {
            Some(parent) if shares_actions => parent.actions(),
            Some(parent) => own_actions(&parent.actions())?,
            None => try_arc(ActionTable::new(Actions::new()))?,
        };
        let semaphores = match parent {
            Some(parent) => parent.semaphores.share()?,
            None => Semaphores::new(),
        };
        let limits = match parent {
            Some(parent) => parent.limits.share(),
            None => ResourceLimits::first()?,
        };
        Ok(Group {
            id,
            begun: machine::time::now(),
            members: SpinLock::new(Members {
                threads: HashMap::new(),
                pending: Pending::new(),
                stop: Stop::default(),
                used: Used::default(),
                ending: None,
                first_status: None,
                exec: None,
            }),
            child_ended: WaitQueue::new(),
            signaled: WaitQueue::new(),
            continued: WaitQueue::new(),
            report: AtomicI32::new(0),
            member_gone: WaitQueue::new(),
            parent: AtomicU32::new(0),
            process_group: AtomicU32::new(process_group),
            session: AtomicU32::new(session),
            is_joined: AtomicBool::new(false),
            actions: SpinLock::new(actions),
            semaphores,
            undo: Undo::new(),
            timers: ProcessTimers::new(),
            cpu_timers: CpuTimers::new(),
            limits,
            flags: Flags::new(parent.map(|parent| &parent.flags)),
            name: SpinLock::new(parent.map_or_else(Name::default, |parent| parent.name())),
            credentials: SpinLock::new(credentials),
        })
    }

    pub fn id(&self) -> Pid {
        self.id
    }

    pub fn begun(&self) -> u64 {
        self.begun
    }

    pub fn parent(&self) -> Pid {
        self.parent.load(Relaxed)
    }

    pub(super) fn set_parent(&self, parent: Pid) {
        self.parent.store(parent, Relaxed);
    }

    pub fn process_group(&self) -> Pid {
        self.process_group.load(Relaxed)
    }

    pub fn session(&self) -> Pid {
        self.session.load(Relaxed)
    }

    pub fn set_process_group(&self, id: Pid) {
        self.process_group.store(id, Relaxed);
    }

    pub fn set_session(&self, id: Pid) {
        self.session.store(id, Relaxed);
        self.set_process_group(id);
    }

    pub fn actions(&self) -> Arc<ActionTable> {
        self.actions.lock().clone()
    }

    /// exec: the process gets a table of its own, without handlers. ENOMEM only
    /// if somebody else has it, be it for a moment to look at it.
    pub(super) fn reset_actions(&self) -> Result<(), Errno> {
        let shared = self.actions();
        // One reference is the group's.
        if Arc::strong_count(&shared) > 2 {
            let own = own_actions(&shared)?;
            let old = core::mem::replace(&mut *self.actions.lock(), own);
            drop(old);
        }
        self.actions().lock().exec();
        Ok(())
    }

    pub fn semaphores(&self) -> &Semaphores {
        &self.semaphores
    }

    /// What its end undoes of what it did to semaphores of System V.
    pub fn undo(&self) -> &Undo {
        &self.undo
    }

    pub fn timers(&self) -> &ProcessTimers {
        &self.timers
    }

    /// What waits for its CPU time: its own timers and those of others.
    pub(super) fn cpu_timers(&self) -> &CpuTimers {
        &self.cpu_timers
    }

    pub fn limits(&self) -> &ResourceLimits {
        &self.limits
    }

    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    pub fn credentials(&self) -> Arc<Credentials> {
        self.credentials.lock().clone()
    }

    pub(super) fn set_credentials(&self, new: &Arc<Credentials>) {
        let old = core::mem::replace(&mut *self.credentials.lock(), new.clone());
        drop(old);
    }

    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    pub(super) fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }

    /// Adds a thread that does not run yet.
    ///
    /// # Errors
    /// `EAGAIN` while the group ends or execs, `ENOMEM`.
    pub(super) fn admit(&self, thread: &Arc<Thread>) -> Result<(), Errno> {
        let mut members = self.members.lock();
        if members.ending.is_some() || members.exec.is_some() {
            return Err(Errno::EAGAIN);
        }
        members.threads.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        members.threads.insert(thread.tid(), thread.clone());
        members.stop_newcomer(thread);
        Ok(())
    }

    /// The calling member has ended with `status`. If it was the last: the
    /// status word of the whole group.
    pub(super) fn leave(&self, tid: Tid, status: i32) -> Option<i32> {
        let mut members = self.members.lock();
        let gone = members.threads.remove(&tid);
        members.used.keep(gone.as_deref());
        if tid == self.id {
            members.first_status = Some(status);
        }
        let left = members.threads.len();
        let whole = members.ending.or(members.first_status).unwrap_or(status);
        if left == 0 {
            members.forget_stop();
        }
        // It may have been chosen for a signal, or the last to stop.
        members.hand_on();
        let stopped_by = self.note_stopped(&members);
        drop(members);
        drop(gone);
        if let Some(signal) = stopped_by {
            self.tell_stopped(signal);
        }
        self.member_gone.wake_all();
        (left == 0).then_some(whole)
    }

    /// Begins the end of the whole group with the status word `status`; the
    /// first to say so wins. Every thread ends before it returns to user mode.
    pub(super) fn end(&self, status: i32) {
        self.members.lock().end(status);
    }

    /// Ends all peers of `current` and waits until it is alone, so that exec
    /// can replace the program. [`Group::finish_exec`] must follow.
    ///
    /// # Errors
    /// `EAGAIN` if the group ends or another thread execs already: the caller
    /// is about to end, too.
    pub(super) fn become_alone(&self, current: &Thread) -> Result<(), Errno> {
        let me = current.tid();
        let mut members = self.members.lock();
        if members.ending.is_some() || members.exec.is_some() || current.must_exit() {
            return Err(Errno::EAGAIN);
        }
        members.exec = Some(me);
        let peers = members.threads.iter().filter(|(tid, _)| **tid != me);
        peers.for_each(|(_, peer)| peer.tell_to_exit());
        drop(members);
        let alone = || (self.members.lock().threads.len() == 1).then_some(());
        // The peers end in any case, so only the end stops the wait.
        let result = current.killable(|| self.member_gone.wait_interruptible(alone, None));
        result.map_err(|_| {
            self.members.lock().exec = None;
            Errno::EINTR
        })
    }

    /// The only thread left, `from`, has taken over the group's id.
    pub(super) fn finish_exec(&self, from: Tid) {
        let mut members = self.members.lock();
        members.exec = None;
        members.first_status = None;
        if let Some(thread) = members.threads.remove(&from) {
            members.threads.insert(self.id, thread);
        }
    }

    /// Whether all threads have ended.
    pub fn has_ended(&self) -> bool {
        let members = self.members.lock();
        members.first_status.is_some() && members.threads.is_empty()
    }
}

impl Members {
    /// As [`Group::end`].
    pub(super) fn end(&mut self, status: i32) {
        if self.ending.is_none() {
            self.ending = Some(status);
            self.threads.values().for_each(Thread::tell_to_exit);
        }
    }

    pub(super) fn ending(&self) -> bool {
        self.ending.is_some()
    }
}

/// setpgid(2): puts the caller's process or a child of it into a process group.
///
/// # Errors
/// `EINVAL` for a negative group, `ESRCH` if the process is neither the
/// caller's nor a child, `EPERM` for a session leader or if there is no such
/// group in the session.
pub fn set_process_group(current: &Current, pid: i32, to: i32) -> Result<usize, Errno> {
    if to < 0 {
        return Err(Errno::EINVAL);
    }
    let me = current.tgid();
    let pid = if pid == 0 { me } else { pid as Pid };
    let group = registry::group(pid)?;
    if pid != me && group.parent() != me {
        return Err(Errno::ESRCH);
    }
    let to = if to == 0 { pid } else { to as Pid };
    let session = current.group().session();
    let is_member = |other: &Arc<Group>| other.process_group() == to && other.session() == session;
    let exists = to == pid || registry::ids().groups().any(is_member);
    if group.session() == pid || group.session() != session || !exists {
        return Err(Errno::EPERM);
    }
    group.set_process_group(to);
    Ok(0)
}
