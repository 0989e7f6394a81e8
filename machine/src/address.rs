//! The layout of the virtual address space: what the kernel half holds where,
//! and where the user half ends.
//!
//! Every top-level entry of the kernel half is filled in at boot and never
//! changes afterwards, so all address spaces share it by copying those entries.

/// Bytes in a page and in a frame.
pub const PAGE_SIZE: usize = 4096;

/// First address that is not the user's. One page short of the canonical
/// hole, so that the address after a system call instruction is canonical.
pub const USER_END: usize = 0x7fff_ffff_f000;

/// All physical memory is mapped here, never executable.
pub const DIRECT_MAP: usize = 0xffff_8000_0000_0000;

/// Kernel stacks, each with an unmapped guard below it.
pub const KERNEL_STACKS: usize = 0xffff_c000_0000_0000;

/// Device registers, mapped uncached.
pub const DEVICES: usize = 0xffff_d000_0000_0000;

/// The kernel image is linked at this address plus its physical address.
pub const KERNEL_IMAGE: usize = 0xffff_ffff_8000_0000;

/// Where the direct map shows the physical address `physical`.
#[must_use]
pub const fn direct(physical: usize) -> usize {
    DIRECT_MAP + physical
}
