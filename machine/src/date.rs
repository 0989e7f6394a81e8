//! From the registers of a PC's clock to seconds since 1970.

const IS_24_HOURS: u8 = 1 << 1;
const IS_BINARY: u8 = 1 << 2;
const AFTERNOON: u8 = 1 << 7;

/// Seconds since 1970-01-01 UTC, from second, minute, hour, day, month, year of
/// this century, and status register B. 0 if that is no date.
pub fn seconds(registers: &[u8; 7]) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_either_notation_give_the_same_second() {
        // 2026-11-22 13:05:09, by `date -u -d ... +%s`.
        let expected = 1_795_352_709;
        assert_eq!(
            seconds(&[9, 5, 13, 22, 11, 26, IS_BINARY | IS_24_HOURS]),
            expected
        );
        assert_eq!(
            seconds(&[0x09, 0x05, 0x13, 0x22, 0x11, 0x26, IS_24_HOURS]),
            expected
        );
        assert_eq!(
            seconds(&[0x09, 0x05, AFTERNOON | 0x01, 0x22, 0x11, 0x26, 0]),
            expected
        );
        assert_eq!(
            seconds(&[9, 5, AFTERNOON | 1, 22, 11, 26, IS_BINARY]),
            expected
        );
    }

    #[test]
    fn leap_days_and_midnight_are_right() {
        let at = |day, month, year| seconds(&[0, 0, 0, day, month, year, IS_BINARY | IS_24_HOURS]);
        assert_eq!(at(1, 1, 0), 946_684_800);
        assert_eq!(at(29, 2, 24), 1_709_164_800);
        assert_eq!(at(1, 3, 24) - at(28, 2, 24), 2 * 86_400);
        assert_eq!(at(1, 3, 25) - at(28, 2, 25), 86_400);
        // Twelve at night, in the twelve-hour notation.
        assert_eq!(seconds(&[0, 0, 12, 1, 1, 0, IS_BINARY]), 946_684_800);
    }

    #[test]
    fn what_is_no_date_is_zero() {
        assert_eq!(seconds(&[0xff; 7]), 0);
        assert_eq!(seconds(&[0, 0, 0, 1, 13, 0, IS_BINARY]), 0);
        assert_eq!(seconds(&[0, 0, 0, 0, 1, 0, IS_BINARY]), 0);
    }
}
