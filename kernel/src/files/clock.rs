//! The time that goes into inodes.

/// Nanoseconds since 1970-01-01 UTC.
pub fn now() -> u64 {
    machine::time::wall_clock_at_boot() * 1_000_000_000 + machine::time::now()
}
