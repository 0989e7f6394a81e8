//! A path as it comes from a user program. Most are short and need no heap.

use alloc::vec::Vec;

use abi::Errno;
use abi::memory::PAGE_SIZE;

use crate::limits;
use crate::memory::user;

/// Paths of fewer bytes stay on the stack.
const SHORT: usize = 64;

/// See the module. It is filled in place: moving it would cost more than what
/// it saves.
pub struct PathBuffer {
    short: [u8; SHORT],
    long: Vec<u8>,
}

impl PathBuffer {
    pub fn new() -> PathBuffer {
        PathBuffer {
            short: [0; SHORT],
            long: Vec::new(),
        }
    }

    /// Copies the zero-ended path at `address` into this new buffer; the path
    /// without the zero: EFAULT, ENAMETOOLONG, ENOMEM.
    pub fn read(&mut self, address: usize) -> Result<&[u8], Errno> {
        // Not across a page's border: nothing may be mapped behind it.
        let there = SHORT.min(PAGE_SIZE - address % PAGE_SIZE);
        user::read_bytes(address, &mut self.short[..there])?;
        match first_zero(&self.short) {
            Some(length) if length < there => Ok(&self.short[..length]),
            _ => {
                self.long = user::read_string(address, limits::path() - 1)?;
                Ok(&self.long)
            }
        }
    }
}

/// Where the first zero byte is. Eight bytes at a time: subtracting one from
/// every byte borrows into the top bit of just those that are zero, below the
/// first one at least (Hacker's Delight, 6-1).
fn first_zero(bytes: &[u8; SHORT]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, []) = bytes.as_chunks::<8>() else {
        unreachable!("the length is a multiple of eight");
    };
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let zeros = word.wrapping_sub(ONES) & !word & TOPS;
        if zeros != 0 {
            return Some(number * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_the_first_zero(bytes in proptest::array::uniform32(0u8..4), shift in 0usize..=32) {
            let mut all = [1; SHORT];
            all[shift..shift + 32].copy_from_slice(&bytes);
            prop_assert_eq!(first_zero(&all), all.iter().position(|&byte| byte == 0));
            let high = all.map(|byte| byte.rotate_right(1));
            prop_assert_eq!(first_zero(&high), high.iter().position(|&byte| byte == 0));
        }
    }
}
