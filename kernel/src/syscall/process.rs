//! The calls of processes: exec, wait, kill, process groups.

use super::usage;
use crate::memory::user;
use crate::thread::{self, Current, Target};
use abi::Errno;

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
    usage_out: usize,
) -> Result<usize, Errno> {
    let waited = thread::wait(current, pid as isize, status, options)?;
    let Some(child) = waited else {
        return Ok(0);
    };
    if usage_out != 0 {
        user::write_value(usage_out, &usage::describe(child.account))?;
    }
    Ok(child.pid as usize)
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

pub fn getpgid(current: &Current, pid: usize) -> Result<usize, Errno> {
    Ok(thread::process(current, pid)?.process_group() as usize)
}

pub fn getsid(current: &Current, pid: usize) -> Result<usize, Errno> {
    Ok(thread::process(current, pid)?.session() as usize)
}
