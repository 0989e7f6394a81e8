//! What the kernel knows about each frame: sixteen bytes, in an array by frame
//! number that lies in memory of its own.
//!
//! The fields are atomic only so that they can be shared; each is guarded by
//! whoever owns the frame at the moment (the buddy's lock, a slab's lock, the
//! lock of a page table), except `count`, which is free for all.

use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Says that there is no frame. Frame 0 is never handed out.
pub(in crate::memory) const NONE: u32 = 0;

/// What a frame is at the moment, as far as others need to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(in crate::memory) enum Kind {
    /// Handed out, or not memory at all.
    Taken = 0,
    /// The head of a free block of the buddy.
    Free = 1,
    /// Cut into kernel objects.
    Slab = 2,
}

/// The record of one frame.
#[repr(C)]
#[derive(Default)]
pub(in crate::memory) struct Meta {
    /// References to a frame that is handed out; objects in use of a slab.
    pub(in crate::memory) count: AtomicU32,
    kind: AtomicU16,
    /// The order of a free block; the size class of a slab.
    pub(in crate::memory) class: AtomicU16,
    /// Neighbours in the list the frame is on. A page table keeps other
    /// things here, so both words can be taken as one.
    links: AtomicU64,
}

impl Meta {
    pub(in crate::memory) fn is(&self, kind: Kind) -> bool {
        self.kind.load(Relaxed) == kind as u16
    }

    pub(in crate::memory) fn set(&self, kind: Kind, class: usize) {
        self.kind.store(kind as u16, Relaxed);
        self.class.store(class as u16, Relaxed);
    }

    pub(in crate::memory) fn class(&self) -> usize {
        usize::from(self.class.load(Relaxed))
    }

    pub(in crate::memory) fn word(&self) -> u64 {
        self.links.load(Relaxed)
    }

    pub(in crate::memory) fn set_word(&self, word: u64) {
        self.links.store(word, Relaxed);
    }

    pub(in crate::memory) fn next(&self) -> u32 {
        self.word() as u32
    }

    pub(in crate::memory) fn previous(&self) -> u32 {
        (self.word() >> 32) as u32
    }

    pub(in crate::memory) fn set_next(&self, next: u32) {
        self.set_word(self.word() & !0xffff_ffff | u64::from(next));
    }

    pub(in crate::memory) fn set_previous(&self, previous: u32) {
        self.set_word(self.word() & 0xffff_ffff | u64::from(previous) << 32);
    }
}

/// A list of frames, linked through their records.
#[derive(Clone, Copy)]
pub(in crate::memory) struct List {
    head: u32,
}

impl List {
    pub(in crate::memory) const fn new() -> Self {
        Self { head: NONE }
    }

    pub(in crate::memory) fn is_empty(self) -> bool {
        self.head == NONE
    }

    pub(in crate::memory) fn first(self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(in crate::memory) fn push(&mut self, metas: &[Meta], number: u32) {
        metas[number as usize].set_word(u64::from(self.head));
        if self.head != NONE {
            metas[self.head as usize].set_previous(number);
        }
        self.head = number;
    }

    pub(in crate::memory) fn remove(&mut self, metas: &[Meta], number: u32) {
        let meta = &metas[number as usize];
        let (previous, next) = (meta.previous(), meta.next());
        if next != NONE {
            metas[next as usize].set_previous(previous);
        }
        if previous == NONE {
            self.head = next;
        } else {
            metas[previous as usize].set_next(next);
        }
    }
}
