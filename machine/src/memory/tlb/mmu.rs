//! The three instructions that tell the CPU about translations.

/// Forgets the translation of one page on this CPU.
#[inline]
pub(super) fn forget_page(address: usize) {
    #[cfg(target_os = "none")]
    // SAFETY: forgetting a translation never makes one wrong.
    unsafe {
        core::arch::asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    host::forget_page(address);
}

/// Loads the root table at physical address `root`, and forgets all
/// translations of the user half.
///
/// # Safety
/// The root maps the kernel as it is, and stays a root while it is loaded.
#[inline]
pub(super) unsafe fn load(root: usize) {
    #[cfg(target_os = "none")]
    // SAFETY: the kernel half does not change, by this function's contract.
    unsafe {
        core::arch::asm!("mov cr3, {}", in(reg) root, options(nostack, preserves_flags));
    }
    #[cfg(not(target_os = "none"))]
    host::load(root);
}

/// Makes the CPUs of `mask` call [`super::answer`] soon.
pub(super) fn interrupt(mask: u32) {
    #[cfg(target_os = "none")]
    crate::arch::ipi::shootdown(u64::from(mask));
    #[cfg(not(target_os = "none"))]
    host::interrupt(mask);
}

/// What stands in for the translation cache of a CPU on the host: the pages
/// that user copies went through, per CPU number.
#[cfg(not(target_os = "none"))]
pub(in crate::memory) mod host {
    use crate::cpu;
    use crate::memory::page_table::Rights;
    use core::sync::atomic::{AtomicU32, Ordering};
    use std::collections::HashMap;
    use std::sync::Mutex;

    type Cached = HashMap<usize, (u32, Rights)>;
    static CACHES: [Mutex<Option<Cached>>; cpu::MAX] = [const { Mutex::new(None) }; cpu::MAX];

    /// CPUs that were interrupted and have not taken it.
    static INTERRUPTED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn interrupt(mask: u32) {
        INTERRUPTED.fetch_or(mask, Ordering::SeqCst);
    }

    /// Takes the interrupt of this CPU, if there is one.
    pub(in crate::memory) fn take_interrupt() {
        let bit = 1 << cpu::id();
        if INTERRUPTED.fetch_and(!bit, Ordering::SeqCst) & bit != 0 {
            super::super::answer();
        }
    }

    fn with<R>(act: impl FnOnce(&mut Cached) -> R) -> R {
        let mut cache = CACHES[cpu::id()]
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        act(cache.get_or_insert_default())
    }

    pub(super) fn forget_page(address: usize) {
        with(|cache| cache.remove(&(address >> 12)));
    }

    pub(super) fn load(_root: usize) {
        with(HashMap::clear);
    }

    /// The translation of a page: the one the CPU still has, or else what
    /// `walk` finds.
    pub(in crate::memory) fn translate(
        page: usize,
        walk: impl FnOnce() -> Option<(u32, Rights)>,
    ) -> Option<(u32, Rights)> {
        with(|cache| {
            if let Some(&found) = cache.get(&page) {
                return Some(found);
            }
            let found = walk()?;
            cache.insert(page, found);
            Some(found)
        })
    }
}
