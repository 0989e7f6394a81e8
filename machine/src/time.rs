//! Monotonic time, the one-shot timer of each CPU, and the date at boot.

use crate::arch;

/// Nanoseconds since some moment at boot; never goes back on one CPU.
#[must_use]
#[inline]
pub fn now() -> u64 {
    arch::time::now()
}

/// Arms this CPU's timer to call `Hooks::timer` at `deadline` (by [`now`]), or
/// at once if that is past, or disarms it. Interrupts must be off, or the
/// caller must not care on which CPU it runs.
pub fn set_timer(deadline: Option<u64>) {
    arch::time::set_timer(deadline);
}

/// Seconds since 1970-01-01 UTC when [`now`] was zero.
#[must_use]
pub fn wall_clock_at_boot() -> u64 {
    arch::time::wall_clock_at_boot()
}

/// What [`now`] is made of: the time stamp counter when it was zero, and the
/// nanoseconds in a tick of it as a fraction of 2^32.
#[must_use]
pub fn counter() -> (u64, u64) {
    arch::time::counter()
}
