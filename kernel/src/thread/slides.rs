//! How far the parts of a program are moved from where they would be, by chance:
//! who attacks it does not know where anything is. As far as on Linux.
//!
//! The chance is that of [`crate::random`], so that a run whose instructions are
//! counted repeats with all its addresses.

use crate::random;
use abi::memory::PAGE_SIZE;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// In bytes; all but the last are whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slides {
    /// Upwards: a program that can be moved.
    pub program: usize,
    /// Upwards: the heap, from the end of the program.
    pub heap: usize,
    /// Downwards: the stack.
    pub stack: usize,
    /// Downwards: what is mapped, from the lowest place of the stack.
    pub mappings: usize,
    /// Downwards: what the stack holds first, a multiple of 16 within a page.
    pub first: usize,
}

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Lets nothing move from here on, as the boot option `aslr=off` says.
pub fn disable() {
    ENABLED.store(false, Relaxed);
}

impl Slides {
    pub const NONE: Slides = Slides {
        program: 0,
        heap: 0,
        stack: 0,
        mappings: 0,
        first: 0,
    };

    /// Those of a new program.
    pub fn new() -> Slides {
        match ENABLED.load(Relaxed) {
            true => Slides::from_words([(); 5].map(|()| u64::from_ne_bytes(random::bytes()))),
            false => Slides::NONE,
        }
    }

    fn from_words(words: [u64; 5]) -> Slides {
        let pages = |word: u64, bits: u32| (word >> (64 - bits)) as usize * PAGE_SIZE;
        let [program, heap, stack, mappings, first] = words;
        Slides {
            program: pages(program, 28),
            heap: pages(heap, 13),
            stack: pages(stack, 22),
            mappings: pages(mappings, 28),
            first: (first >> 56) as usize * 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::elf::DYN_BASE;
    use abi::memory::USER_END;

    #[test]
    fn slides_stay_within_bounds() {
        let most = Slides::from_words([u64::MAX; 5]);
        assert_eq!(most.program, ((1 << 28) - 1) * PAGE_SIZE);
        assert_eq!((most.heap, most.first), (0x1fff << 12, 0xff0));
        // However far they go, program and mappings do not meet.
        let lowest = USER_END - most.stack - most.mappings;
        assert!(lowest - (DYN_BASE + most.program) > 1 << 44);
        assert_eq!(Slides::from_words([0; 5]), Slides::NONE);
    }

    #[test]
    fn two_programs_differ() {
        assert_ne!(Slides::new(), Slides::new());
    }
}
