//! The calls of signals.

use crate::memory::user;
use crate::thread::{self, Current};
use crate::time;
use abi::Errno;
use abi::signal::{SIGNAL_MAX, SigAction, SigInfo, SigStack};

/// Size of a signal set.
const SET_SIZE: usize = 8;

fn check_size(size: usize) -> Result<(), Errno> {
    match size {
        SET_SIZE => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

pub fn rt_sigaction(
    current: &Current,
    signal: usize,
    new: usize,
    old: usize,
    size: usize,
) -> Result<usize, Errno> {
    let signal = signal as u32;
    check_size(size)?;
    if signal == 0 || signal > SIGNAL_MAX {
        return Err(Errno::EINVAL);
    }
    let new: Option<SigAction> = match new {
        0 => None,
        new => Some(user::read_value(new)?),
    };
    let previous = thread::set_action(current, signal, new)?;
    if old != 0 {
        user::write_value(old, &previous)?;
    }
    Ok(0)
}

pub fn rt_sigprocmask(
    current: &Current,
    how: usize,
    new: usize,
    old: usize,
    size: usize,
) -> Result<usize, Errno> {
    check_size(size)?;
    let new = match new {
        0 => None,
        new => Some((how as u32 as usize, user::read_value(new)?)),
    };
    let previous = thread::change_mask(current, new)?;
    if old != 0 {
        user::write_value(old, &previous)?;
    }
    Ok(0)
}

pub fn rt_sigpending(current: &Current, set: usize, size: usize) -> Result<usize, Errno> {
    // Linux takes a shorter set, too.
    if size > SET_SIZE {
        return Err(Errno::EINVAL);
    }
    let pending = thread::pending_signals(current).to_ne_bytes();
    user::write_bytes(set, &pending[..size])?;
    Ok(0)
}

pub fn rt_sigsuspend(current: &Current, set: usize, size: usize) -> Result<usize, Errno> {
    check_size(size)?;
    thread::suspend(current, user::read_value(set)?)
}

pub fn rt_sigtimedwait(
    current: &Current,
    set: usize,
    info_out: usize,
    timeout: usize,
    size: usize,
) -> Result<usize, Errno> {
    check_size(size)?;
    let set = user::read_value(set)?;
    let deadline = match timeout {
        0 => None,
        timeout => Some(time::from_now(user::read_value(timeout)?)?),
    };
    let info = thread::wait_for_signal(current, set, deadline)?;
    if info_out != 0 {
        user::write_value(info_out, &info.to_abi())?;
    }
    Ok(info.signal as usize)
}

pub fn rt_sigqueueinfo(
    current: &Current,
    pid: usize,
    signal: usize,
    info: usize,
) -> Result<usize, Errno> {
    let info: SigInfo = user::read_value(info)?;
    thread::queue(current, pid as isize, signal as u32, info)
}

pub fn rt_sigreturn(current: &mut Current) -> Result<usize, Errno> {
    Ok(thread::return_from_handler(current))
}

pub fn pause(current: &Current) -> Result<usize, Errno> {
    thread::pause(current)
}

pub fn sigaltstack(current: &mut Current, new: usize, old: usize) -> Result<usize, Errno> {
    let previous = thread::signal_stack(current);
    if new != 0 {
        let new: SigStack = user::read_value(new)?;
        thread::set_signal_stack(current, new)?;
    }
    if old != 0 {
        user::write_value(old, &previous)?;
    }
    Ok(0)
}
