//! The upper half of every root table: the kernel's, the same in all.
//!
//! Roots that were emptied are kept by each CPU with the upper half in place.

use super::spares::Spares;
use super::table::{ENTRIES, Table};
use crate::address::PAGE_SIZE;
use crate::memory::frames::Frame;

const KERNEL_HALF: core::ops::Range<usize> = ENTRIES / 2..ENTRIES;

/// Emptied roots.
static SPARES: Spares<4> = Spares::new();

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
    if let Some(number) = SPARES.take() {
        return Some(Table::from_number(number));
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
    if !SPARES.keep(root.number()) {
        // SAFETY: passed on to the caller. As a frame it may hold anything.
        drop(unsafe { root.into_frame() });
    }
}

/// Frees the emptied roots that the CPUs keep.
pub(super) fn free_spare_roots() {
    SPARES.take_all(|number| {
        // SAFETY: passed on from the caller of `free_root`.
        drop(unsafe { Table::from_number(number).into_frame() });
    });
}

/// Frames in the caches of emptied roots. A snapshot.
pub(super) fn spare_roots() -> usize {
    SPARES.count()
}
