//! Limits that can be set below `/proc/sys`.

use abi::Errno;
use core::ops::RangeInclusive;
use core::str;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::files::text::Text;

/// A number in a range.
pub struct Setting {
    value: AtomicUsize,
    range: RangeInclusive<usize>,
}

impl Setting {
    pub const fn new(value: usize, range: RangeInclusive<usize>) -> Setting {
        Setting {
            value: AtomicUsize::new(value),
            range,
        }
    }

    pub fn get(&self) -> usize {
        self.value.load(Relaxed)
    }

    /// Adds it to `text` as a line. ENOMEM.
    pub fn tell(&self, text: &mut Text) -> Result<(), Errno> {
        text.add(format_args!("{}\n", self.get()))
    }

    /// Sets it to what `word` says: EINVAL.
    pub fn set(&self, word: &[u8]) -> Result<(), Errno> {
        let number = str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        let value = number.filter(|value| self.range.contains(value));
        self.value.store(value.ok_or(Errno::EINVAL)?, Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_range_is_set() {
        let setting = Setting::new(10, 1..=100);
        for (word, result, value) in [
            (&b"100"[..], Ok(()), 100),
            (b"101", Err(Errno::EINVAL), 100),
            (b"0", Err(Errno::EINVAL), 100),
            (b"x", Err(Errno::EINVAL), 100),
            (b"", Err(Errno::EINVAL), 100),
            (b"-1", Err(Errno::EINVAL), 100),
            (b"1", Ok(()), 1),
        ] {
            assert_eq!((setting.set(word), setting.get()), (result, value));
        }
    }
}
