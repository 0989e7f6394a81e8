//! The 16550 serial port COM1, by its registers.

use super::port::{read_u8, write_u8};

const BASE: u16 = 0x3f8;
const DATA: u16 = BASE;
const INTERRUPTS: u16 = BASE + 1;
const FIFO: u16 = BASE + 2;
const LINE_CONTROL: u16 = BASE + 3;
const MODEM_CONTROL: u16 = BASE + 4;
const LINE_STATUS: u16 = BASE + 5;

const RECEIVED: u8 = 1 << 0;
const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// The ISA interrupt of COM1.
pub const INTERRUPT: u8 = 4;
/// Bytes that go out at once when the transmitter is empty.
pub const BURST: usize = 16;

/// Sets 115200 baud, 8 data bits, no parity, one stop bit.
pub fn init() {
    // SAFETY: the sequence of the manual; where there is no port the writes go
    // nowhere.
    unsafe {
        write_u8(INTERRUPTS, 0);
        write_u8(LINE_CONTROL, 0x80);
        write_u8(DATA, 1);
        write_u8(INTERRUPTS, 0);
        write_u8(LINE_CONTROL, 0x03);
        write_u8(FIFO, 0x07);
        // Data terminal ready, request to send, interrupts let through.
        write_u8(MODEM_CONTROL, 0x0b);
    }
}

/// Lets received bytes interrupt.
pub fn enable_interrupt() {
    // SAFETY: received data raises the interrupt, which has a handler.
    unsafe { write_u8(INTERRUPTS, 1) };
}

/// Sends at most [`BURST`] bytes, waiting for the transmitter first. Without a
/// port the status reads as all ones, and the bytes go nowhere.
pub fn send(bytes: &[u8]) {
    debug_assert!(bytes.len() <= BURST, "the transmitter holds no more");
    // SAFETY: reading the status and sending bytes change nothing in memory.
    unsafe {
        while read_u8(LINE_STATUS) & TRANSMITTER_EMPTY == 0 {
            core::hint::spin_loop();
        }
        for &byte in bytes {
            write_u8(DATA, byte);
        }
    }
}

/// The next received byte.
pub fn receive() -> Option<u8> {
    // SAFETY: reading takes the byte from the port and changes no memory.
    unsafe {
        match read_u8(LINE_STATUS) {
            // No port.
            0xff => None,
            status if status & RECEIVED != 0 => Some(read_u8(DATA)),
            _ => None,
        }
    }
}
