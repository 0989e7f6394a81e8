//! The calls of signals.

use super::descriptor::{give, number};
use super::poll::deadline_at;
use crate::memory::user;
use crate::thread::{self, Current, SignalFd};
use abi::Errno;
use abi::file::{O_CLOEXEC, O_NONBLOCK};
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

pub fn rt_sigsuspend(current: &mut Current, set: usize, size: usize) -> Result<usize, Errno> {
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
    let deadline = deadline_at(timeout)?;
    let info = thread::wait_for_signal(current, current.group(), set, deadline)?;
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

/// signalfd4(2): a new descriptor, or with `descriptor` other signals for one.
pub fn signalfd4(
    current: &Current,
    descriptor: usize,
    set: usize,
    size: usize,
    flags: usize,
) -> Result<usize, Errno> {
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    check_size(size)?;
    let set = user::read_value(set)?;
    if descriptor as i32 == -1 {
        let file = thread::open_signals(set, flags & O_NONBLOCK)?;
        return give(current, file, flags);
    }
    let descriptor = number(descriptor);
    let file = current.files().get(descriptor)?;
    let signals = file.kind_of::<SignalFd>().ok_or(Errno::EINVAL)?;
    signals.set_signals(set);
    Ok(descriptor)
}

/// A signal mask that a call waits under, if one is given.
pub(super) fn read_mask(set: usize, size: usize) -> Result<Option<u64>, Errno> {
    if set == 0 {
        return Ok(None);
    }
    check_size(size)?;
    user::read_value(set).map(Some)
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
