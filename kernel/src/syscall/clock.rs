//! The calls of time.

use super::timer;
use crate::credentials::Capability;
use crate::memory::user;
use crate::thread::{self, CpuClock, Current};
use crate::time::{self, timer::Clock};
use abi::Errno;
use abi::time::*;

pub fn nanosleep(current: &mut Current, request: usize, remain: usize) -> Result<usize, Errno> {
    let deadline = time::from_now(user::read_value(request)?)?;
    sleep(current, deadline, Some(remain))
}

pub fn clock_nanosleep(
    current: &mut Current,
    clock: usize,
    flags: usize,
    request: usize,
    remain: usize,
) -> Result<usize, Errno> {
    let request: Timespec = user::read_value(request)?;
    let is_absolute = flags & TIMER_ABSTIME != 0;
    let by_time = match timer::clock(clock) {
        Err(Errno::EINVAL) => return sleep_by_cpu(current, clock, is_absolute, request, remain),
        by_time => by_time?,
    };
    match (by_time, is_absolute) {
        (_, false) => sleep(current, time::from_now(request)?, Some(remain)),
        (Clock::Steady, true) => sleep(current, time::nanos(request)?, None),
        (Clock::Wall, true) => match time::wall::sleep_until(time::nanos(request)?) {
            true => Ok(0),
            false => Err(Errno::EINTR),
        },
    }
}

/// Sleeps until `deadline`. What remains of a time that was given from now on
/// is told at `remain` unless null, and is all that is slept if the call is
/// made again after a stop.
fn sleep(current: &mut Current, deadline: u64, remain: Option<usize>) -> Result<usize, Errno> {
    let deadline = current.resume_at.take().unwrap_or(deadline);
    if time::sleep_until(deadline) {
        return Ok(0);
    }
    let Some(remain) = remain else {
        return Err(Errno::EINTR);
    };
    current.resume_at = Some(deadline);
    if remain != 0 {
        let left = deadline.saturating_sub(machine::time::now());
        user::write_value(remain, &Timespec::from_nanos(left))?;
    }
    Err(Errno::EINTR)
}

/// The same by a clock of CPU time; that of the caller alone would never come.
fn sleep_by_cpu(
    current: &mut Current,
    clock: usize,
    is_absolute: bool,
    request: Timespec,
    remain: usize,
) -> Result<usize, Errno> {
    let resumed = current.resume_at.take();
    if clock as u32 as usize == CLOCK_THREAD_CPUTIME_ID {
        return Err(Errno::EOPNOTSUPP);
    }
    let clock = CpuClock::new(current, clock)?;
    if clock.is_of(current) {
        return Err(Errno::EINVAL);
    }
    let given = time::nanos(request)?;
    let now = clock.read().ok_or(Errno::EINVAL)?;
    let until = match (resumed, is_absolute) {
        (Some(until), _) => until,
        (None, true) => given,
        (None, false) => now.saturating_add(given),
    };
    let Some(left) = thread::sleep_by(clock, until)? else {
        return Ok(0);
    };
    if !is_absolute {
        current.resume_at = Some(until);
        if remain != 0 {
            user::write_value(remain, &Timespec::from_nanos(left))?;
        }
    }
    Err(Errno::EINTR)
}

pub fn clock_gettime(current: &Current, clock: usize, out: usize) -> Result<usize, Errno> {
    let nanos = match clock as u32 as usize {
        CLOCK_REALTIME | CLOCK_REALTIME_COARSE | CLOCK_REALTIME_ALARM | CLOCK_TAI => {
            time::wall::now()
        }
        CLOCK_MONOTONIC
        | CLOCK_MONOTONIC_RAW
        | CLOCK_MONOTONIC_COARSE
        | CLOCK_BOOTTIME
        | CLOCK_BOOTTIME_ALARM => machine::time::now(),
        _ => CpuClock::new(current, clock)?.read().ok_or(Errno::EINVAL)?,
    };
    user::write_value(out, &Timespec::from_nanos(nanos))?;
    Ok(0)
}

/// clock_settime(2): only the wall clock can be set.
pub fn clock_settime(current: &Current, clock: usize, new: usize) -> Result<usize, Errno> {
    if clock as u32 as usize != CLOCK_REALTIME {
        return Err(Errno::EINVAL);
    }
    let new = time::nanos(user::read_value(new)?)?;
    current.credentials().require(Capability::SetTime)?;
    time::wall::set(new)?;
    Ok(0)
}

/// clock_getres(2): how fine a clock is, stored at `out` unless null.
pub fn clock_getres(current: &Current, clock: usize, out: usize) -> Result<usize, Errno> {
    let nanos = match clock as u32 as usize {
        CLOCK_REALTIME..=CLOCK_MONOTONIC
        | CLOCK_MONOTONIC_RAW..=CLOCK_BOOTTIME_ALARM
        | CLOCK_TAI => 1,
        _ => CpuClock::new(current, clock)?.resolution(),
    };
    if out != 0 {
        user::write_value(out, &Timespec::from_nanos(nanos))?;
    }
    Ok(0)
}

/// settimeofday(2). A time zone is read and forgotten: there is none but UTC.
pub fn settimeofday(current: &Current, new: usize, zone: usize) -> Result<usize, Errno> {
    let new: Option<Timeval> = match new {
        0 => None,
        new => Some(user::read_value(new)?),
    };
    if zone != 0 {
        user::read_value::<[i32; 2]>(zone)?;
    }
    let new = match new {
        Some(new) => Some(new.checked_nanos().ok_or(Errno::EINVAL)?),
        None => None,
    };
    current.credentials().require(Capability::SetTime)?;
    if let Some(new) = new {
        time::wall::set(new)?;
    }
    Ok(0)
}

/// time(2): the seconds since 1970, stored at `out`, too, unless null.
pub fn time(out: usize) -> Result<usize, Errno> {
    let seconds = time::wall::now() / 1_000_000_000;
    if out != 0 {
        user::write_value(out, &seconds)?;
    }
    Ok(seconds as usize)
}

/// gettimeofday(2). There is no time zone but UTC.
pub fn gettimeofday(out: usize, zone: usize) -> Result<usize, Errno> {
    let nanos = time::wall::now();
    if out != 0 {
        let parts = [nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000];
        user::write_value(out, &parts)?;
    }
    if zone != 0 {
        user::write_value(zone, &[0i32; 2])?;
    }
    Ok(0)
}

/// xv6's clock: ticks of 10 ms since start.
pub fn uptime() -> Result<usize, Errno> {
    Ok((machine::time::now() / 10_000_000) as usize)
}
