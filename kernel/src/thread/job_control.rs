//! Job control (POSIX.1-2017, 11.1.4 and 2.4.3): which process group may use the
//! terminal, and what becomes of stopped groups that nobody could let go on.

use super::group::Group;
use super::kill::{notify, send_all};
use super::registry;
use crate::files::hooks::{Session, Terminal};
use crate::signal::{Effect, Info};
use abi::Errno;
use abi::signal::{SIGCONT, SIGHUP, SIGTTIN};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The running process's session; 0 for the kernel's own threads.
pub fn session() -> Session {
    let current = crate::sched::current();
    let group = current.user_group();
    Session {
        id: group.map_or(0, |group| group.session() as usize),
        leads: group.is_some_and(|group| group.session() == group.id()),
        group: group.map_or(0, |group| group.process_group() as usize),
    }
}

/// Whether there is such a process group in the session.
///
/// # Errors
/// `ESRCH`; `EPERM` if it is in another session; `ENOMEM`.
pub fn check_group(id: usize, session: usize) -> Result<(), Errno> {
    let members = registry::groups(|group| group.process_group() as usize == id)?;
    match members.first() {
        None => Err(Errno::ESRCH),
        Some(member) if member.session() as usize != session => Err(Errno::EPERM),
        Some(_) => Ok(()),
    }
}

/// `signal` to the process that leads the session, if it lives.
pub fn signal_leader(session: u32, signal: u32) {
    if let Ok(leader) = registry::group(session) {
        notify(&leader, Info::kernel(signal));
    }
}

/// Before the running process reads its terminal (`signal` is SIGTTIN) or
/// changes it (SIGTTOU): a process group that is not in front gets the signal,
/// and the call is made again when it is.
///
/// # Errors
/// `EINTR` after the signal; `EIO` if the signal could not stop anybody.
pub fn check(terminal: Terminal, signal: u32) -> Result<(), Errno> {
    let thread = crate::sched::current();
    let Some(group) = thread.user_group() else {
        return Ok(());
    };
    let id = group.process_group();
    if id as usize == terminal.foreground || group.session() as usize != terminal.session {
        return Ok(());
    }
    let is_deaf = thread.blocks(signal) || group.effect(signal) == Effect::Nothing;
    match is_deaf {
        true if signal == SIGTTIN => return Err(Errno::EIO),
        true => return Ok(()),
        false => {}
    }
    if is_orphaned(id, group.session())? {
        return Err(Errno::EIO);
    }
    send_all(
        |other| other.process_group() == id,
        |_| true,
        Some(Info::kernel(signal)),
    )?;
    Err(Errno::EINTR)
}

/// Whether no process of the group has a parent in the same session but in
/// another group, who could let it go on.
///
/// # Errors
/// `ENOMEM`.
pub(super) fn is_orphaned(id: u32, session: u32) -> Result<bool, Errno> {
    let members = registry::groups(|group| group.process_group() == id && !group.has_ended())?;
    let cares = |member: &Arc<Group>| {
        registry::group(member.parent())
            .is_ok_and(|parent| parent.session() == session && parent.process_group() != id)
    };
    Ok(!members.iter().any(cares))
}

/// How many processes are stopped: while there are none, ends are cheap.
static STOPPED: AtomicUsize = AtomicUsize::new(0);

pub(super) fn count_stopped(one_more: bool) {
    match one_more {
        true => STOPPED.fetch_add(1, Relaxed),
        false => STOPPED.fetch_sub(1, Relaxed),
    };
}

/// The process groups that the end of `ending` may leave orphaned: one process
/// of each, `ending` itself for its own.
pub(super) fn dependent(ending: &Arc<Group>) -> Vec<Arc<Group>> {
    if STOPPED.load(Relaxed) == 0 {
        return Vec::new();
    }
    let (id, session, own) = (ending.id(), ending.session(), ending.process_group());
    let is_child = |group: &Group| {
        group.parent() == id && group.session() == session && group.process_group() != own
    };
    let cares = registry::group(ending.parent())
        .is_ok_and(|parent| parent.session() == session && parent.process_group() != own);
    // Without memory to look, they stay stopped.
    registry::groups(|group| is_child(group) || cares && group.id() == id).unwrap_or_default()
}

/// Those of them that are orphaned now, and have a member that is stopped, get
/// SIGHUP and go on.
pub(super) fn release_orphaned(dependents: &[Arc<Group>]) {
    for dependent in dependents {
        let (id, session) = (dependent.process_group(), dependent.session());
        let stopped = registry::groups(|group| group.process_group() == id && group.is_stopped());
        let any_stopped = stopped.is_ok_and(|stopped| !stopped.is_empty());
        if any_stopped && is_orphaned(id, session) == Ok(true) {
            for signal in [SIGHUP, SIGCONT] {
                let _ = send_all(
                    |other| other.process_group() == id,
                    |_| true,
                    Some(Info::kernel(signal)),
                );
            }
        }
    }
}
