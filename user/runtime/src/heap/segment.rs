//! Segments: 64 KiB at a multiple of 64 KiB, so that a block's header is found
//! from its address. The first page holds the header; the others are cut into
//! blocks of one size each, or handed out in runs.

use crate::memory;
use crate::sync::Mutex;
use abi::memory::*;
use core::ptr::null_mut;

pub const SEGMENT_SIZE: usize = 64 << 10;
pub const PAGES: usize = SEGMENT_SIZE / PAGE_SIZE;
/// One bit for each page but the header's.
pub const ALL_FREE: u16 = !1;

/// Guarded by its shard's lock, except `shard`, which stays while any block of
/// the segment is in use.
#[repr(C)]
pub struct Segment {
    pub shard: u32,
    /// A bit for each page that is free.
    pub free: u16,
    /// Neighbours in the shard's list of segments with free pages.
    pub next: *mut Segment,
    pub previous: *mut Segment,
    pub pages: [Page; PAGES],
}

/// How a page is cut.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Page {
    pub kind: Kind,
    /// Blocks in use.
    pub used: u16,
    /// Blocks that have ever been handed out; the rest is untouched.
    pub touched: u16,
    /// Freed blocks, linked through their first words.
    pub freed: *mut FreeBlock,
    /// Neighbours in the shard's list of pages of this class with room.
    pub next: *mut Page,
    pub previous: *mut Page,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Free,
    /// Blocks of this size class.
    Class(u8),
    /// The first page of a run of this many.
    Run(u8),
}

pub struct FreeBlock {
    pub next: *mut FreeBlock,
}

impl Segment {
    /// The header that goes with a block.
    pub fn of(block: *mut u8) -> *mut Segment {
        (block as usize & !(SEGMENT_SIZE - 1)) as *mut Segment
    }

    pub fn page_index(block: *mut u8) -> usize {
        block as usize / PAGE_SIZE % PAGES
    }
}

/// Segments that no shard uses, and fresh memory to cut more from.
pub struct Pool {
    free: *mut Segment,
    fresh: usize,
    end: usize,
}

// SAFETY: the segments belong to whoever holds the pool.
unsafe impl Send for Pool {}

pub static POOL: Mutex<Pool> = Mutex::new(Pool {
    free: null_mut(),
    fresh: 0,
    end: 0,
});

/// How much is mapped at a time. Untouched memory costs nothing.
const STEP: usize = 1 << 20;

/// An empty segment, or null.
pub fn take(shard: u32) -> *mut Segment {
    let mut pool = POOL.lock();
    let segment = if !pool.free.is_null() {
        let segment = pool.free;
        // SAFETY: a segment in the pool's list.
        pool.free = unsafe { (*segment).next };
        segment
    } else {
        if pool.fresh == pool.end {
            let Ok(base) = memory::map(STEP, PROT_READ | PROT_WRITE) else {
                return null_mut();
            };
            pool.fresh = base.next_multiple_of(SEGMENT_SIZE);
            pool.end = (base + STEP) & !(SEGMENT_SIZE - 1);
        }
        if !memory::commit(pool.fresh, SEGMENT_SIZE) {
            return null_mut();
        }
        pool.fresh += SEGMENT_SIZE;
        (pool.fresh - SEGMENT_SIZE) as *mut Segment
    };
    drop(pool);
    let page = Page {
        kind: Kind::Free,
        used: 0,
        touched: 0,
        freed: null_mut(),
        next: null_mut(),
        previous: null_mut(),
    };
    let header = Segment {
        shard,
        free: ALL_FREE,
        next: null_mut(),
        previous: null_mut(),
        pages: [page; PAGES],
    };
    // SAFETY: the segment is the caller's alone.
    unsafe { segment.write(header) };
    segment
}

/// # Safety
/// No block of the segment is in use, and no list holds it.
pub unsafe fn give_back(segment: *mut Segment) {
    let mut pool = POOL.lock();
    // SAFETY: the caller's.
    unsafe { (*segment).next = pool.free };
    pool.free = segment;
}
