//! What each CPU has loaded, and how it comes to load another page table.
//!
//! A CPU that runs no thread of any space is at rest: it keeps the page table
//! it has, as the next thread is often of the same space, but is not told of
//! changes; it finds out by the generation when it leaves rest. The store to
//! `resting` and the load of the generation here, and the store to the
//! generation and the load of `resting` in the shootdown, are sequentially
//! consistent: at least one side sees the other.

use super::mmu;
use super::shootdown::Holders;
use crate::cpu::{self, PerCpu};
use crate::memory::page_table::{PageTable, kernel_root};
use alloc::sync::Arc;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use sync::{interrupts, preempt};

/// Written by its own CPU only.
pub(super) struct View {
    /// The page table this CPU has loaded, with a count that the CPU owns.
    pub(super) table: AtomicPtr<PageTable>,
    pub(super) resting: AtomicBool,
    /// Up to which generation of `table` this CPU has forgotten.
    pub(super) seen: AtomicU64,
}

static VIEWS: PerCpu<View> = PerCpu::new(
    [const {
        View {
            table: AtomicPtr::new(null_mut()),
            resting: AtomicBool::new(false),
            seen: AtomicU64::new(0),
        }
    }; cpu::MAX],
);

pub(super) fn of(cpu: usize) -> &'static View {
    VIEWS.of(cpu)
}

/// This CPU's view. Preemption is off.
#[inline]
pub(super) fn here() -> &'static View {
    VIEWS.of(cpu::id())
}

/// Loads `table` on this CPU and leaves rest. No spin lock may be held, as the
/// page table loaded before may go with this.
#[inline]
pub(in crate::memory) fn activate(table: &Arc<PageTable>) {
    let pinned = preempt::disable();
    let view = here();
    if view.table.load(Ordering::Relaxed).cast_const() != Arc::as_ptr(table) {
        drop(pinned);
        return switch(Some(table));
    }
    if !view.resting.load(Ordering::Relaxed) {
        return;
    }
    view.resting.store(false, Ordering::SeqCst);
    if table.holders.generation() != view.seen.load(Ordering::Relaxed) {
        catch_up(view, table);
    }
}

/// This CPU runs no thread of any space from here on. It keeps what it has
/// loaded, but is told of no changes.
#[inline]
pub fn leave() {
    let _pinned = preempt::disable();
    // Release: what the CPU did with user memory comes before.
    here().resting.store(true, Ordering::Release);
}

/// Lets go of a page table whose space is gone. The idle loop calls it, with
/// no lock held.
#[inline]
pub fn shed() {
    let pinned = preempt::disable();
    let view = here();
    let table = view.table.load(Ordering::Relaxed);
    // SAFETY: the CPU owns a count on what it has loaded.
    let retired = unsafe { table.as_ref() }.is_some_and(|table| table.holders.is_retired());
    drop(pinned);
    if retired {
        switch(None);
    }
}

/// Forgets everything, up to the generation as it is now.
#[cold]
fn catch_up(view: &View, table: &PageTable) {
    let _uninterrupted = interrupts::off();
    let generation = table.holders.generation();
    // SAFETY: the table is loaded already, and the CPU owns a count on it.
    unsafe { mmu::load(table.root_physical()) };
    view.seen.store(generation, Ordering::SeqCst);
}

/// Loads another page table, or none but the kernel's.
fn switch(table: Option<&Arc<PageTable>>) {
    let uninterrupted = interrupts::off();
    let view = here();
    let bit = Holders::bit(cpu::id());
    let (new, root, generation) = match table {
        Some(table) => {
            assert!(
                !table.holders.is_retired(),
                "activated after its space went"
            );
            // Before the generation is read, so that whoever changes the table
            // after that sees this CPU.
            table.holders.join(bit);
            let new = Arc::into_raw(table.clone()).cast_mut();
            (new, table.root_physical(), table.holders.generation())
        }
        None => (null_mut(), kernel_root(), 0),
    };
    view.seen.store(generation, Ordering::Relaxed);
    let old = view.table.swap(new, Ordering::SeqCst);
    view.resting.store(false, Ordering::SeqCst);
    // SAFETY: the CPU owns a count on the page table from here on; the
    // kernel's own root lives for ever.
    unsafe { mmu::load(root) };
    if !old.is_null() {
        // SAFETY: the count of the CPU on what it had loaded, taken back once,
        // as `swap` took the pointer out.
        let old = unsafe { Arc::from_raw(old.cast_const()) };
        old.holders.part(bit);
        // Interrupts on first: it may be the last count.
        drop(uninterrupted);
        drop(old);
    }
}

/// Lets go of `table` if this CPU has it loaded.
pub(super) fn abandon(table: &PageTable) {
    let pinned = preempt::disable();
    let loaded = here().table.load(Ordering::Relaxed).cast_const();
    drop(pinned);
    // Preempted here, the CPU may be another; then `switch` costs a flush.
    if core::ptr::eq(loaded, table) {
        switch(None);
    }
}

/// Runs `act` with the page table this host CPU has loaded.
#[cfg(not(target_os = "none"))]
pub(super) fn with_loaded<R>(act: impl FnOnce(&PageTable) -> Option<R>) -> Option<R> {
    // SAFETY: the CPU owns a count, and only the calling thread is this CPU.
    unsafe { here().table.load(Ordering::Acquire).as_ref() }.and_then(act)
}
