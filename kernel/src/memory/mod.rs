//! Memory as programs see it: address spaces, and access to their data for
//! system calls.
//!
//! | file | holds |
//! |---|---|
//! | `regions` | which addresses are mapped, with which rights (pure logic) |
//! | `space` | [`Space`]: the regions, the page table, the heap's bounds |
//! | `fault` | page faults: zeroed pages, copies, the growing stack |
//! | `map` | mmap, munmap, mprotect, madvise |
//! | `heap` | the break |
//! | `fork` | duplicating a space |
//! | `populate` | writing into a space that need not be the running one |
//! | [`user`] | values and strings of the running program, for calls |
//!
//! Lock: `Space`, a readers-writer lock around a space's regions. Page faults
//! read; whatever changes regions, or many pages at once, writes.

mod fault;
mod fork;
mod heap;
mod map;
mod populate;
mod regions;
mod space;
pub mod user;

pub use fault::FaultError;
pub(crate) use map::pages;
pub use map::{Placement, Sort};
pub(crate) use space::LOWEST;
pub use space::Space;
