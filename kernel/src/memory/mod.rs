//! Memory as programs see it: address spaces, and access to their data for
//! system calls.
//!
//! | file | holds |
//! |---|---|
//! | `regions` | which addresses are mapped, with which rights (pure logic) |
//! | `space` | [`Space`]: the regions, the page table, the heap's bounds |
//! | `fault` | page faults: zeroed pages, copies, the growing stack |
//! | `file_fault` | those on mapped files |
//! | `mapping` | a mapping of a file, as the file's cache knows it |
//! | `map` | mmap, munmap, mprotect, madvise |
//! | `attached` | segments of shared memory |
//! | `remap` | mremap |
//! | `locked` | mlock and its kin, mincore |
//! | `heap` | the break |
//! | `limits` | how much may be mapped |
//! | [`vdso`] | the code that programs borrow |
//! | `room` | what is done when no frame is left |
//! | `fork` | duplicating a space |
//! | `populate` | writing into a space that need not be the running one |
//! | `show` | what others may see of a space, for `/proc` |
//! | [`user`] | values and strings of the running program, for calls |
//!
//! Lock: `Space`, a readers-writer lock around a space's regions. Page faults
//! read; whatever changes regions, or many pages at once, writes.

mod attached;
mod fault;
mod file_fault;
mod fork;
mod heap;
mod limits;
mod locked;
mod map;
mod mapping;
mod populate;
mod regions;
mod remap;
mod room;
mod show;
mod space;
pub mod user;
pub mod vdso;

pub use fault::FaultError;
pub use heap::Pages;
pub use limits::Limits;
pub(crate) use map::pages;
pub use map::{Placement, Sort};
pub use mapping::FileRange;
pub use regions::Lock;
pub use remap::Move;
pub use room::{gather, with_room};
pub use show::{Program, Shown, ShownRegion, Usage};
pub(crate) use space::LOWEST;
pub use space::{Space, Tenant};
