//! Blocks with a mapping of their own. The header stands a page before the
//! block, at a multiple of the segment size, so that it is found as any other.

use super::segment::{SEGMENT_SIZE, Segment};
use crate::memory;
use abi::memory::*;
use core::ptr::null_mut;

/// In place of a shard's number.
pub const MARK: u32 = u32::MAX;

#[repr(C)]
struct Header {
    mark: u32,
    /// The whole mapping.
    base: usize,
    length: usize,
}

pub fn allocate(size: usize) -> *mut u8 {
    let used = size.next_multiple_of(PAGE_SIZE) + PAGE_SIZE;
    let length = used + SEGMENT_SIZE;
    let Ok(base) = memory::map(length, PROT_READ | PROT_WRITE) else {
        return null_mut();
    };
    let at = base.next_multiple_of(SEGMENT_SIZE);
    if !memory::commit(at, used) {
        // SAFETY: nobody has learnt of it.
        let _ = unsafe { memory::unmap(base, length) };
        return null_mut();
    }
    // SAFETY: within the fresh mapping, of which nothing before the header and
    // nothing past the block is used.
    unsafe {
        (at as *mut Header).write(Header {
            mark: MARK,
            base,
            length,
        })
    };
    (at + PAGE_SIZE) as *mut u8
}

/// # Safety
/// `segment` is the header of a block made here, which nobody uses any more.
pub unsafe fn free(segment: *mut Segment) {
    // SAFETY: the caller's.
    let _ = unsafe {
        let Header { base, length, .. } = segment.cast::<Header>().read();
        memory::unmap(base, length)
    };
}

/// # Safety
/// `segment` is the header of a block made here.
pub unsafe fn capacity(segment: *mut Segment) -> usize {
    // SAFETY: the caller's.
    let header = unsafe { segment.cast::<Header>().read() };
    header.base + header.length - (segment as usize + PAGE_SIZE)
}
