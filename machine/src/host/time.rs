//! The host's clocks. Timers never fire.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

static START: LazyLock<(Instant, u64)> = LazyLock::new(|| {
    let date = SystemTime::now().duration_since(UNIX_EPOCH);
    (Instant::now(), date.map_or(0, |since| since.as_secs()))
});

pub fn now() -> u64 {
    u64::try_from(START.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

pub fn set_timer(_deadline: Option<u64>) {}

pub fn wall_clock_at_boot() -> u64 {
    START.1
}

/// Of no use: the host's clock is another.
pub fn counter() -> (u64, u64) {
    (0, 1 << 32)
}
