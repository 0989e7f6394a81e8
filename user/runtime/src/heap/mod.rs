//! The heap behind `alloc` and the C `malloc`.
//!
//! Threads do not meet on one lock: there are [`SHARDS`] heaps, each with its
//! own, and every thread of the library uses the one its block names. A thread
//! of a bare clone has no block and picks one by the page its stack is on. A
//! block is freed into the shard it came from, whoever frees it.
//!
//! - `segment` cuts 64 KiB segments into pages, and finds a block's header.
//! - `shard` hands out blocks: small ones by size class from pages, larger ones
//!   as runs of pages.
//! - `large` is for what does not fit a segment: a mapping of its own.

mod large;
mod segment;
mod shard;
#[cfg(test)]
mod tests;

use crate::sync::{Guard, Mutex, RawMutex};
use crate::thread::{self, block};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;
use segment::Segment;
use shard::Shard;

/// How many heaps there are.
pub const SHARDS: usize = 16;

static HEAPS: [Mutex<Shard>; SHARDS] = [const { Mutex::new(Shard::new()) }; SHARDS];

/// The largest alignment the heap can give.
const MAX_ALIGN: usize = abi::memory::PAGE_SIZE;

fn choose() -> usize {
    match block::own() {
        Some(block) => block.shard as usize % SHARDS,
        None => {
            let here = 0u8;
            let page = (&raw const here as usize) / abi::memory::PAGE_SIZE;
            page.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - SHARDS.ilog2())
        }
    }
}

/// `size` bytes at a multiple of `align`; null if there is no memory.
pub fn allocate(size: usize, align: usize) -> *mut u8 {
    if align > MAX_ALIGN || size > isize::MAX as usize {
        return null_mut();
    }
    // Blocks of a power of two lie at multiples of it.
    let size = if align > 16 {
        size.max(align).next_power_of_two()
    } else {
        size
    };
    if size > shard::LARGEST {
        return large::allocate(size);
    }
    let index = choose();
    HEAPS[index].lock().allocate(size, index as u32)
}

/// # Safety
/// `block` came from [`allocate`] and is not used again.
pub unsafe fn free(block: *mut u8) {
    // SAFETY: every block lies in a segment or a large mapping, with its header.
    unsafe {
        let segment = Segment::of(block);
        match (*segment).shard {
            large::MARK => large::free(segment),
            index => HEAPS[index as usize].lock().free(segment, block),
        }
    }
}

/// How many bytes the block has room for.
///
/// # Safety
/// `block` came from [`allocate`].
pub unsafe fn capacity(block: *mut u8) -> usize {
    // SAFETY: as in `free`.
    unsafe {
        let segment = Segment::of(block);
        match (*segment).shard {
            large::MARK => large::capacity(segment),
            _ => shard::capacity(segment, block),
        }
    }
}

/// Holds every lock of the heap, so that a fork copies it whole.
pub struct Frozen {
    _shards: [Guard<'static, Shard, RawMutex>; SHARDS],
    _pool: Guard<'static, segment::Pool, RawMutex>,
}

/// For fork; nothing to do while there is one thread.
pub fn freeze() -> Option<Frozen> {
    thread::THREADED.load(Relaxed).then(|| Frozen {
        _shards: core::array::from_fn(|i| HEAPS[i].lock()),
        _pool: segment::POOL.lock(),
    })
}

struct Heap;

// SAFETY: blocks do not overlap, and are as large and aligned as asked.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate(layout.size(), layout.align())
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller's.
        unsafe { free(block) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's; the copy is no longer than either block.
        unsafe {
            let room = capacity(block);
            if size <= room && size >= room / 4 {
                return block;
            }
            let new = allocate(size, layout.align());
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(size));
                free(block);
            }
            new
        }
    }
}

#[cfg(not(test))]
#[global_allocator]
static HEAP: Heap = Heap;
