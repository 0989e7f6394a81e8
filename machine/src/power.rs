//! Turning the machine off.

use crate::arch;

/// Logs `weft: exit status N`, so that the host learns it, and powers off.
pub fn off(status: u8) -> ! {
    crate::log::line(format_args!("weft: exit status {status}"));
    arch::power::off()
}
