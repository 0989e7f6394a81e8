//! `malloc` and the break.
//!
//! Programs of the xv6 family keep addresses in `uint`. So that these survive,
//! C programs get their memory from the lower 4 GiB.

use super::result;
use crate::{heap, memory};
use abi::memory::{SBRK_EAGER, SBRK_LAZY};
use core::ptr::null_mut;

/// Called once, before `main`: where memory begins, above the program and room
/// for its break.
#[unsafe(no_mangle)]
pub extern "C" fn weft_memory_start(low: usize) {
    memory::map_from(low);
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_malloc(size: usize) -> *mut u8 {
    heap::allocate(size, 16)
}

/// # Safety
/// `block` is null, or came from here and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_free(block: *mut u8) {
    if !block.is_null() {
        // SAFETY: the caller's.
        unsafe { heap::free(block) }
    }
}

/// # Safety
/// As [`weft_free`]; on success only the new block is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_realloc(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return weft_malloc(size);
    }
    // SAFETY: the caller's; the copy is no longer than either block.
    unsafe {
        let room = heap::capacity(block);
        if size <= room {
            return block;
        }
        let new = weft_malloc(size);
        if new.is_null() {
            return null_mut();
        }
        new.copy_from_nonoverlapping(block, room);
        heap::free(block);
        new
    }
}

/// The old break. Pages are made when they are touched if `lazy`, else at once.
#[unsafe(no_mangle)]
pub extern "C" fn weft_sbrk(by: isize, lazy: bool) -> isize {
    let how = if lazy { SBRK_LAZY } else { SBRK_EAGER };
    result(memory::move_break_and(by, how))
}
