//! The upper half of every root table: the kernel's, the same in all.
//!
//! Roots that were emptied are kept by each CPU with the upper half in place.

use super::table::{ENTRIES, Table};
use crate::address::PAGE_SIZE;
use crate::memory::frames::Frame;
use crate::memory::local::{Local, Slot};
use arrayvec::ArrayVec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const KERNEL_HALF: core::ops::Range<usize> = ENTRIES / 2..ENTRIES;

/// Emptied roots that a CPU keeps.
const SPARE: usize = 4;
static SPARES: Local<[u32; SPARE], AtomicUsize> =
    Local::new([const { Slot::new([0; SPARE], AtomicUsize::new(0)) }; crate::cpu::MAX]);

/// Physical address of the root that maps only the kernel; 0 on the host,
/// which needs none.
pub(in crate::memory) fn kernel_root() -> usize {
    #[cfg(target_os = "none")]
    return crate::arch::paging::root();
    #[cfg(not(target_os = "none"))]
    0
}

/// A root that maps only the kernel.
pub(super) fn new_root() -> Option<Table> {
    let spare = SPARES.with(|roots, length| {
        let last = length.load(Relaxed).wrapping_sub(1);
        let number = *roots.get(last)?;
        length.store(last, Relaxed);
        Some(Table::from_number(number))
    });
    if spare.is_some() {
        return spare;
    }
    let root = Table::adopt(Frame::alloc_zeroed()?);
    let kernel = kernel_root();
    if kernel != 0 {
        let kernel = Table::from_number((kernel / PAGE_SIZE) as u32);
        for index in KERNEL_HALF {
            root.replace(index, kernel.get(index));
        }
    }
    Some(root)
}

/// Gives back a root whose lower half is empty.
///
/// # Safety
/// As for [`Table::free`].
pub(super) unsafe fn free_root(root: Table) {
    let kept = SPARES.with(|roots, length| {
        let count = length.load(Relaxed);
        let Some(slot) = roots.get_mut(count) else {
            return false;
        };
        *slot = root.number();
        length.store(count + 1, Relaxed);
        true
    });
    if !kept {
        // SAFETY: passed on to the caller. As a frame it may hold anything.
        drop(unsafe { root.into_frame() });
    }
}

/// Frees the emptied roots that the CPUs keep.
pub(super) fn free_spare_roots() {
    for slot in SPARES.slots() {
        let taken: ArrayVec<u32, SPARE> = slot.with(|roots, length| {
            let count = length.swap(0, Relaxed);
            roots.iter().copied().take(count).collect()
        });
        for number in taken {
            // SAFETY: passed on from the caller of `free_root`.
            drop(unsafe { Table::from_number(number).into_frame() });
        }
    }
}

/// Frames in the caches of emptied roots. A snapshot.
pub(super) fn spare_roots() -> usize {
    SPARES.shared().map(|length| length.load(Relaxed)).sum()
}
