//! kill, tgkill and their kin: whom a signal is for.

use super::{Current, Group, Thread, Tid, registry};
use crate::signal::Info;
use abi::Errno;
use abi::signal::{SIGCONT, SIGNAL_MAX, SigInfo};
use alloc::sync::Arc;

/// Whom kill(2) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Process(Tid),
    ProcessGroup(Tid),
    /// All but init and the caller's own process.
    Everybody,
}

impl Target {
    /// Reads kill's first argument.
    pub fn new(pid: isize, caller: &Group) -> Result<Target, Errno> {
        match pid as i32 {
            i32::MIN => Err(Errno::ESRCH),
            -1 => Ok(Target::Everybody),
            0 => Ok(Target::ProcessGroup(caller.process_group())),
            pid if pid < 0 => Ok(Target::ProcessGroup(pid.unsigned_abs())),
            pid => Ok(Target::Process(pid as Tid)),
        }
    }
}

/// Sends `signal` to whom `target` names; 0 only checks.
///
/// # Errors
/// `EINVAL` for a number that is no signal, `ESRCH` if there is nobody, `EPERM` if
/// nobody there may be told, `ENOMEM`.
pub fn kill(current: &Current, target: Target, signal: u32) -> Result<usize, Errno> {
    check(signal)?;
    let me = current.tgid();
    let user = current.credentials().user.real;
    let info = (signal != 0).then(|| Info::user(signal, me, user));
    let may = |group: &Group| may_send(current, group, signal);
    match target {
        Target::Process(pid) => {
            let group = registry::group(pid)?;
            match may(&group) {
                true => send(&group, info)?,
                false => return Err(Errno::EPERM),
            }
        }
        Target::ProcessGroup(id) => {
            match send_all(|group| group.process_group() == id, may, info)? {
                true => {}
                false => return Err(Errno::EPERM),
            }
        }
        Target::Everybody => {
            let is_other = |group: &Group| group.id() != super::family::INIT && group.id() != me;
            // As on Linux, it is no error if none of them may be told.
            send_all(is_other, may, info)?;
        }
    }
    Ok(0)
}

/// Whether the caller may send `signal` to a process (kill(2)): to its own, to those
/// of its user, and SIGCONT within its session.
fn may_send(current: &Current, group: &Group, signal: u32) -> bool {
    let own = current.group();
    own.id() == group.id()
        || current.credentials().may_signal(&group.credentials())
        || signal == SIGCONT && own.session() == group.session()
}

/// rt_sigqueueinfo(2): a signal with an info that the sender made.
///
/// # Errors
/// As [`kill`]; `EPERM` for an info that claims to be the kernel's, `EAGAIN`.
pub fn queue(current: &Current, pid: isize, signal: u32, info: SigInfo) -> Result<usize, Errno> {
    check(signal)?;
    let group = registry::group(u32::try_from(pid as i32).map_err(|_| Errno::ESRCH)?)?;
    let is_own = Arc::ptr_eq(&group, current.group());
    if !is_own && (info.code >= 0 || info.code == abi::signal::SI_TKILL) {
        return Err(Errno::EPERM);
    }
    if !may_send(current, &group, signal) {
        return Err(Errno::EPERM);
    }
    send(&group, (signal != 0).then(|| Info::queued(signal, &info)))?;
    Ok(0)
}

/// Sends a signal that tells of an event. One that finds no room is lost.
pub fn notify(group: &Group, info: Info) {
    let _ = group.send(info);
}

/// Sends `signal` to all processes that `wanted` accepts and `may` lets it: whether
/// there is one. ESRCH if nobody was wanted. Twice: a fork under way at the first look
/// has its child listed at the second, or its caller knows by then that both are to end.
pub(super) fn send_all(
    wanted: impl Fn(&Group) -> bool,
    may: impl Fn(&Group) -> bool,
    info: Option<Info>,
) -> Result<bool, Errno> {
    let first = registry::groups(&wanted)?;
    if first.is_empty() {
        return Err(Errno::ESRCH);
    }
    let mut told = false;
    let mut tell = |groups: &[Arc<Group>]| {
        let mut allowed = groups.iter().filter(|group| may(group));
        allowed.try_for_each(|group| {
            told = true;
            send(group, info)
        })
    };
    tell(&first)?;
    let mut second = registry::groups(&wanted)?;
    second.retain(|group| !first.iter().any(|other| Arc::ptr_eq(group, other)));
    tell(&second)?;
    Ok(told)
}

fn send(group: &Group, info: Option<Info>) -> Result<(), Errno> {
    info.map_or(Ok(()), |info| group.send(info))
}

/// Sends `signal` to the thread `tid` of the process `tgid`. A native thread
/// is ended alone; any other takes its process with it, as on Linux.
///
/// # Errors
/// `EINVAL` for bad numbers, `ESRCH` if there is no such pair.
pub fn tgkill(current: &Current, tgid: isize, tid: isize, signal: u32) -> Result<usize, Errno> {
    if tgid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let thread = find(tid, signal)?;
    let is_member = thread
        .user_group()
        .is_some_and(|group| group.id() == tgid as Tid);
    if is_member {
        send_to_thread(current, &thread, signal)
    } else {
        Err(Errno::ESRCH)
    }
}

/// As [`tgkill`], without naming the process.
pub fn tkill(current: &Current, tid: isize, signal: u32) -> Result<usize, Errno> {
    let thread = find(tid, signal)?;
    send_to_thread(current, &thread, signal)
}

fn info_for(current: &Current, signal: u32) -> Option<Info> {
    let user = current.credentials().user.real;
    (signal != 0).then(|| Info::thread(signal, current.tgid(), user))
}

/// A key of the console: `signal` for everybody in the process group `id`.
pub fn interrupt_foreground(id: Tid, signal: u32) {
    // Nobody to tell of an error: there is no caller.
    let info = Some(Info::kernel(signal));
    let _ = send_all(|group| group.process_group() == id, |_| true, info);
}

fn find(tid: isize, signal: u32) -> Result<Arc<Thread>, Errno> {
    check(signal)?;
    if tid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    registry::thread(tid as Tid)
}

fn send_to_thread(current: &Current, thread: &Arc<Thread>, signal: u32) -> Result<usize, Errno> {
    let group = thread.user_group().ok_or(Errno::ESRCH)?;
    if !may_send(current, group, signal) {
        return Err(Errno::EPERM);
    }
    let Some(info) = info_for(current, signal) else {
        return Ok(0);
    };
    // Others see the process only.
    let alone = thread.is_native() && Arc::ptr_eq(current.group(), group);
    group.send_to(thread, info, alone)?;
    Ok(0)
}

fn check(signal: u32) -> Result<(), Errno> {
    if signal <= SIGNAL_MAX {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}
