//! The wall clock: what it says, setting it, and sleeping until it says so.
//!
//! It is the time since start and an offset, which is all that a setting
//! changes; an atomic, so nothing is locked to look. Who waits for a moment of the
//! wall clock is told of each setting, and so are those in a list under a lock.

use super::timers;
use crate::memory::vdso;
use abi::Errno;
use alloc::sync::Weak;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use machine::vdso::Clock;
use sync::{SpinLock, WaitError, WaitQueue, rank};

/// Not set yet: the offset is what the machine said at boot.
const UNSET: u64 = u64::MAX;

/// What the wall clock said when the time since start was 0.
static OFFSET: AtomicU64 = AtomicU64::new(UNSET);

/// How often the clock was set.
static SETTINGS: AtomicU64 = AtomicU64::new(0);

/// Those who sleep until a moment of the wall clock.
static SLEEPERS: WaitQueue = WaitQueue::new();

/// Who is told of each setting.
pub trait Listener: Send + Sync {
    fn was_set(&self);
}

static LISTENERS: SpinLock<Vec<Weak<dyn Listener>>, rank::WallListeners> =
    SpinLock::new(Vec::new());

/// From now on `listener` is told, as long as it lives. ENOMEM.
pub fn tell(listener: Weak<dyn Listener>) -> Result<(), Errno> {
    let mut listeners = LISTENERS.lock();
    listeners.retain(|other| other.strong_count() > 0);
    let known = |other: &Weak<dyn Listener>| other.ptr_eq(&listener);
    if !listeners.iter().any(known) {
        listeners.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        listeners.push(listener);
    }
    Ok(())
}

fn offset() -> u64 {
    match OFFSET.load(Ordering::Acquire) {
        UNSET => machine::time::wall_clock_at_boot() * 1_000_000_000,
        offset => offset,
    }
}

/// Nanoseconds since 1970-01-01 UTC.
pub fn now() -> u64 {
    offset().saturating_add(machine::time::now())
}

/// How often it was set: who sees the number change may have missed a jump.
pub fn settings() -> u64 {
    SETTINGS.load(Ordering::Acquire)
}

/// What the time since start is when the wall clock says `time`, if it is not
/// set meanwhile; a moment before the start is the start.
pub fn to_steady(time: u64) -> u64 {
    time.saturating_sub(offset())
}

/// Sets the clock to `time`.
///
/// # Errors
/// `EINVAL` for a time that would lie before 1970 at the start, as on Linux.
pub fn set(time: u64) -> Result<(), Errno> {
    let offset = time.checked_sub(machine::time::now());
    let offset = offset.filter(|&offset| offset != UNSET);
    OFFSET.store(offset.ok_or(Errno::EINVAL)?, Ordering::Release);
    lend();
    SETTINGS.fetch_add(1, Ordering::AcqRel);
    timers::clock_was_set();
    SLEEPERS.wake_all();
    for listener in LISTENERS.lock().iter().filter_map(Weak::upgrade) {
        listener.was_set();
    }
    Ok(())
}

/// Tells programs what the clock is made of, so that they need not call.
pub fn lend() {
    let (start, rate) = machine::time::counter();
    loop {
        let wall = offset();
        vdso::set_clock(Clock { start, rate, wall });
        // Else another setting may have been told before this one.
        if offset() == wall {
            return;
        }
    }
}

/// Sleeps until the wall clock says `time`, whenever that is; false if the
/// sleep was interrupted.
pub fn sleep_until(time: u64) -> bool {
    loop {
        let seen = settings();
        let deadline = Some(to_steady(time));
        let was_set = || (settings() != seen).then_some(());
        match SLEEPERS.wait_interruptible(was_set, deadline) {
            Ok(()) => {}
            Err(WaitError::TimedOut) if now() >= time => return true,
            Err(WaitError::TimedOut) => {}
            Err(WaitError::Interrupted) => return false,
        }
    }
}
