//! [`Frame`]: a counted reference to one physical page.

use super::{fill, metas, pointer, store};
use crate::address::PAGE_SIZE;
use core::fmt;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU64, Ordering, fence};

/// A counted reference to one physical page of [`PAGE_SIZE`] bytes. The page
/// is free again when its last reference is dropped.
///
/// A frame's bytes are like a device's: user programs and other references
/// may change them at any time, so they are only ever copied in and out.
pub struct Frame(NonZeroU32);

impl Frame {
    /// A frame of its own, with whatever it held before. None if memory is
    /// used up, but for what is kept for the kernel's own objects.
    #[must_use]
    #[inline]
    pub fn alloc() -> Option<Self> {
        let number = store::take()?;
        // Nobody else knows the frame yet.
        metas()[number.get() as usize]
            .count
            .store(1, Ordering::Relaxed);
        Some(Self(number))
    }

    /// A frame of its own, filled with zeroes.
    #[must_use]
    #[inline]
    pub fn alloc_zeroed() -> Option<Self> {
        let frame = Self::alloc()?;
        // SAFETY: the frame is this reference's own, and whole.
        unsafe { fill::zero(frame.pointer()) };
        Some(frame)
    }

    /// Another reference to the same page.
    #[must_use]
    #[inline]
    pub fn share(&self) -> Self {
        self.meta().count.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }

    /// This is the only reference. Stays true while the caller holds whatever
    /// keeps others from this reference.
    #[must_use]
    #[inline]
    pub fn is_unique(&self) -> bool {
        // Acquire: what the others did before they let go is seen.
        self.meta().count.load(Ordering::Acquire) == 1
    }

    /// Both refer to the same page.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Overwrites the page with what `other` holds.
    #[inline]
    pub fn copy_from(&self, other: &Self) {
        if !self.is_same(other) {
            // SAFETY: both are whole frames, held by references, and not the same.
            unsafe { fill::copy(self.pointer(), other.pointer()) };
        }
    }

    /// Copies out the bytes from `offset` on. Panics if they leave the page.
    #[inline]
    pub fn read(&self, offset: usize, bytes: &mut [u8]) {
        check(offset, bytes.len());
        // SAFETY: the range was checked; `bytes` is no frame's memory, as
        // those are never borrowed.
        unsafe {
            fill::copy_bytes(bytes.as_mut_ptr(), self.pointer().add(offset), bytes.len());
        }
    }

    /// Copies `bytes` to `offset`. Panics if they leave the page.
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        check(offset, bytes.len());
        // SAFETY: as for `read`.
        unsafe { fill::copy_bytes(self.pointer().add(offset), bytes.as_ptr(), bytes.len()) };
    }

    /// Sets `length` bytes from `offset` on. Panics if they leave the page.
    pub fn fill(&self, offset: usize, length: usize, byte: u8) {
        check(offset, length);
        // SAFETY: the range was checked.
        unsafe { self.pointer().add(offset).write_bytes(byte, length) };
    }

    /// Stores a word at `offset`, a multiple of 8: who reads there sees all of it
    /// or nothing. Panics if it leaves the page.
    pub fn store(&self, offset: usize, word: u64) {
        check(offset, size_of::<u64>());
        assert!(offset.is_multiple_of(align_of::<AtomicU64>()));
        // SAFETY: the range was checked, and is aligned; frames are never borrowed.
        let place = unsafe { &*self.pointer().add(offset).cast::<AtomicU64>() };
        place.store(word, Ordering::Release);
    }

    /// The physical address, for devices.
    #[must_use]
    pub fn physical(&self) -> usize {
        self.0.get() as usize * PAGE_SIZE
    }

    /// The number of the frame, for a page table entry that takes over the reference.
    pub(in crate::memory) fn into_number(self) -> u32 {
        let number = self.0.get();
        core::mem::forget(self);
        number
    }

    /// # Safety
    /// The number comes from [`Frame::into_number`], and is taken back once.
    pub(in crate::memory) unsafe fn from_number(number: u32) -> Self {
        Self(NonZeroU32::new(number).expect("frame 0 is never handed out"))
    }

    /// Where the kernel sees the page.
    #[inline]
    pub(in crate::memory) fn pointer(&self) -> *mut u8 {
        pointer(self.0.get())
    }

    #[inline]
    fn meta(&self) -> &'static super::meta::Meta {
        &metas()[self.0.get() as usize]
    }
}

#[inline]
fn check(offset: usize, length: usize) {
    assert!(
        offset <= PAGE_SIZE && length <= PAGE_SIZE - offset,
        "bytes outside the frame"
    );
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        let count = &self.meta().count;
        // The only reference cannot be joined by another: no locked operation.
        if count.load(Ordering::Acquire) != 1 {
            if count.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            fence(Ordering::Acquire);
        }
        store::give(self.0);
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:#x})", self.physical())
    }
}
