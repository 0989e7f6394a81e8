//! Random bytes for programs (getrandom, `AT_RANDOM`): a counter stirred with
//! the clock through a mixing function. Not for secrets: there is no source
//! of entropy to promise more.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static STATE: AtomicU64 = AtomicU64::new(0x9e37_79b9_7f4a_7c15);

/// What comes from here on also depends on `seed`. A run whose instructions are
/// counted repeats; with another seed it is another.
pub fn seed(seed: u64) {
    STATE.fetch_xor(seed.wrapping_mul(0xd1b5_4a32_d192_ed03), Relaxed);
}

/// `N` fresh bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

pub fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        let word = next().to_ne_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
fn next() -> u64 {
    let seed = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed) ^ machine::time::now();
    let mixed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
