//! Where the kernel's scheduler is kept.
//!
//! Purpose: written once at boot, read by every sleep. Key types: none of its
//! own. Locks: none; `READY` is stored after the reference and loaded before it.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::{Erased, Scheduler};

struct Slot(UnsafeCell<Option<&'static dyn Erased>>);

// SAFETY: written once, by the one who moved CLAIMED from 0, before READY is
// stored with Release; read only after READY was loaded with Acquire.
unsafe impl Sync for Slot {}

static CLAIMED: AtomicU8 = AtomicU8::new(0);
static READY: AtomicBool = AtomicBool::new(false);
static SCHEDULER: Slot = Slot(UnsafeCell::new(None));

/// Installs the scheduler for ever.
///
/// # Panics
/// If one is installed already: references to its threads may exist.
pub fn install<S: Scheduler>(scheduler: &'static S) {
    assert!(
        CLAIMED.swap(1, Ordering::Relaxed) == 0,
        "the scheduler is installed once"
    );
    // SAFETY: only one caller passes the assertion, and nobody reads before READY.
    unsafe { *SCHEDULER.0.get() = Some(scheduler) };
    READY.store(true, Ordering::Release);
}

/// The scheduler, once it is installed.
#[inline]
pub(crate) fn installed() -> Option<&'static dyn Erased> {
    if READY.load(Ordering::Acquire) {
        // SAFETY: see Slot.
        unsafe { *SCHEDULER.0.get() }
    } else {
        None
    }
}
