//! Translations that CPUs keep: who has which page table loaded, and how all
//! are made to forget before a frame is used again.
//!
//! | file | holds |
//! |---|---|
//! | `view` | what each CPU has loaded; loading another, rest |
//! | `flush` | a batch of changes and the frames that wait for it |
//! | `shootdown` | making other CPUs forget (lock: `Shootdown`) |
//! | `extents` | which pages |
//! | `mmu` | the instructions |

mod extents;
mod flush;
pub(super) mod mmu;
mod shootdown;
#[cfg(test)]
mod tests;
mod view;

pub use flush::Flush;
pub(super) use shootdown::Holders;
pub use shootdown::answer;
pub(super) use shootdown::retire;
pub(super) use view::activate;
pub use view::{leave, shed};

/// Forgets one page on this CPU only.
pub(super) fn forget_here(address: usize) {
    mmu::forget_page(address);
}

#[cfg(not(target_os = "none"))]
pub(super) use mmu::host::take_interrupt;

/// The translation this host CPU uses for a page.
#[cfg(not(target_os = "none"))]
pub(super) fn translate(page: usize) -> Option<(u32, super::page_table::Rights)> {
    view::with_loaded(|table| {
        mmu::host::translate(page, || {
            let (number, rights) = table
                .existing_page(page * crate::address::PAGE_SIZE)?
                .translate();
            (rights != super::page_table::Rights::NONE).then_some((number, rights))
        })
    })
}
