//! Frames: the physical pages, who refers to them, and which are free.
//!
//! [`Frame`] is a counted reference to one page, [`Run`] owns several that lie
//! together. Free frames are in the pool (lock: `Frames`) or in the
//! caches of the CPUs (no lock). Some are kept back for the kernel's own
//! objects, so that user programs cannot make the kernel fail.

mod buddy;
#[cfg(test)]
mod buddy_tests;
mod fill;
mod frame;
pub(super) mod meta;
mod pool;
mod run;
pub(super) mod store;
#[cfg(test)]
mod tests;

pub use frame::Frame;
pub use run::Run;

use crate::address::PAGE_SIZE;
use core::ops::Range;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use meta::Meta;

/// The records of all frames, and how many records there are.
static RECORDS: AtomicPtr<Meta> = AtomicPtr::new(core::ptr::null_mut());
static RECORD_COUNT: AtomicUsize = AtomicUsize::new(0);
/// Frames that were ever free.
static TOTAL: AtomicUsize = AtomicUsize::new(0);
/// Frames that the kernel's own objects have, or are to have.
static RESERVE: AtomicUsize = AtomicUsize::new(0);
/// Frames that they have, and what counts as theirs.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Memory in frames of [`PAGE_SIZE`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Frames the kernel manages.
    pub total: usize,
    /// Frames that are free.
    pub free: usize,
}

/// Hands over all usable memory: physical ranges, in any order, that do not
/// overlap; partial pages are left out. The records of the frames are put at
/// the end of the first range that can hold them.
///
/// # Panics
/// If no range can hold the records.
///
/// # Safety
/// 1. Called once, before anything else here, on one CPU.
/// 2. The ranges are memory that nobody uses, now or later, and the direct map
///    (see [`pointer`]) shows all of it, writable.
pub unsafe fn init(ranges: &[Range<usize>]) {
    let whole = |range: &Range<usize>| {
        // Frame 0 stays out: its number means "none".
        let start = range.start.next_multiple_of(PAGE_SIZE).max(PAGE_SIZE);
        start..range.end & !(PAGE_SIZE - 1)
    };
    let top = ranges
        .iter()
        .map(|range| whole(range).end)
        .max()
        .unwrap_or(0);
    let records = top / PAGE_SIZE;
    let size = (records * size_of::<Meta>()).next_multiple_of(PAGE_SIZE);
    let home = ranges
        .iter()
        .position(|range| whole(range).len() > size)
        .expect("memory for the frame records");
    let address = whole(&ranges[home]).end - size;
    RECORD_COUNT.store(records, Ordering::Relaxed);
    RECORDS.store(
        pointer((address / PAGE_SIZE) as u32).cast(),
        Ordering::Release,
    );

    let usable = ranges.iter().enumerate().map(|(index, range)| {
        let range = whole(range);
        let end = if index == home { address } else { range.end };
        (
            (range.start / PAGE_SIZE) as u32,
            (end.max(range.start) / PAGE_SIZE) as u32,
        )
    });
    store::add(usable);
    let total = store::free_count();
    TOTAL.store(total, Ordering::Relaxed);
    RESERVE.store((total / 64).clamp(16, 4096), Ordering::Relaxed);
}

/// How much memory there is, and how much of it is free: a snapshot.
#[must_use]
pub fn stats() -> Stats {
    Stats {
        total: total_count(),
        free: free_count(),
    }
}

/// Frames the kernel manages.
#[must_use]
pub fn total_count() -> usize {
    TOTAL.load(Ordering::Relaxed)
}

/// Frames that are free, wherever they wait: a snapshot.
#[must_use]
pub fn free_count() -> usize {
    store::free_count() + super::page_table::spare_tables() + crate::arch::task::spare_frames()
}

/// `pages` frames may be had: a guess, without the frames in the CPUs' caches,
/// and no promise.
#[must_use]
pub fn may_have(pages: usize) -> bool {
    store::free_in_pool().saturating_sub(reserve()) >= pages
}

