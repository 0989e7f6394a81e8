//! kill and tgkill: ending processes and threads from outside. A kill is a
//! mark and a kick; the thread ends itself where that is safe.

use super::{Current, Group, Thread, Tid, registry};
use crate::signal::Effect;
use abi::Errno;
use abi::process::wait_signaled;
use abi::signal::{SIGKILL, SIGNAL_MAX};
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
/// `EINVAL` for a number that is no signal, `ESRCH` if there is nobody, `ENOMEM`.
pub fn kill(current: &Current, target: Target, signal: u32) -> Result<usize, Errno> {
    check(signal)?;
    let me = current.tgid();
    match target {
        Target::Process(pid) => send(&registry::group(pid)?, signal)?,
        Target::ProcessGroup(id) => send_all(|group| group.process_group() == id, signal)?,
        Target::Everybody => send_all(
            |group| group.id() != super::family::INIT && group.id() != me,
            signal,
        )?,
    }
    Ok(0)
}

/// Sends `signal` to all processes that `wanted` accepts. Twice: a fork under
/// way at the first look has its child listed at the second, or its caller
/// knows by then that both are to end.
fn send_all(wanted: impl Fn(&Group) -> bool, signal: u32) -> Result<(), Errno> {
    let first = registry::groups(&wanted)?;
    if first.is_empty() {
        return Err(Errno::ESRCH);
    }
    first.iter().try_for_each(|group| send(group, signal))?;
    let second = registry::groups(&wanted)?;
    second.iter().try_for_each(|group| send(group, signal))
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

/// The running thread wrote to a pipe that nobody reads.
pub fn broken_pipe() {
    if let Some(group) = crate::sched::current().user_group() {
        // Nobody to tell: SIGPIPE is for the writer itself.
        let _ = send(group, abi::signal::SIGPIPE);
    }
}

/// A key of the console: `signal` for everybody in the process group `id`.
pub fn interrupt_foreground(id: Tid, signal: u32) {
    // Nobody to tell of an error: there is no caller.
    let _ = send_all(|group| group.process_group() == id, signal);
}

/// Ends `group` by `signal`, which nothing handles.
pub(super) fn fatal(group: &Group, signal: u32) {
    group.end(wait_signaled(signal));
}

/// Sends `signal` to the process `group`. Ids and numbers were checked.
pub(super) fn send(group: &Arc<Group>, signal: u32) -> Result<(), Errno> {
    if signal != 0 && group.actions().lock().effect(signal) == Effect::Ends {
        // Like on Linux, a signal that init does not ask for is not for init.
        if group.id() == super::family::INIT {
            return Ok(());
        }
        fatal(group, signal);
    }
    Ok(())
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
    if !thread.is_native() || !is_family(current, group) {
        return send(group, signal).map(|()| 0);
    }
    let effect = group.actions().lock().effect(signal);
    if signal == SIGKILL || signal != 0 && effect == Effect::Ends {
        thread.tell_to_exit();
    }
    Ok(0)
}

/// Whether a native thread of `group` may be ended alone by `current`: others
/// see the process only.
fn is_family(current: &Current, group: &Arc<Group>) -> bool {
    Arc::ptr_eq(current.group(), group)
}

fn check(signal: u32) -> Result<(), Errno> {
    if signal <= SIGNAL_MAX {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}
