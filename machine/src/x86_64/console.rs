//! The console on the serial port: polled output, interrupt-driven input.

use super::interrupts::{self, LINES};
use super::{io_apic, serial};
use crate::hooks;
use arrayvec::ArrayVec;
use core::sync::atomic::{AtomicUsize, Ordering};
use sync::{SpinLock, rank};

/// Bytes received and not yet read. When full, the newest are lost.
static INPUT: SpinLock<Ring, rank::Console> = SpinLock::new(Ring::new());
/// One burst at a time, so that interrupts are not off for long.
static OUTPUT: SpinLock<(), rank::Console> = SpinLock::new(());
/// The device line of the serial port.
static LINE: AtomicUsize = AtomicUsize::new(LINES);

struct Ring {
    bytes: [u8; 256],
    first: u8,
    count: usize,
}

impl Ring {
    const fn new() -> Self {
        Self {
            bytes: [0; 256],
            first: 0,
            count: 0,
        }
    }

    fn push(&mut self, byte: u8) {
        if self.count < self.bytes.len() {
            let last = self.first.wrapping_add(self.count as u8);
            self.bytes[usize::from(last)] = byte;
            self.count += 1;
        }
    }

    fn pop(&mut self) -> Option<u8> {
        self.count = self.count.checked_sub(1)?;
        let byte = self.bytes[usize::from(self.first)];
        self.first = self.first.wrapping_add(1);
        Some(byte)
    }
}

/// Starts input. Once, when the interrupt controllers are ready.
pub fn init() {
    let (line, trigger) = io_apic::isa_line(serial::INTERRUPT);
    LINE.store(line, Ordering::Relaxed);
    if interrupts::enable_line(line, trigger) {
        serial::enable_interrupt();
    }
}

/// The device line of the serial port.
pub fn line() -> usize {
    LINE.load(Ordering::Relaxed)
}

pub fn write(bytes: &[u8]) {
    for burst in bytes.chunks(serial::BURST) {
        let _output = OUTPUT.lock();
        serial::send(burst);
    }
}

/// As [`write`] without the lock, for a panic.
pub fn write_unlocked(bytes: &[u8]) {
    for burst in bytes.chunks(serial::BURST) {
        serial::send(burst);
    }
}

pub fn read() -> Option<u8> {
    INPUT.lock().pop()
}

/// The serial port's interrupt: takes all it has received.
pub fn interrupt() {
    let mut received = ArrayVec::<u8, 64>::new();
    loop {
        received.extend(core::iter::from_fn(serial::receive).take(64));
        if received.is_empty() {
            return;
        }
        {
            let mut input = INPUT.lock();
            for byte in received.drain(..) {
                input.push(byte);
            }
        }
        if let Some(hooks) = hooks::get() {
            hooks.console_input();
        }
    }
}
