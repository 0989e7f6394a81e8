//! Where free frames are: most in the pool behind one lock, some in a cache of
//! each CPU, last in first out, so that what was used last is used next.

use super::buddy::Buddy;
use super::pool::Pool;
use super::{metas, reserve};
use crate::memory::local::{Local, Slot};
use arrayvec::ArrayVec;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sync::{SpinLock, rank};

/// Frames a CPU's cache holds at most.
const CAPACITY: usize = 64;
/// How many frames an empty cache takes, and a full one gives back.
const BATCH: usize = 32;

static POOL: SpinLock<Pool, rank::Frames> = SpinLock::new(Pool::new());

/// The shared part is the number of frames in the array.
static CACHES: Local<[u32; CAPACITY], AtomicUsize> =
    Local::new([const { Slot::new([0; CAPACITY], AtomicUsize::new(0)) }; crate::cpu::MAX]);

/// Adds ranges of frames. Once, at boot.
pub(super) fn add(ranges: impl Iterator<Item = (u32, u32)> + Clone) {
    for (start, end) in ranges.clone() {
        Buddy::mark(metas(), start, end);
    }
    let mut pool = POOL.lock();
    for (start, end) in ranges {
        pool.add(metas(), start, end);
    }
}

/// Frames in the pool and in all caches. A snapshot.
pub(super) fn free_count() -> usize {
    let cached: usize = CACHES.shared().map(|length| length.load(Relaxed)).sum();
    POOL.lock().free_count() + cached
}

/// Frames in the pool.
pub(in crate::memory) fn free_in_pool() -> usize {
    POOL.lock().free_count()
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

/// Takes a batch from the pool, one frame of it for the caller.
#[cold]
#[inline(never)]
fn refill() -> Option<NonZeroU32> {
    let mut pool = POOL.lock();
    let most = BATCH.min(pool.free_count().saturating_sub(reserve()));
    CACHES.with(|frames, length| {
        // Another thread on this CPU may have filled it meanwhile.
        let mut count = length.load(Relaxed);
        pool.take_frames(metas(), most.min(CAPACITY - count), |number| {
            frames[count] = number;
            count += 1;
        });
        let last = count.checked_sub(1)?;
        length.store(last, Relaxed);
        NonZeroU32::new(frames[last])
    })
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

/// Gives the oldest frames of a full cache back to the pool, then puts
/// `number` into the cache.
#[cold]
#[inline(never)]
fn drain(number: NonZeroU32) {
    let mut batch = ArrayVec::<u32, BATCH>::new();
    CACHES.with(|frames, length| {
        let count = length.load(Relaxed);
        let taken = count.min(BATCH);
        batch.extend(frames[..taken].iter().copied());
        frames.copy_within(taken..count, 0);
        frames[count - taken] = number.get();
        length.store(count - taken + 1, Relaxed);
    });
    let mut pool = POOL.lock();
    for number in batch {
        pool.give_frame(metas(), number);
    }
}

/// Moves what the CPUs keep to the pool.
pub(in crate::memory) fn gather() {
    let mut pool = POOL.lock();
    for slot in CACHES.slots() {
        slot.with(|frames, length| {
            for &number in &frames[..length.load(Relaxed)] {
                pool.give_frame(metas(), number);
            }
            length.store(0, Relaxed);
        });
    }
}

/// A block of `2^order` frames. The kernel's own objects may use the reserve.
pub(in crate::memory) fn take_block(order: usize, may_use_reserve: bool) -> Option<u32> {
    let mut pool = POOL.lock();
    if !may_use_reserve && pool.free_count() <= reserve() + (1 << order) {
        return None;
    }
    pool.take_block(metas(), order)
}

/// Gives a block back.
pub(in crate::memory) fn give_block(number: u32, order: usize) {
    POOL.lock().give_block(metas(), number, order);
}
