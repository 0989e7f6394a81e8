//! Where free frames are: most in the buddy system behind one lock, some in a
//! cache of each CPU, last in first out, so that what was used last is used
//! next.

use super::buddy::Buddy;
use super::{metas, reserve};
use crate::memory::local::{Local, Slot};
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sync::{SpinLock, rank};

/// Frames a CPU's cache holds at most.
const CAPACITY: usize = 64;
/// The order of the block that refills a cache, and what a full cache gives back.
const BATCH_ORDER: usize = 4;
const BATCH: usize = 1 << BATCH_ORDER;

static BUDDY: SpinLock<Buddy, rank::Frames> = SpinLock::new(Buddy::new());

/// The shared part is the number of frames in the array.
static CACHES: Local<[u32; CAPACITY], AtomicUsize> =
    Local::new([const { Slot::new([0; CAPACITY], AtomicUsize::new(0)) }; crate::cpu::MAX]);

/// Adds ranges of frames. Once, at boot.
pub(super) fn add(ranges: impl Iterator<Item = (u32, u32)> + Clone) {
    for (start, end) in ranges.clone() {
        Buddy::mark(metas(), start, end);
    }
    let mut buddy = BUDDY.lock();
    for (start, end) in ranges {
        buddy.add(metas(), start, end);
    }
}

/// Frames in the buddy system and in all caches. A snapshot.
pub(super) fn free_count() -> usize {
    let cached: usize = CACHES.shared().map(|length| length.load(Relaxed)).sum();
    BUDDY.lock().free_count() + cached
}

/// Frames in the buddy system.
pub(super) fn free_in_blocks() -> usize {
    BUDDY.lock().free_count()
}

/// A free frame, from this CPU's cache if that has one.
#[inline]
pub(super) fn take() -> Option<NonZeroU32> {
    let number = CACHES.with(|frames, length| {
        let last = length.load(Relaxed).wrapping_sub(1);
        let number = *frames.get(last)?;
        length.store(last, Relaxed);
        Some(number)
    });
    match number {
        Some(number) => NonZeroU32::new(number),
        None => refill(),
    }
}

/// Takes a batch from the buddy system, one frame of it for the caller.
#[cold]
#[inline(never)]
fn refill() -> Option<NonZeroU32> {
    let mut buddy = BUDDY.lock();
    if buddy.free_count() <= reserve() + BATCH {
        return None;
    }
    let Some(block) = buddy.alloc(metas(), BATCH_ORDER) else {
        return NonZeroU32::new(buddy.alloc(metas(), 0)?);
    };
    drop(buddy);
    let spare = CACHES.with(|frames, length| {
        let mut count = length.load(Relaxed);
        // Highest first, so that frames are handed out in ascending order.
        let mut number = block + BATCH as u32 - 1;
        while number > block && count < CAPACITY {
            frames[count] = number;
            count += 1;
            number -= 1;
        }
        length.store(count, Relaxed);
        block + 1..number + 1
    });
    // The cache was filled meanwhile, by another thread on this CPU.
    if !spare.is_empty() {
        let mut buddy = BUDDY.lock();
        spare.for_each(|number| buddy.free(metas(), number, 0));
    }
    NonZeroU32::new(block)
}

/// Takes back a frame that nobody refers to.
#[inline]
pub(super) fn give(number: NonZeroU32) {
    let full = CACHES.with(|frames, length| {
        let count = length.load(Relaxed);
        let Some(slot) = frames.get_mut(count) else {
            return true;
        };
        *slot = number.get();
        length.store(count + 1, Relaxed);
        false
    });
    if full {
        drain(number);
    }
}

/// Gives the oldest frames of a full cache back to the buddy system, then
/// puts `number` into the cache.
#[cold]
#[inline(never)]
fn drain(number: NonZeroU32) {
    let (batch, count) = CACHES.with(|frames, length| {
        let count = length.load(Relaxed);
        let taken = count.min(BATCH);
        let mut batch = [0; BATCH];
        batch[..taken].copy_from_slice(&frames[..taken]);
        frames.copy_within(taken..count, 0);
        frames[count - taken] = number.get();
        length.store(count - taken + 1, Relaxed);
        (batch, taken)
    });
    let mut buddy = BUDDY.lock();
    for &number in &batch[..count] {
        buddy.free(metas(), number, 0);
    }
}

/// A block of `2^order` frames. The kernel's own objects may use the reserve.
pub(in crate::memory) fn take_block(order: usize, may_use_reserve: bool) -> Option<u32> {
    let mut buddy = BUDDY.lock();
    if !may_use_reserve && buddy.free_count() <= reserve() + (1 << order) {
        return None;
    }
    buddy.alloc(metas(), order)
}

/// Gives a block back.
pub(in crate::memory) fn give_block(number: u32, order: usize) {
    BUDDY.lock().free(metas(), number, order);
}
