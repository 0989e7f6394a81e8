//! The calls of processes: exec, wait, kill, process groups.

use super::usage;
use crate::memory::user;
use crate::signal::Info;
use crate::thread::{self, Choice, Current, Target, Waited};
use abi::Errno;
use abi::process::*;
use abi::signal::SigInfo;
use zerocopy::IntoBytes;

pub fn execve(
    current: &mut Current,
    path: usize,
    argv: usize,
    envp: usize,
) -> Result<usize, Errno> {
    thread::exec(current, path, argv, envp)
}

/// wait4(2): the child's id, or 0 with WNOHANG if nothing has happened.
pub fn wait4(
    current: &Current,
    pid: usize,
    status: usize,
    options: usize,
    usage_out: usize,
) -> Result<usize, Errno> {
    const KNOWN: usize = WNOHANG | WUNTRACED | WCONTINUED | WAIT_KINDS;
    // An int: a sign-extended upper half says nothing.
    let options = options as u32 as usize;
    if options & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let choice = Choice::new(pid as isize, current)?;
    let waited = thread::wait(current, choice, options | WEXITED, |child| match status {
        0 => Ok(()),
        status => user::write_value(status, &child.status),
    })?;
    let Some(child) = waited else {
        return Ok(0);
    };
    tell_usage(usage_out, child)?;
    Ok(child.pid as usize)
}

/// What the child and those it has waited for have used, stored at `out` unless
/// null.
fn tell_usage(out: usize, child: Waited) -> Result<(), Errno> {
    match out {
        0 => Ok(()),
        out => user::write_value(out, &usage::describe(child.account)),
    }
}

pub fn waitid(
    current: &Current,
    kind: usize,
    id: usize,
    info: usize,
    options: usize,
    usage_out: usize,
) -> Result<usize, Errno> {
    const EVENTS: usize = WEXITED | WSTOPPED | WCONTINUED;
    let options = options as u32 as usize;
    let known = EVENTS | WNOHANG | WNOWAIT | WAIT_KINDS;
    if options & !known != 0 || options & EVENTS == 0 {
        return Err(Errno::EINVAL);
    }
    let id = id as i32;
    let choice = match kind as u32 as usize {
        P_ALL => Choice::All,
        P_PID if id > 0 => Choice::One(id as u32),
        P_PGID if id > 0 => Choice::ProcessGroup(id as u32),
        P_PGID if id == 0 => Choice::ProcessGroup(current.group().process_group()),
        P_PIDFD if id >= 0 => return Err(Errno::EBADF),
        _ => return Err(Errno::EINVAL),
    };
    let tell = |told: Option<Waited>| {
        let filled = told.map_or_else(SigInfo::default, |child| {
            let (code, status) = child.code();
            Info::child(child.pid, child.user, code, status).to_abi()
        });
        match info {
            0 => Ok(()),
            // No more than Linux writes.
            info => user::write_bytes(info, &filled.as_bytes()[..WAITID_INFO]),
        }
    };
    let waited = thread::wait(current, choice, options, |child| tell(Some(child)))?;
    match waited {
        None => tell(None)?,
        Some(child) => tell_usage(usage_out, child)?,
    }
    Ok(0)
}

/// What waitid(2) fills of `siginfo_t`: up to `si_status`.
const WAITID_INFO: usize = 28;

pub fn kill(current: &Current, pid: usize, signal: usize) -> Result<usize, Errno> {
    let target = Target::new(pid as isize, current.group())?;
    thread::kill(current, target, signal as u32)
}

pub fn getppid(current: &Current) -> Result<usize, Errno> {
    Ok(current.group().parent() as usize)
}

pub fn setpgid(current: &Current, pid: usize, process_group: usize) -> Result<usize, Errno> {
    thread::set_process_group(current, pid as i32, process_group as i32)
}

pub fn setsid(current: &Current) -> Result<usize, Errno> {
    let group = current.group();
    if group.process_group() == group.id() {
        return Err(Errno::EPERM);
    }
    group.set_session(group.id());
    Ok(group.id() as usize)
}

pub fn getpgid(current: &Current, pid: usize) -> Result<usize, Errno> {
    Ok(thread::process(current, pid)?.process_group() as usize)
}

pub fn getsid(current: &Current, pid: usize) -> Result<usize, Errno> {
    Ok(thread::process(current, pid)?.session() as usize)
}
