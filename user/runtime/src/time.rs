//! Clocks, sleeping and giving way.

use crate::call::{self, raw};
use abi::Errno;
use abi::time::*;

/// Nanoseconds on one of the clocks `CLOCK_*`.
pub fn clock(which: usize) -> Result<u64, Errno> {
    let mut time = Timespec::default();
    // SAFETY: the kernel fills the structure.
    unsafe { raw(call::CLOCK_GETTIME, [which, &raw mut time as usize]) }?;
    time.to_nanos().ok_or(Errno::EINVAL)
}

/// Nanoseconds since start.
pub fn now() -> u64 {
    clock(CLOCK_MONOTONIC).unwrap_or(0)
}

pub fn sleep(nanos: u64) -> Result<(), Errno> {
    let time = Timespec::from_nanos(nanos);
    // SAFETY: the kernel reads the structure.
    unsafe { raw(call::NANOSLEEP, [&raw const time as usize, 0]) }.map(drop)
}

/// Lets another thread run that is ready on this CPU.
pub fn give_way() {
    // SAFETY: touches no memory.
    let _ = unsafe { raw(call::SCHED_YIELD, []) };
}
