//! The calls of timers that send signals.

use crate::memory::user;
use crate::signal::Info;
use crate::thread::{self, Base, CpuClock, Current, Notify, Standing};
use crate::time;
use crate::time::timer::{Clock, Left};
use abi::Errno;
use abi::signal::*;
use abi::time::*;
use alloc::sync::Arc;

/// The clock that a timer follows: EOPNOTSUPP for those that no timer does.
pub(super) fn clock(clock: usize) -> Result<Clock, Errno> {
    match clock as u32 as usize {
        CLOCK_REALTIME | CLOCK_REALTIME_ALARM | CLOCK_TAI => Ok(Clock::Wall),
        CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM => Ok(Clock::Steady),
        CLOCK_MONOTONIC_RAW | CLOCK_REALTIME_COARSE | CLOCK_MONOTONIC_COARSE => {
            Err(Errno::EOPNOTSUPP)
        }
        _ => Err(Errno::EINVAL),
    }
}

pub fn timer_create(
    current: &Current,
    which: usize,
    event: usize,
    out: usize,
) -> Result<usize, Errno> {
    let base = match clock(which) {
        Err(Errno::EINVAL) => Base::Cpu(CpuClock::new(current, which)?),
        clock => Base::Time(clock?),
    };
    let event: Option<SigEvent> = match event {
        0 => None,
        event => Some(user::read_value(event)?),
    };
    let id = thread::create_timer(current, base, |id| {
        // The number is told before the timer is there: if that fails, it is not.
        let told = notify(current, event, id)?;
        user::write_value(out, &id)?;
        Ok(told)
    })?;
    debug_assert!(id >= 0, "numbers of timers start at 0");
    Ok(0)
}

/// Whom timer `id` tells: EINVAL.
fn notify(current: &Current, event: Option<SigEvent>, id: i32) -> Result<Notify, Errno> {
    let Some(event) = event else {
        return Ok(Notify::Process(Info::timer(SIGALRM, id, id as u64)));
    };
    if event.notify == SIGEV_NONE {
        return Ok(Notify::Nobody);
    }
    let signal = event.signal as u32;
    if signal == 0 || signal > SIGNAL_MAX {
        return Err(Errno::EINVAL);
    }
    let info = Info::timer(signal, id, event.value);
    match event.notify {
        SIGEV_SIGNAL | SIGEV_THREAD => Ok(Notify::Process(info)),
        SIGEV_THREAD_ID => {
            let thread = thread::member(current, event.tid)?;
            Ok(Notify::Thread(Arc::downgrade(&thread), info))
        }
        _ => Err(Errno::EINVAL),
    }
}

pub fn timer_settime(
    current: &Current,
    id: usize,
    flags: usize,
    new: usize,
    old: usize,
) -> Result<usize, Errno> {
    if new == 0 {
        return Err(Errno::EINVAL);
    }
    let (first, interval) = read_setting(new)?;
    let timers = current.group().timers();
    let left = timers.set(id as i32, first, interval, flags & TIMER_ABSTIME != 0)?;
    if old != 0 {
        user::write_value(old, &setting(left))?;
    }
    Ok(0)
}

pub fn timer_gettime(current: &Current, id: usize, out: usize) -> Result<usize, Errno> {
    let left = current.group().timers().get(id as i32)?.left();
    user::write_value(out, &setting(left))?;
    Ok(0)
}

pub fn timer_getoverrun(current: &Current, id: usize) -> Result<usize, Errno> {
    let timer = current.group().timers().get(id as i32)?;
    Ok(timer.overruns() as usize)
}

pub fn timer_delete(current: &Current, id: usize) -> Result<usize, Errno> {
    current.group().timers().delete(id as i32)?;
    Ok(0)
}

/// A timer's first time and its interval, in nanoseconds. EFAULT, EINVAL.
pub(super) fn read_setting(at: usize) -> Result<(u64, u64), Errno> {
    let spec: ITimerSpec = user::read_value(at)?;
    Ok((time::nanos(spec.value)?, time::nanos(spec.interval)?))
}

pub(super) fn setting(left: Left) -> ITimerSpec {
    ITimerSpec {
        interval: Timespec::from_nanos(left.interval),
        value: Timespec::from_nanos(left.time),
    }
}

/// alarm(2): the seconds that were left, one at least if any time was.
pub fn alarm(current: &Current, seconds: usize) -> Result<usize, Errno> {
    const SECOND: u64 = 1_000_000_000;
    let span = seconds as u32 as u64 * SECOND;
    let left = thread::set_standing_timer(current, Standing::Real, span, 0)?;
    let rounded = (left.time + SECOND / 2) / SECOND;
    Ok(match left.time {
        0 => 0,
        _ => rounded.max(1) as usize,
    })
}

pub fn setitimer(current: &Current, which: usize, new: usize, old: usize) -> Result<usize, Errno> {
    let new: ITimerVal = match new {
        // As Linux does for programs of old.
        0 => ITimerVal::default(),
        new => user::read_value(new)?,
    };
    let nanos = |time: Timeval| time.checked_nanos().ok_or(Errno::EINVAL);
    let (first, interval) = (nanos(new.value)?, nanos(new.interval)?);
    let left = thread::set_standing_timer(current, standing(which)?, first, interval)?;
    if old != 0 {
        user::write_value(old, &old_setting(left))?;
    }
    Ok(0)
}

pub fn getitimer(current: &Current, which: usize, out: usize) -> Result<usize, Errno> {
    let left = current.group().timers().left(standing(which)?);
    user::write_value(out, &old_setting(left))?;
    Ok(0)
}

fn standing(which: usize) -> Result<Standing, Errno> {
    match which as u32 as usize {
        ITIMER_REAL => Ok(Standing::Real),
        ITIMER_VIRTUAL => Ok(Standing::Virtual),
        ITIMER_PROF => Ok(Standing::Profile),
        _ => Err(Errno::EINVAL),
    }
}

/// Time that is left counts as a microsecond at least.
fn old_setting(left: Left) -> ITimerVal {
    let time = match left.time {
        0 => 0,
        time => time.max(1000),
    };
    ITimerVal {
        interval: Timeval::from_nanos(left.interval),
        value: Timeval::from_nanos(time),
    }
}