/// Counts `pages` frames as the kernel's own: they hold what nobody else can
/// be asked to give up.
pub fn hold(pages: usize) {
    HELD.fetch_add(pages, Ordering::Relaxed);
}

/// Takes back as much of [`hold`].
pub fn let_go(pages: usize) {
    HELD.fetch_sub(pages, Ordering::Relaxed);
}

/// Free frames below which only the kernel's own objects get some. What they
/// have already is part of the reserve, up to half of it: as long as they are
/// few, programs find as much memory however many there are.
fn reserve() -> usize {
    let whole = RESERVE.load(Ordering::Relaxed);
    whole - HELD.load(Ordering::Relaxed).min(whole / 2)
}

/// The records of all frames.
#[inline]
pub(super) fn metas() -> &'static [Meta] {
    let records = RECORDS.load(Ordering::Relaxed);
    debug_assert!(!records.is_null(), "frames used before init");
    // SAFETY: 1. `init` set both words once, from memory that is the records'
    // alone for ever. 2. Any bytes are a valid record. 3. Before `init` there
    // is nobody to call this.
    unsafe { core::slice::from_raw_parts(records, RECORD_COUNT.load(Ordering::Relaxed)) }
}

/// Where the kernel sees frame `number`: in the direct map.
#[cfg(target_os = "none")]
#[inline]
pub(super) fn pointer(number: u32) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(crate::address::direct(number as usize * PAGE_SIZE))
}

/// The frame that [`pointer`] shows at `pointer`, or a byte of it.
#[cfg(target_os = "none")]
pub(super) fn number_of(pointer: *mut u8) -> u32 {
    ((pointer.addr() - crate::address::DIRECT_MAP) / PAGE_SIZE) as u32
}

#[cfg(not(target_os = "none"))]
pub(super) fn number_of(pointer: *mut u8) -> u32 {
    ((pointer.addr() - arena::base()) / PAGE_SIZE) as u32
}

/// On the host, physical memory is an arena on the heap.
#[cfg(not(target_os = "none"))]
pub(super) fn pointer(number: u32) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(arena::base() + number as usize * PAGE_SIZE)
}

#[cfg(not(target_os = "none"))]
pub mod arena {
    //! Physical memory inside `cargo test`.

    use crate::address::PAGE_SIZE;
    use std::alloc::{Layout, alloc_zeroed};
    use std::sync::{Mutex, MutexGuard, Once, OnceLock};

    static BASE: OnceLock<usize> = OnceLock::new();
    const FRAMES: usize = 16 * 1024;

    /// Gives the frame allocator an arena of 64 MiB; later calls do nothing.
    /// Every test that uses frames calls this first.
    pub fn init() {
        static READY: Once = Once::new();
        READY.call_once(|| {
            BASE.get_or_init(|| {
                let layout = Layout::from_size_align(FRAMES * PAGE_SIZE, PAGE_SIZE)
                    .expect("a constant layout that is valid");
                // SAFETY: the layout is not empty.
                let base = unsafe { alloc_zeroed(layout) };
                assert!(!base.is_null(), "no memory for the arena");
                base.expose_provenance()
            });
            // As on a real machine, with a hole.
            let ranges = [
                0..FRAMES / 2 * PAGE_SIZE,
                (FRAMES / 2 + 3) * PAGE_SIZE..FRAMES * PAGE_SIZE,
            ];
            // SAFETY: called once; the arena is never freed nor otherwise used.
            unsafe { super::init(&ranges) };
        });
    }

    /// As [`init`], and keeps other callers of this out while the guard lives:
    /// for tests that count frames or load page tables.
    pub fn exclusive() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        init();
        // A test that failed says so itself.
        ALONE.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    pub(super) fn base() -> usize {
        *BASE.get().expect("arena::init was called")
    }
}
