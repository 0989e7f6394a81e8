//! The time that goes into inodes.

/// Nanoseconds since 1970-01-01 UTC.
pub fn now() -> u64 {
    crate::time::wall::now()
}

/// Seconds since then.
pub fn seconds() -> u64 {
    now() / 1_000_000_000
}
