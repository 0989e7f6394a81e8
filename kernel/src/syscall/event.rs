//! The calls of event descriptors: counters, timers, and epoll.

use abi::Errno;
use abi::event::*;
use abi::file::{O_CLOEXEC, O_NONBLOCK};
use abi::time::*;
use alloc::sync::Arc;

use super::descriptor::{give, number};
use super::file::open_file;
use super::poll::{deadline_at, deadline_in, resumable};
use super::signal::read_mask;
use super::timer::{read_setting, setting};
use crate::files::epoll::{self, Epoll};
use crate::files::event_fd;
use crate::files::timer_fd::{self, TimerFd};
use crate::memory::user;
use crate::thread::{self, Current};
use crate::time::timer::Clock;

pub fn eventfd2(current: &Current, value: usize, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let takes_one = flags & EFD_SEMAPHORE != 0;
    let file = event_fd::open(value as u32 as u64, takes_one, flags & O_NONBLOCK)?;
    give(current, file, flags)
}

pub fn timerfd_create(current: &Current, clock: usize, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let clock = match clock as u32 as usize {
        CLOCK_REALTIME | CLOCK_REALTIME_ALARM => Clock::Wall,
        CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM => Clock::Steady,
        _ => return Err(Errno::EINVAL),
    };
    let file = timer_fd::open(clock, flags & O_NONBLOCK)?;
    give(current, file, flags)
}

pub fn timerfd_settime(
    current: &Current,
    descriptor: usize,
    flags: usize,
    new: usize,
    old: usize,
) -> Result<usize, Errno> {
    if flags as u32 as usize & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL);
    }
    let (first, interval) = read_setting(new)?;
    let file = open_file(current, descriptor)?;
    let timer = file.kind_of::<TimerFd>().ok_or(Errno::EINVAL)?;
    let absolute = flags & TFD_TIMER_ABSTIME != 0;
    let cancel = flags & TFD_TIMER_CANCEL_ON_SET != 0;
    let left = timer.set(first, interval, absolute, cancel)?;
    if old != 0 {
        user::write_value(old, &setting(left))?;
    }
    Ok(0)
}

pub fn timerfd_gettime(current: &Current, descriptor: usize, out: usize) -> Result<usize, Errno> {
    let file = open_file(current, descriptor)?;
    let timer = file.kind_of::<TimerFd>().ok_or(Errno::EINVAL)?;
    user::write_value(out, &setting(timer.left()))?;
    Ok(0)
}

/// The size is of no use, and must be one nevertheless.
pub fn epoll_create(current: &Current, size: usize) -> Result<usize, Errno> {
    match size as i32 {
        1.. => epoll_create1(current, 0),
        _ => Err(Errno::EINVAL),
    }
}

pub fn epoll_create1(current: &Current, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !O_CLOEXEC != 0 {
        return Err(Errno::EINVAL);
    }
    give(current, epoll::open()?, flags)
}

pub fn epoll_ctl(
    current: &Current,
    descriptor: usize,
    operation: usize,
    watched: usize,
    event: usize,
) -> Result<usize, Errno> {
    let operation = operation as u32 as usize;
    let event = match operation {
        EPOLL_CTL_DEL => EpollEvent::default(),
        _ => user::read_value(event)?,
    };
    let own = open_file(current, descriptor)?;
    let watched = number(watched);
    let file = current.files().get(watched)?;
    if !file.can_wait() {
        return Err(Errno::EPERM);
    }
    let epoll = own.kind_of::<Epoll>().ok_or(Errno::EINVAL)?;
    if Arc::ptr_eq(&own, &file) {
        return Err(Errno::EINVAL);
    }
    match operation {
        EPOLL_CTL_ADD => epoll.add(watched, &file, event)?,
        EPOLL_CTL_DEL => epoll.remove(watched, &file)?,
        EPOLL_CTL_MOD => epoll.modify(watched, &file, event)?,
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

pub fn epoll_wait(
    current: &mut Current,
    descriptor: usize,
    events: usize,
    most: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    wait(
        current,
        descriptor,
        events,
        most,
        deadline_in(timeout as i32),
    )
}

/// epoll_pwait(2): waits under a signal mask.
pub fn epoll_pwait(
    current: &mut Current,
    [descriptor, events, most, timeout, mask, size]: [usize; 6],
) -> Result<usize, Errno> {
    let mask = read_mask(mask, size)?;
    thread::with_mask(current, mask, |current| {
        epoll_wait(current, descriptor, events, most, timeout)
    })
}

/// As [`epoll_pwait`], with a `timespec`.
pub fn epoll_pwait2(
    current: &mut Current,
    [descriptor, events, most, timeout, mask, size]: [usize; 6],
) -> Result<usize, Errno> {
    let deadline = deadline_at(timeout)?;
    let mask = read_mask(mask, size)?;
    thread::with_mask(current, mask, |current| {
        wait(current, descriptor, events, most, deadline)
    })
}

fn wait(
    current: &mut Current,
    descriptor: usize,
    events: usize,
    most: usize,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    const SIZE: usize = size_of::<EpollEvent>();
    const MOST: usize = i32::MAX as usize / SIZE;
    let most = usize::try_from(most as i32).map_err(|_| Errno::EINVAL)?;
    if most == 0 || most > MOST {
        return Err(Errno::EINVAL);
    }
    let file = open_file(current, descriptor)?;
    let epoll = file.kind_of::<Epoll>().ok_or(Errno::EINVAL)?;
    let emit = |index, event| user::write_value(events + index * SIZE, &event);
    resumable(current, deadline, |deadline| {
        epoll.wait(most, deadline, emit)
    })
}
