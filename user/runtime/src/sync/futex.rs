//! Sleeping in the kernel on a word of memory (futex(2)), within one process.

use crate::call::{self, raw};
use abi::Errno;
use abi::futex::*;
use abi::time::Timespec;
use core::sync::atomic::AtomicU32;

/// Every waiter, whatever its bits.
pub const ANY: u32 = FUTEX_BITSET_MATCH_ANY;

/// Sleeps while the word is `expected`, until woken with one of `bits`. May
/// return without reason: the caller looks at the word again.
pub fn wait(word: &AtomicU32, expected: u32, bits: u32) {
    let operation = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
    let args = [
        word.as_ptr() as usize,
        operation,
        expected as usize,
        0,
        0,
        bits as usize,
    ];
    // SAFETY: the kernel only reads the word. EAGAIN (the word differs) and
    // EINTR mean the same to the caller as a wake-up.
    let _ = unsafe { raw(call::FUTEX, args) };
}

/// As [`wait`] with any bits, for at most `nanos`.
pub fn wait_timeout(word: &AtomicU32, expected: u32, nanos: u64) -> Result<(), Errno> {
    let timeout = Timespec::from_nanos(nanos);
    let operation = FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
    let args = [
        word.as_ptr() as usize,
        operation,
        expected as usize,
        &raw const timeout as usize,
    ];
    // SAFETY: the kernel only reads the word and the time.
    unsafe { raw(call::FUTEX, args) }.map(drop)
}

/// Wakes up to `count` sleepers that wait for one of `bits`; how many.
pub fn wake(word: &AtomicU32, count: u32, bits: u32) -> usize {
    wake_address(word.as_ptr() as usize, count, bits)
}

/// As [`wake`], by the word's address: for a word that whoever it lets go may
/// free before the kernel looks.
pub fn wake_address(address: usize, count: u32, bits: u32) -> usize {
    let operation = FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG;
    let args = [address, operation, count as usize, 0, 0, bits as usize];
    // SAFETY: the kernel uses the address as a name only.
    unsafe { raw(call::FUTEX, args) }.unwrap_or(0)
}

/// How often a lock looks again before it sleeps: a wake-up costs thousands of
/// cycles, but on one CPU nothing changes while we look.
pub(crate) fn spins() -> u32 {
    if crate::thread::cpus() > 1 { 100 } else { 0 }
}
