//! The serial console: bytes out, and bytes in by interrupt.

use crate::arch;

/// Writes all of `bytes`.
pub fn write(bytes: &[u8]) {
    arch::console::write(bytes);
}

/// The next received byte. Called after `Hooks::console_input` until empty.
#[must_use]
pub fn read() -> Option<u8> {
    arch::console::read()
}
