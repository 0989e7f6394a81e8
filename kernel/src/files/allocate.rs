//! Allocation whose failure is an error to the caller.
//!
//! Collections grow through `try_reserve`. What stable Rust lacks are a
//! fallible `Arc::new` and `Box::new`; [`try_arc`] and [`try_box`] stand in: they
//! ask the heap for a block of the same size, give it back, and build what is
//! wanted before anything else can take it: see
//! [`machine::memory::heap::KeepObjects`].

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::hash::Hash;
use core::hint::black_box;

use abi::Errno;
use hashbrown::HashMap;
use machine::frames;
use machine::memory::heap::{KeepObjects, LARGEST, keep_objects};

/// Whether files and full pipes may take more memory: a sixteenth of it stays
/// for everything else, so that a full file system is no more than that.
pub fn memory_to_spare() -> bool {
    memory_for(0)
}

/// The same for a number of frames.
pub fn memory_for(pages: usize) -> bool {
    frames::may_have(pages.saturating_add(kept_frames()))
}

/// How many more frames files may take.
pub fn spare_frames() -> usize {
    frames::free_count().saturating_sub(kept_frames())
}

/// What files leave to everything else.
fn kept_frames() -> usize {
    frames::total_count() / 16
}

/// What an `Arc` allocates: the two counts before the value.
#[repr(C)]
struct ArcBlock<T> {
    strong: usize,
    weak: usize,
    value: T,
}

/// `Arc::new`, or ENOMEM. The value is dropped on failure.
pub fn try_arc<T>(value: T) -> Result<Arc<T>, Errno> {
    let _kept = keep_room_for::<ArcBlock<T>>()?;
    Ok(Arc::new(value))
}

/// `Arc::new_cyclic`, or ENOMEM.
pub fn try_arc_cyclic<T>(make: impl FnOnce(&Weak<T>) -> T) -> Result<Arc<T>, Errno> {
    let kept = keep_room_for::<ArcBlock<T>>()?;
    Ok(Arc::new_cyclic(|value| {
        // The block is taken; what is made may sleep.
        drop(kept);
        make(value)
    }))
}

/// `Box::new`, or ENOMEM. The value is dropped on failure.
pub fn try_box<T>(value: T) -> Result<Box<T>, Errno> {
    let _kept = keep_room_for::<T>()?;
    Ok(Box::new(value))
}

/// While it lives, the next block of this size is there. ENOMEM.
fn keep_room_for<B>() -> Result<KeepObjects, Errno> {
    const { assert!(size_of::<B>() <= LARGEST, "what is larger is not kept") };
    let kept = keep_objects();
    // The compiler may drop an allocation that it sees unused.
    drop(black_box(try_vec::<B>(1)?));
    Ok(kept)
}

/// An empty vector with room for `length` elements, or ENOMEM.
pub fn try_vec<T>(length: usize) -> Result<Vec<T>, Errno> {
    let mut vector = Vec::new();
    vector
        .try_reserve_exact(length)
        .map_err(|_| Errno::ENOMEM)?;
    Ok(vector)
}

/// Gives back room that `vector` has for far more than is in it and `further`
/// elements, if there is memory for a smaller one.
pub fn try_shrink<T>(vector: &mut Vec<T>, further: usize) {
    let length = vector.len() + further;
    if vector.capacity() > 4 * length.max(16)
        && let Ok(mut smaller) = try_vec(length)
    {
        smaller.append(vector);
        *vector = smaller;
    }
}

/// The same for a map.
pub fn try_shrink_map<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > 4 * map.len().max(16) {
        let mut smaller = HashMap::new();
        if smaller.try_reserve(map.len()).is_ok() {
            smaller.extend(map.drain());
            *map = smaller;
        }
    }
}

/// A copy of `bytes` on the heap, or ENOMEM.
pub fn try_bytes(bytes: &[u8]) -> Result<Box<[u8]>, Errno> {
    let mut copy = try_vec(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy.into_boxed_slice())
}

/// Zeroed bytes on the heap, or ENOMEM.
pub fn try_zeroed(length: usize) -> Result<Box<[u8]>, Errno> {
    let mut bytes = try_vec(length)?;
    bytes.resize(length, 0);
    Ok(bytes.into_boxed_slice())
}
