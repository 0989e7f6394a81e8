//! Variables that each thread has for itself.

use super::block::{self, Block};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering::*};

/// A static of this type is another variable in each thread, made at its first
/// use there and dropped when the thread exits.
pub struct Local<T: 'static> {
    /// Its place in each thread's slots, plus one; 0 before the first use.
    slot: AtomicUsize,
    make: fn() -> T,
    kind: PhantomData<fn() -> T>,
}

/// A thread's values: address, and how to drop what is there.
#[derive(Debug)]
pub struct Slots(Vec<(usize, fn(usize))>);

impl Slots {
    pub const fn new() -> Slots {
        Slots(Vec::new())
    }
}

fn nothing(_: usize) {}

impl<T: 'static> Local<T> {
    pub const fn new(make: fn() -> T) -> Self {
        Local {
            slot: AtomicUsize::new(0),
            make,
            kind: PhantomData,
        }
    }

    /// Lends the calling thread's value.
    ///
    /// # Panics
    /// In a thread that the library has not made.
    pub fn with<R>(&'static self, action: impl FnOnce(&T) -> R) -> R {
        let block = block::own().expect("a thread of the library");
        let slot = self.slot();
        // SAFETY: only the thread itself gets at its slots, and no reference to
        // them is held while `make` or `action` runs.
        let found = unsafe { (&*block.locals.get()).0.get(slot).map_or(0, |s| s.0) };
        let value = if found != 0 {
            found as *const T
        } else {
            self.put(block, slot)
        };
        // SAFETY: the value stays until the thread exits.
        action(unsafe { &*value })
    }

    fn slot(&self) -> usize {
        static SLOTS: AtomicUsize = AtomicUsize::new(0);
        if self.slot.load(Relaxed) == 0 {
            let new = SLOTS.fetch_add(1, Relaxed) + 1;
            // If another thread was first, its slot counts and ours stays unused.
            let _ = self.slot.compare_exchange(0, new, Relaxed, Relaxed);
        }
        self.slot.load(Relaxed) - 1
    }

    fn put(&self, block: &Block, slot: usize) -> *const T {
        let value = Box::into_raw(Box::new((self.make)()));
        // SAFETY: as in `with`.
        let slots = unsafe { &mut (*block.locals.get()).0 };
        if slots.len() <= slot {
            slots.resize(slot + 1, (0, nothing as fn(usize)));
        }
        slots[slot] = (value as usize, |address| {
            // SAFETY: made by this very function, dropped once.
            drop(unsafe { Box::from_raw(address as *mut T) });
        });
        value
    }
}

/// Drops the values of a thread that exits; those that destructors make anew
/// are dropped in another round.
pub fn drop_all(block: &Block) {
    loop {
        // SAFETY: only the thread itself gets at its slots.
        let slots = unsafe { core::mem::take(&mut (*block.locals.get()).0) };
        if slots.is_empty() {
            return;
        }
        for (address, drop_value) in slots {
            if address != 0 {
                drop_value(address);
            }
        }
    }
}
