//! The calls of processes: exec, wait, kill, process groups, signal actions.

use crate::memory::user;
use crate::thread::{self, Current, Target};
use abi::Errno;
use abi::signal::{SIGNAL_MAX, SigAction};

pub fn execve(
    current: &mut Current,
    path: usize,
    argv: usize,
    envp: usize,
) -> Result<usize, Errno> {
    thread::exec(current, path, argv, envp)
}

pub fn wait4(
    current: &Current,
    pid: usize,
    status: usize,
    options: usize,
    usage: usize,
) -> Result<usize, Errno> {
    let pid = thread::wait(current, pid as isize, status, options)?;
    // No resource use is counted yet: all zero.
    const RUSAGE: usize = 144;
    if usage != 0 && pid != 0 {
        user::write_bytes(usage, &[0; RUSAGE])?;
    }
    Ok(pid)
}

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

/// Size of a signal set.
const SET_SIZE: usize = 8;

pub fn rt_sigaction(
    current: &Current,
    signal: usize,
    new: usize,
    old: usize,
    size: usize,
) -> Result<usize, Errno> {
    let signal = signal as u32;
    if size != SET_SIZE || signal == 0 || signal > SIGNAL_MAX {
        return Err(Errno::EINVAL);
    }
    let new: Option<SigAction> = if new != 0 {
        Some(user::read_value(new)?)
    } else {
        None
    };
    let table = current.group().actions();
    let mut actions = table.lock();
    let previous = actions.get(signal);
    if let Some(new) = new {
        actions.set(signal, new)?;
    }
    drop(actions);
    if old != 0 {
        user::write_value(old, &previous)?;
    }
    Ok(0)
}

/// Signals act at once or not at all so far, so there is no mask to keep; the
/// arguments are judged as Linux does.
pub fn rt_sigprocmask(
    _current: &Current,
    how: usize,
    new: usize,
    old: usize,
    size: usize,
) -> Result<usize, Errno> {
    if size != SET_SIZE || new != 0 && how as u32 > 2 {
        return Err(Errno::EINVAL);
    }
    if new != 0 {
        user::read_value::<u64>(new)?;
    }
    if old != 0 {
        user::write_value(old, &0u64)?;
    }
    Ok(0)
}
