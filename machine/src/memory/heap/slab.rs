//! Slabs: frames cut into objects of one class, each class behind its lock
//! (`Heap`). A slab's record counts the objects that are out and knows the
//! first free one; free objects are linked through their first word.
//!
//! A slab is on its class's list while it has a free object, and goes back to
//! the frames when all are.

use super::classes::{CLASSES, SIZES};
use crate::address::PAGE_SIZE;
use crate::memory::frames::meta::{Kind, List, Meta};
use crate::memory::frames::{hold, let_go, metas, number_of, pointer, store};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::Ordering::Relaxed;
use sync::{SpinLock, rank};

/// A free object; its memory holds the link to the next one.
pub(super) struct FreeObject {
    pub(super) next: *mut FreeObject,
}

/// A chain of free objects, ended by null.
pub(super) struct Chain {
    pub(super) head: *mut FreeObject,
    pub(super) length: usize,
}

// SAFETY: free objects belong to whoever holds the chain.
unsafe impl Send for Chain {}

impl Chain {
    pub(super) const EMPTY: Self = Self {
        head: null_mut(),
        length: 0,
    };

    #[inline]
    pub(super) fn pop(&mut self) -> Option<NonNull<FreeObject>> {
        let object = NonNull::new(self.head)?;
        // SAFETY: the chain's objects are free and hold their links.
        self.head = unsafe { object.as_ref().next };
        self.length -= 1;
        Some(object)
    }

    /// # Safety
    /// `object` is free memory of the chain's class, given up to the chain.
    #[inline]
    pub(super) unsafe fn push(&mut self, object: NonNull<FreeObject>) {
        // SAFETY: by this function's contract.
        unsafe { object.as_ptr().write(FreeObject { next: self.head }) };
        self.head = object.as_ptr();
        self.length += 1;
    }
}

/// Slabs of one class that have a free object.
#[repr(align(64))]
struct Class(SpinLock<List, rank::Heap>);

static PARTIAL: [Class; CLASSES] = [const { Class(SpinLock::new(List::new())) }; CLASSES];

/// No free object: no object starts there.
const FULL: u32 = 0xffff;

/// Objects that are out, and the offset of the first free one.
fn state(meta: &Meta) -> (u32, u32) {
    let count = meta.count.load(Relaxed);
    (count & 0xffff, count >> 16)
}

fn set_state(meta: &Meta, out: u32, first: u32) {
    meta.count.store(out | first << 16, Relaxed);
}

/// Moves up to `wanted` objects of `class` into `chain`. False if there is
/// none, and no frame for more.
pub(super) fn take(class: usize, wanted: usize, chain: &mut Chain) -> bool {
    let metas = metas();
    let mut partial = PARTIAL[class].0.lock();
    for _ in 0..wanted {
        let Some(slab) = partial.first().or_else(|| new_slab(class, &mut partial)) else {
            break;
        };
        let meta = &metas[slab as usize];
        let (out, first) = state(meta);
        // SAFETY: a slab on the list has a free object at `first`, which is
        // an offset within its frame.
        let object = unsafe { pointer(slab).add(first as usize) }.cast::<FreeObject>();
        // SAFETY: the object is free and holds its link.
        let next = unsafe { (*object).next };
        let next_offset = if next.is_null() {
            FULL
        } else {
            next.addr() as u32 % PAGE_SIZE as u32
        };
        set_state(meta, out + 1, next_offset);
        if next_offset == FULL {
            partial.remove(metas, slab);
        }
        // SAFETY: the object was taken off the slab, and is not null.
        unsafe { chain.push(NonNull::new_unchecked(object)) };
    }
    chain.length > 0
}

/// Gives the first `count` objects of `chain` back to their slabs.
pub(super) fn give(class: usize, count: usize, chain: &mut Chain) {
    let metas = metas();
    let mut partial = PARTIAL[class].0.lock();
    for _ in 0..count {
        let Some(object) = chain.pop() else { return };
        let slab = number_of(object.as_ptr().cast());
        let meta = &metas[slab as usize];
        debug_assert!(meta.is(Kind::Slab) && meta.class() == class);
        let (out, first) = state(meta);
        if out == 1 {
            if first != FULL {
                partial.remove(metas, slab);
            }
            meta.set(Kind::Taken, 0);
            let_go(1);
            store::give_block(slab, 0);
            continue;
        }
        let next = if first == FULL {
            partial.push(metas, slab);
            null_mut()
        } else {
            // SAFETY: an offset within the slab's frame.
            unsafe { pointer(slab).add(first as usize) }.cast()
        };
        // SAFETY: the object is free; the slab takes it.
        unsafe { object.as_ptr().write(FreeObject { next }) };
        set_state(
            meta,
            out - 1,
            object.as_ptr().addr() as u32 % PAGE_SIZE as u32,
        );
    }
}

/// Makes a frame a slab of `class`, all objects free, and lists it.
fn new_slab(class: usize, partial: &mut List) -> Option<u32> {
    let metas = metas();
    let slab = store::take_block(0, true)?;
    hold(1);
    let size = SIZES[class];
    let start = pointer(slab);
    let mut next = null_mut();
    for index in (0..PAGE_SIZE / size).rev() {
        // SAFETY: the object lies within the frame, which is this slab's own.
        unsafe {
            let object = start.add(index * size).cast::<FreeObject>();
            object.write(FreeObject { next });
            next = object;
        }
    }
    let meta = &metas[slab as usize];
    meta.set(Kind::Slab, class);
    set_state(meta, 0, 0);
    partial.push(metas, slab);
    Some(slab)
}
