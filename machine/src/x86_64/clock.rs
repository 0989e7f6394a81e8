//! The date, from the battery-backed clock (MC146818).

use super::port::{read_u8, write_u8};
use crate::date;

const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const DAY: u8 = 7;
const MONTH: u8 = 8;
const YEAR: u8 = 9;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;

const UPDATING: u8 = 1 << 7;

/// Seconds since 1970-01-01 UTC; 0 if there is no clock.
pub fn read() -> u64 {
    // Twice the same reading means no update came in between.
    let mut last = registers();
    for _ in 0..1000 {
        let again = registers();
        if again == last {
            return date::seconds(&again);
        }
        last = again;
    }
    0
}

fn register(index: u8) -> u8 {
    // SAFETY: reads the clock; bit 7 of the index stays 0, which leaves
    // non-maskable interrupts on.
    unsafe {
        write_u8(0x70, index);
        read_u8(0x71)
    }
}

fn registers() -> [u8; 7] {
    for _ in 0..10_000 {
        if register(STATUS_A) & UPDATING == 0 {
            break;
        }
    }
    [SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, STATUS_B].map(register)
}
