//! The kernel log: a back end for the `log` crate. Lines go to QEMU's debug
//! console where there is one, else to the serial console.

use crate::arch;
use core::fmt;

struct Logger;

static LOGGER: Logger = Logger;

/// Makes this the back end of the `log` crate, for records up to `level`.
pub fn install(level: ::log::LevelFilter) {
    // A second call finds the logger in place already, which is as good.
    let _ = ::log::set_logger(&LOGGER);
    ::log::set_max_level(level);
}

/// Writes one line, whatever the level.
pub fn line(arguments: fmt::Arguments) {
    arch::log::line(arguments);
}

impl ::log::Log for Logger {
    fn enabled(&self, _metadata: &::log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &::log::Record) {
        let nanoseconds = crate::time::now();
        let (seconds, micros) = (nanoseconds / 1_000_000_000, nanoseconds / 1000 % 1_000_000);
        line(format_args!(
            "[{seconds:3}.{micros:06}] {:5} cpu{} {}: {}",
            record.level(),
            crate::cpu::id(),
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}
