//! Dates (UTC) of times since 1970.

use core::fmt;

/// A time of a day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: i64,
    /// From 1 on, like the day.
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

const DAY: i64 = 24 * 60 * 60;
/// Days of 400 years, after which the calendar repeats.
const CYCLE: i64 = 146_097;
/// From the first of March of the year 0, so that leap days end years.
const BEFORE_1970: i64 = 719_468;

impl Date {
    /// Of a time in seconds since 1970.
    pub fn of(seconds: i64) -> Date {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let days = days + BEFORE_1970;
        let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
        // Without the leap days that came before: one in 4 years but not in 100.
        let years = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
        let day = day - (365 * years + years / 4 - years / 100);
        // Months from March on: 31, 30, 31, 30, 31 days, over and over.
        let month = (5 * day + 2) / 153;
        let january_or_later = month >= 10;
        Date {
            year: cycle * 400 + years + i64::from(january_or_later),
            month: (month + if january_or_later { -9 } else { 3 }) as u8,
            day: (day - (153 * month + 2) / 5 + 1) as u8,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }

    /// Days since a Sunday.
    fn weekday(seconds: i64) -> usize {
        (seconds.div_euclid(DAY) + 4).rem_euclid(7) as usize
    }
}

/// `2026-11-30 14:05`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date {
            year,
            month,
            day,
            hour,
            minute,
            ..
        } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes a time as `format` says (the conversions of POSIX's date that need no
/// locale): `None` if it has one that is not known.
pub fn write(seconds: i64, format: &str, out: &mut impl fmt::Write) -> Option<fmt::Result> {
    let date = Date::of(seconds);
    let (day, month) = (
        DAYS[Date::weekday(seconds)],
        MONTHS[usize::from(date.month) - 1],
    );
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        let result = match letter {
            '%' => match letters.next()? {
                'Y' => write!(out, "{:04}", date.year),
                'y' => write!(out, "{:02}", date.year.rem_euclid(100)),
                'm' => write!(out, "{:02}", date.month),
                'd' => write!(out, "{:02}", date.day),
                'e' => write!(out, "{:2}", date.day),
                'H' => write!(out, "{:02}", date.hour),
                'M' => write!(out, "{:02}", date.minute),
                'S' => write!(out, "{:02}", date.second),
                's' => write!(out, "{seconds}"),
                'A' => out.write_str(day),
                'a' => out.write_str(&day[..3]),
                'B' => out.write_str(month),
                'b' | 'h' => out.write_str(&month[..3]),
                'Z' => out.write_str("UTC"),
                'n' => out.write_char('\n'),
                't' => out.write_char('\t'),
                '%' => out.write_char('%'),
                'F' => write(seconds, "%Y-%m-%d", out)?,
                'T' => write(seconds, "%H:%M:%S", out)?,
                _ => return None,
            },
            other => out.write_char(other),
        };
        if result.is_err() {
            return Some(result);
        }
    }
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64, format: &str) -> Option<String> {
        let mut text = String::new();
        write(seconds, format, &mut text)?.unwrap();
        Some(text)
    }

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 Thursday"),
            (-1, "1969-12-31 23:59:59 Wednesday"),
            (951_782_399, "2000-02-28 23:59:59 Monday"),
            (951_782_400, "2000-02-29 00:00:00 Tuesday"),
            (951_868_800, "2000-03-01 00:00:00 Wednesday"),
            (4_107_542_399, "2100-02-28 23:59:59 Sunday"),
            (4_107_542_400, "2100-03-01 00:00:00 Monday"),
            (1_796_047_505, "2026-11-30 14:05:05 Monday"),
            (i64::from(i32::MIN), "1901-12-13 20:45:52 Friday"),
        ] {
            assert_eq!(text(seconds, "%F %T %A").as_deref(), Some(expected));
        }
        assert_eq!(Date::of(1_796_047_505).to_string(), "2026-11-30 14:05");
    }

    #[test]
    fn every_day_follows_the_last() {
        let mut before = Date::of(-400 * 366 * DAY);
        for day in -400 * 366 + 1..800 * 366 {
            let date = Date::of(day * DAY);
            let next_day = date.day == before.day + 1 && date.month == before.month;
            let next_month = date.day == 1 && before.day >= 28;
            assert!(next_day || next_month, "{before:?} {date:?}");
            before = date;
        }
    }

    #[test]
    fn formats() {
        let format = "%a %e %b %y, %s%%%n";
        assert_eq!(
            text(1_796_047_505, format).as_deref(),
            Some("Mon 30 Nov 26, 1796047505%\n")
        );
        assert_eq!(text(0, "%Q"), None);
        assert_eq!(text(0, "100%"), None);
    }
}
