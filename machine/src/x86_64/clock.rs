//! The date, from the battery-backed clock (MC146818).

use super::port::{read_u8, write_u8};

const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const DAY: u8 = 7;
const MONTH: u8 = 8;
const YEAR: u8 = 9;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;

const UPDATING: u8 = 1 << 7;
const IS_24_HOURS: u8 = 1 << 1;
const IS_BINARY: u8 = 1 << 2;
const AFTERNOON: u8 = 1 << 7;

/// Seconds since 1970-01-01 UTC; 0 if there is no clock.
pub fn read() -> u64 {
    // Twice the same reading means no update came in between.
    let mut last = registers();
    for _ in 0..1000 {
        let again = registers();
        if again == last {
            return seconds(&again);
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

fn seconds(registers: &[u8; 7]) -> u64 {
    let [second, minute, hour, day, month, year, status] = *registers;
    let number = |value: u8| {
        let value = if status & IS_BINARY != 0 {
            value
        } else {
            (value >> 4) * 10 + (value & 15)
        };
        u64::from(value)
    };
    let mut hours = number(hour & !AFTERNOON);
    if status & IS_24_HOURS == 0 {
        hours = hours % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 };
    }
    let (day, month, year) = (number(day), number(month), 2000 + number(year));
    if !(1..=31).contains(&day) || !(1..=12).contains(&month) {
        return 0;
    }
    days(year, month, day) * 86_400 + hours * 3_600 + number(minute) * 60 + number(second)
}

/// Days from 1970-01-01 to a date of this century.
fn days(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_day_passed = u64::from(month > 2 && year.is_multiple_of(4));
    // 2000 was a leap year, and no other rule applies until 2100.
    let leap_days = (year - 1 - 1968) / 4;
    (year - 1970) * 365 + leap_days + BEFORE[month as usize - 1] + leap_day_passed + day - 1
}
