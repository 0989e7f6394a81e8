//! Time: deadlines, sleeping and timers. All times are nanoseconds since start
//! unless a name says otherwise.

pub mod timer;
pub mod timers;
pub mod wall;

use abi::Errno;
use abi::time::Timespec;
use sync::{WaitError, WaitQueue};

/// What [`machine::time::now`] says when the wall clock says `time`; a moment
/// before the start is the start.
///
/// # Errors
/// `EINVAL` for a time that is not normal.
pub fn from_wall_clock(time: Timespec) -> Result<u64, Errno> {
    Ok(wall::to_steady(nanos(time)?))
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
