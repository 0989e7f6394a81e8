//! Time: deadlines and sleeping. All times are nanoseconds since start unless
//! a name says otherwise.

pub mod timers;

use abi::Errno;
use abi::time::Timespec;
use sync::{WaitError, WaitQueue};

/// Nanoseconds since 1970-01-01 UTC.
pub fn wall_clock() -> u64 {
    wall_clock_at_start() + machine::time::now()
}

/// What [`machine::time::now`] says when the wall clock says `time`; a moment
/// before the start is the start.
///
/// # Errors
/// `EINVAL` for a time that is not normal.
pub fn from_wall_clock(time: Timespec) -> Result<u64, Errno> {
    Ok(nanos(time)?.saturating_sub(wall_clock_at_start()))
}

/// The moment `span` from now. `EINVAL` as above.
pub fn from_now(span: Timespec) -> Result<u64, Errno> {
    Ok(machine::time::now().saturating_add(nanos(span)?))
}

/// In nanoseconds. `EINVAL` as above.
pub fn nanos(time: Timespec) -> Result<u64, Errno> {
    time.to_nanos().ok_or(Errno::EINVAL)
}

/// Sleeps; false if the sleep was interrupted.
pub fn sleep_until(deadline: u64) -> bool {
    let nobody_wakes: WaitQueue = WaitQueue::new();
    let slept = nobody_wakes.wait_interruptible(|| None::<()>, Some(deadline));
    slept != Err(WaitError::Interrupted)
}

fn wall_clock_at_start() -> u64 {
    machine::time::wall_clock_at_boot() * 1_000_000_000
}
