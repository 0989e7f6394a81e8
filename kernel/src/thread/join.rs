//! join: waiting for native threads. The table belongs to an address space
//! and is shared by all threads that run in it.

use super::joins::{Joins, Taken};
use super::{Current, Tid, registry};
use crate::files::allocate::try_arc;
use crate::memory::user;
use abi::Errno;
use alloc::sync::Arc;
use sync::{SpinLock, WaitQueue, rank};

/// The native threads of one address space that are not joined yet.
pub struct JoinTable {
    joins: SpinLock<Option<Joins>, rank::Joins>,
    /// All joiners of the address space; each looks for itself.
    exited: WaitQueue<Wanted, rank::JoinQueue>,
}

/// Which thread's exit a joiner waits for.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    One(Tid),
}

impl JoinTable {
    /// ENOMEM.
    pub(super) fn new() -> Result<Arc<JoinTable>, Errno> {
        try_arc(JoinTable {
            joins: SpinLock::new(None),
            exited: WaitQueue::new(),
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut Joins) -> R) -> R {
        act(self.joins.lock().get_or_insert_with(Joins::new))
    }

    /// Registers a thread before it runs. `ENOMEM`.
    pub(super) fn add(&self, tid: Tid, creator: Tid, stack: usize) -> Result<(), Errno> {
        self.with(|joins| joins.add(tid, creator, stack))
    }

    /// Takes back an [`JoinTable::add`], whoever has guessed the id and is
    /// joining already.
    pub(super) fn remove(&self, tid: Tid) {
        self.with(|joins| joins.forget(tid));
        self.exited.wake_if(usize::MAX, |_| true);
    }

    /// There may be nobody left to wait for: those who wait for any look again.
    fn look_again(&self) {
        self.exited
            .wake_if(usize::MAX, |wanted| matches!(wanted, Wanted::Any));
    }

    pub(super) fn contains(&self, tid: Tid) -> bool {
        self.with(|joins| joins.has_exited(tid).is_some())
    }

    /// The creator `tid` ends: its threads can be joined by any peer.
    pub(super) fn orphan(&self, tid: Tid) {
        self.with(|joins| joins.orphan(tid));
        self.look_again();
    }

    /// The thread `tid` has ended.
    pub(super) fn exit(&self, tid: Tid) {
        if self.with(|joins| joins.exit(tid)) {
            self.exited.wake_if(usize::MAX, |wanted| match wanted {
                Wanted::Any => true,
                Wanted::One(one) => *one == tid,
            });
        } else {
            // Detached meanwhile: nobody will ever take it.
            registry::ids().cancel(tid);
        }
    }

    /// The thread `tid` leaves the address space by exec: nobody can join it
    /// any more.
    pub(super) fn leave(&self, tid: Tid) {
        self.with(|joins| {
            joins.orphan(tid);
            joins.forget(tid);
        });
        self.exited.wake_if(usize::MAX, |_| true);
    }

    fn put_back(&self, tid: Tid, me: Tid) {
        self.with(|joins| joins.put_back(tid, me));
        self.exited.wake_if(usize::MAX, |_| true);
    }
}

impl Drop for JoinTable {
    /// Nobody shares the address space any more: who was not joined is forgotten.
    fn drop(&mut self) {
        if let Some(joins) = self.joins.get_mut().take() {
            joins.exited().for_each(|tid| registry::ids().cancel(tid));
        }
    }
}

/// Waits for any thread child of the caller (`THREAD_JOIN_ANY`); stores the
/// base of its stack at `stack_out` unless that is null. Its id.
///
/// # Errors
/// `ECHILD` if there is none; `EFAULT` if `stack_out` cannot be written, and
/// then the thread is still there for a later join; `EINTR`.
pub fn join_any(current: &Current, stack_out: usize) -> Result<usize, Errno> {
    let me = current.tid();
    let taken = wait(current.joins(), Wanted::Any, |joins| joins.take_any(me))?;
    complete(current, taken, stack_out)
}

/// Waits for the thread `tid` (`THREAD_JOIN`).
///
/// # Errors
/// `ESRCH`, `EDEADLK`, `EINVAL` as [`Joins::take_one`]; else as [`join_any`].
pub fn join_one(current: &Current, tid: Tid, stack_out: usize) -> Result<usize, Errno> {
    let me = current.tid();
    let table = current.joins();
    let taken = wait(table, Wanted::One(tid), |joins| joins.take_one(tid, me));
    if taken == Err(Errno::EINTR) {
        table.put_back(tid, me);
    }
    complete(current, taken?, stack_out)
}

/// Gives up the right to join `tid` (`THREAD_DETACH`).
///
/// # Errors
/// `ESRCH` if there is no such thread or it is joined already, `EINVAL` if
/// somebody is joining it.
pub fn detach(current: &Current, tid: Tid) -> Result<usize, Errno> {
    let exited = current.joins().with(|joins| {
        let exited = joins.has_exited(tid).ok_or(Errno::ESRCH)?;
        if joins.remove(tid) {
            Ok(exited)
        } else {
            Err(Errno::EINVAL)
        }
    })?;
    if exited {
        registry::ids().cancel(tid);
    }
    current.joins().look_again();
    Ok(0)
}

fn wait(
    table: &JoinTable,
    wanted: Wanted,
    take: impl Fn(&mut Joins) -> Result<Option<Taken>, Errno>,
) -> Result<Taken, Errno> {
    loop {
        let mut taken = Ok(None);
        // Looked at under the queue's lock, so that an exit after this look
        // finds the waiter.
        let waited = table.exited.wait_checked(wanted, None, true, || {
            taken = table.with(&take);
            if matches!(taken, Ok(None)) {
                Ok(())
            } else {
                Err(())
            }
        });
        match (taken, waited) {
            (Ok(Some(taken)), _) => return Ok(taken),
            (Err(error), _) => return Err(error),
            (Ok(None), Ok(Err(_))) => return Err(Errno::EINTR),
            (Ok(None), _) => {}
        }
    }
}

fn complete(current: &Current, taken: Taken, stack_out: usize) -> Result<usize, Errno> {
    let tid = taken.tid;
    if stack_out != 0
        && let Err(error) = user::write_value(stack_out, &taken.stack)
    {
        current.joins().put_back(tid, current.tid());
        return Err(error);
    }
    current.joins().with(|joins| joins.finish(taken));
    current.joins().look_again();
    registry::ids().cancel(tid);
    Ok(tid as usize)
}
