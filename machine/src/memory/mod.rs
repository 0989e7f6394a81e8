//! Memory: frames, the kernel heap, page tables, translations cached by CPUs,
//! and copies from and to user memory.
//!
//! | module | holds | lock |
//! |---|---|---|
//! | [`frames`] | which physical page is free, who counts on it | `Frames`, and one cache a CPU |
//! | [`heap`] | small kernel objects, cut from frames | `Heap`, and one cache a CPU |
//! | [`page_table`] | what an address space maps | `PageTableLeaf`, one for each lowest table |
//! | [`tlb`] | who may still hold an old translation | `Shootdown` of the page table |
//! | [`copy`] | the only code that touches user memory | none |
//!
//! Nothing here is called from interrupt handlers, except [`tlb::answer`].

pub mod copy;
pub mod frames;
pub mod heap;
pub(crate) mod local;
pub mod page_table;
pub mod tlb;

pub use crate::task::OutOfMemory;

/// Makes what the CPUs keep for their next uses free for all: of objects,
/// tables, stacks and frames. Whether that gave any. The caller holds no spin
/// lock, for it waits for the other CPUs.
pub fn gather() -> bool {
    let before = frames::store::free_in_pool();
    heap::free_spares();
    page_table::free_spares();
    crate::arch::task::free_spares();
    frames::store::gather();
    frames::store::free_in_pool() > before
}
