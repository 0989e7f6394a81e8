//! Where log lines go: QEMU's debug console if there is one, else the serial
//! console.

use super::console;
use super::port::{read_u8, write_u8};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};
use sync::{SpinLock, rank};

const DEBUG_CONSOLE: u16 = 0xe9;

/// Keeps lines whole.
static LINE: SpinLock<(), rank::Log> = SpinLock::new(());
static HAS_DEBUG_CONSOLE: AtomicBool = AtomicBool::new(false);

/// Looks for the debug console, which reads as its own port number.
pub fn init() {
    // SAFETY: reading the port has no effect, be there a device or none.
    let found = unsafe { read_u8(DEBUG_CONSOLE) } == 0xe9;
    HAS_DEBUG_CONSOLE.store(found, Ordering::Relaxed);
}

pub fn line(arguments: fmt::Arguments) {
    let _line = LINE.lock();
    // The sink never fails.
    let _ = writeln!(Sink, "{arguments}");
}

/// As [`line`] without the lock, for a panic: other CPUs are stopped, maybe
/// with the lock held.
pub fn line_unlocked(arguments: fmt::Arguments) {
    let _ = writeln!(Sink, "{arguments}");
}

struct Sink;

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if HAS_DEBUG_CONSOLE.load(Ordering::Relaxed) {
            for &byte in text.as_bytes() {
                // SAFETY: the debug console takes any byte.
                unsafe { write_u8(DEBUG_CONSOLE, byte) };
            }
            return Ok(());
        }
        for piece in text.split_inclusive('\n') {
            match piece.strip_suffix('\n') {
                Some(line) => {
                    console::write_unlocked(line.as_bytes());
                    console::write_unlocked(b"\r\n");
                }
                None => console::write_unlocked(piece.as_bytes()),
            }
        }
        Ok(())
    }
}
