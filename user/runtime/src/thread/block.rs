//! What a thread knows about itself. The block lies at the upper end of the
//! thread's stack, and `fs` points at it; its first word points at itself, as
//! the ABI wants of a thread pointer.
//!
//! A thread made by a bare clone inherits its parent's `fs`. So [`own`] believes
//! a block only if the stack pointer lies in the stack that the block names.

use super::{Entry, stack::Stack};
use crate::call::{self, raw};
use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicU32, Ordering::*};

#[repr(C)]
#[derive(Debug)]
pub struct Block {
    this: Cell<*const Block>,
    /// The usable stack.
    pub low: usize,
    pub high: usize,
    /// The whole of it, for who frees it.
    pub stack: Stack,
    entry: Entry,
    first: usize,
    second: usize,
    fate: AtomicU32,
    /// Which part of the heap it uses.
    pub shard: u32,
    pub locals: UnsafeCell<super::local::Slots>,
}

/// Somebody may join.
const JOINABLE: u32 = 0;
/// Nobody will: the thread frees its stack.
const DETACHED: u32 = 1;
/// The thread is past the point where it looks.
const LEAVING: u32 = 2;

/// The first thread's stack grows this far at most.
#[cfg(not(test))]
const FIRST_STACK: usize = 8 << 20;

/// The block of the first thread.
#[cfg(not(test))]
struct First(Block);

// SAFETY: reached only through `own`, which gives it to its thread alone.
#[cfg(not(test))]
unsafe impl Sync for First {}

#[cfg(not(test))]
static mut FIRST: First = First(Block::new(Stack { base: 0, length: 0 }, no_entry, 0, 0));

#[cfg(not(test))]
extern "C" fn no_entry(_: usize, _: usize) {}

impl Block {
    const fn new(stack: Stack, entry: Entry, first: usize, second: usize) -> Block {
        Block {
            this: Cell::new(core::ptr::null()),
            low: 0,
            high: 0,
            stack,
            entry,
            first,
            second,
            fate: AtomicU32::new(JOINABLE),
            shard: 0,
            locals: UnsafeCell::new(super::local::Slots::new()),
        }
    }

    /// Writes the block of a new thread at the end of its stack.
    ///
    /// # Safety
    /// Nobody uses the stack.
    pub unsafe fn place(stack: Stack, entry: Entry, first: usize, second: usize) -> *const Block {
        static SHARD: AtomicU32 = AtomicU32::new(1);
        let high = (stack.base + stack.length - size_of::<Block>()) & !63;
        let at = high as *mut Block;
        let mut block = Block::new(stack, entry, first, second);
        block.this = Cell::new(at);
        block.low = stack.base + super::stack::GUARD;
        block.high = high;
        block.shard = SHARD.fetch_add(1, Relaxed);
        // SAFETY: mapped, writable, aligned, unused.
        unsafe { at.write(block) };
        at
    }

    /// Told to free itself; false if it is too late for that.
    pub fn detach(&self) -> bool {
        self.fate
            .compare_exchange(JOINABLE, DETACHED, AcqRel, Acquire)
            .is_ok()
    }

    /// The last look: true if the thread is to free its stack.
    pub fn leave(&self) -> bool {
        self.fate
            .compare_exchange(JOINABLE, LEAVING, AcqRel, Acquire)
            .is_err()
    }
}

/// Where a thread of the library begins.
pub extern "C" fn begin(block: usize, _: usize) {
    set_pointer(block);
    // SAFETY: `create` placed it, and it lives as long as the thread.
    let block = unsafe { &*(block as *const Block) };
    (block.entry)(block.first, block.second);
    super::exit()
}

fn set_pointer(block: usize) {
    // SAFETY: `fs` is used by this module alone.
    let _ = unsafe { raw(call::ARCH_PRCTL, [abi::process::ARCH_SET_FS, block]) };
}

/// Gives the first thread its block.
///
/// # Safety
/// Once, before anything else, with the start stack.
#[cfg(not(test))]
pub unsafe fn set_first(stack: usize) {
    let first = &raw mut FIRST;
    // SAFETY: nobody else runs yet.
    unsafe {
        let block = &mut (*first).0;
        block.this.set(block);
        block.low = stack.saturating_sub(FIRST_STACK);
        // What the start code pushed lies below; arguments above.
        block.high = stack;
    }
    set_pointer(first as usize);
}

/// The calling thread's block, if the library made the thread.
#[cfg(not(test))]
pub fn own() -> Option<&'static Block> {
    let block: *const Block;
    let stack: usize;
    // SAFETY: `fs` holds a block, this thread's or the one it was cloned from.
    unsafe {
        core::arch::asm!("mov {}, fs:[0]", "mov {}, rsp", out(reg) block, out(reg) stack,
            options(nostack, readonly, preserves_flags));
    }
    // SAFETY: as above.
    let block = unsafe { &*block };
    (block.low <= stack && stack < block.high).then_some(block)
}

/// On the host the thread pointer is the host's.
#[cfg(test)]
pub fn own() -> Option<&'static Block> {
    None
}
