//! The kernel heap: objects of up to half a page from slabs, larger ones as
//! blocks of frames. Each CPU has a cache of free objects of each class, last
//! in first out; behind them are the slabs (lock: `Heap`, one for each class).
//!
//! [`KernelHeap`] is the global allocator of the kernel. It gives null where
//! memory is used up, reserve included.

mod classes;
mod slab;
#[cfg(test)]
mod tests;

use super::frames::{hold, let_go, number_of, pointer, store};
use super::local::{Local, Slot};
pub use classes::LARGEST;
use classes::{CLASSES, Origin, batch, origin};
use core::alloc::{GlobalAlloc, Layout};
use core::mem;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use slab::Chain;
use sync::preempt::{self, PreemptGuard};

#[cfg(target_os = "none")]
#[global_allocator]
static HEAP: KernelHeap = KernelHeap;

/// The shared part counts who wants the objects to stay.
static CACHES: Local<[Chain; CLASSES], AtomicUsize> = Local::new(
    [const { Slot::new([Chain::EMPTY; CLASSES], AtomicUsize::new(0)) }; crate::cpu::MAX],
);

/// The kernel heap. There is one; the values of this type all mean it.
pub struct KernelHeap;

// SAFETY: 1. `origin` gives memory that is large and aligned enough, and gives
// the same for the same layout, so that memory goes back where it came from.
// 2. Memory is out once: a chain or slab gives each object away when it hands
// it out. 3. Nothing here unwinds.
unsafe impl GlobalAlloc for KernelHeap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match origin(layout) {
            Origin::Class(class) => {
                let object = CACHES.with(|chains, _| chains[class].pop());
                match object {
                    Some(object) => object.as_ptr().cast(),
                    None => refill(class),
                }
            }
            Origin::Block(order) => alloc_block(order),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match origin(layout) {
            Origin::Class(class) => {
                // SAFETY: memory handed out is not null.
                let object = unsafe { NonNull::new_unchecked(memory) }.cast();
                let length = CACHES.with(|chains, _| {
                    // SAFETY: the caller gives the object up.
                    unsafe { chains[class].push(object) };
                    chains[class].length
                });
                if length > 2 * batch(class) {
                    drain(class);
                }
            }
            Origin::Block(order) => {
                let_go(1 << order);
                store::give_block(number_of(memory), order);
            }
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by this function's contract the new size is valid with the
        // old alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if origin(wanted) == origin(layout) {
            return memory;
        }
        // SAFETY: both layouts are valid; the two do not overlap; the shorter
        // length is inside both.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                new.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            new
        }
    }
}

/// Takes a batch from the slabs, one object of it for the caller.
#[cold]
#[inline(never)]
fn refill(class: usize) -> *mut u8 {
    let mut chain = Chain::EMPTY;
    if !slab::take(class, batch(class), &mut chain) {
        return null_mut();
    }
    let first = chain.pop();
    CACHES.with(|chains, _| {
        while let Some(object) = chain.pop() {
            // SAFETY: a free object of this class, moved from chain to chain.
            unsafe { chains[class].push(object) };
        }
    });
    first.map_or(null_mut(), |object| object.as_ptr().cast())
}

/// Gives a batch of this CPU's free objects back to the slabs.
#[cold]
#[inline(never)]
fn drain(class: usize) {
    let mut chain = Chain::EMPTY;
    CACHES.with(|chains, _| {
        for _ in 0..batch(class) {
            if let Some(object) = chains[class].pop() {
                // SAFETY: a free object of this class, moved from chain to chain.
                unsafe { chain.push(object) };
            }
        }
    });
    slab::give(class, usize::MAX, &mut chain);
}

/// While it lives, the thread stays on this CPU, and an object that it frees is
/// the next it is given of that size.
pub struct KeepObjects {
    _here: PreemptGuard,
}

/// See [`KeepObjects`].
#[must_use]
pub fn keep_objects() -> KeepObjects {
    let here = preempt::disable();
    CACHES.with(|_, keepers| keepers.fetch_add(1, Relaxed));
    KeepObjects { _here: here }
}

impl Drop for KeepObjects {
    fn drop(&mut self) {
        CACHES.with(|_, keepers| keepers.fetch_sub(1, Relaxed));
    }
}

/// Gives the free objects that the CPUs keep back to the slabs.
pub(super) fn free_spares() {
    for slot in CACHES.slots() {
        let mut chains = slot.with(|chains, keepers| match keepers.load(Relaxed) {
            0 => mem::replace(chains, [Chain::EMPTY; CLASSES]),
            _ => [Chain::EMPTY; CLASSES],
        });
        for (class, chain) in chains.iter_mut().enumerate() {
            slab::give(class, usize::MAX, chain);
        }
    }
}

#[inline(never)]
fn alloc_block(order: usize) -> *mut u8 {
    let Some(block) = store::take_block(order, true) else {
        return null_mut();
    };
    hold(1 << order);
    pointer(block)
}
