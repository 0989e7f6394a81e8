//! Sizes for people.

use alloc::format;
use alloc::string::String;

/// Three figures at most and a unit of 1024, rounded up as a disk fills: `1.5K`.
pub fn human(bytes: u64) -> String {
    let mut unit = 0;
    let mut size = u128::from(bytes) * 10;
    while size > 10_230 && unit < 6 {
        size = size.div_ceil(1024);
        unit += 1;
    }
    let name = ["", "K", "M", "G", "T", "P", "E"][unit];
    match (unit, size) {
        (0, _) => format!("{bytes}"),
        (_, ..100) => format!("{}.{}{name}", size / 10, size % 10),
        _ => format!("{}{name}", size.div_ceil(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn units() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (1536, "1.5K"),
            (10 * 1024, "10K"),
            (1023 * 1024, "1023K"),
            (1023 * 1024 + 1, "1.0M"),
            (5 << 30, "5.0G"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
