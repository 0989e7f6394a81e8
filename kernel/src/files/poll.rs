//! Waiting for any of several files: what `poll` and its kin sleep on.
//!
//! There is one queue for all who poll. A file that becomes ready calls
//! [`notify`], which costs a fence and a load while nobody polls; pollers
//! look at their own files again. No lock is held while they look.

use core::sync::atomic::{AtomicUsize, Ordering, fence};

use abi::Errno;
use sync::{WaitError, WaitQueue};

static POLLERS: WaitQueue = WaitQueue::new();
/// Threads between the start and the end of [`wait`].
static POLLING: AtomicUsize = AtomicUsize::new(0);

/// Something may have become ready.
#[inline]
pub fn notify() {
    // Orders the caller's change before the load. The poller counts itself
    // before it looks: one of the two sees the other.
    fence(Ordering::SeqCst);
    if POLLING.load(Ordering::Relaxed) != 0 {
        POLLERS.wake_all();
    }
}

/// Sleeps until `check` gives a value; `None` once `deadline` (by the
/// monotonic clock) is past. EINTR.
pub fn wait<T>(
    deadline: Option<u64>,
    check: impl FnMut() -> Option<T>,
) -> Result<Option<T>, Errno> {
    POLLING.fetch_add(1, Ordering::SeqCst);
    let result = POLLERS.wait_interruptible(check, deadline);
    POLLING.fetch_sub(1, Ordering::SeqCst);
    match result {
        Ok(value) => Ok(Some(value)),
        Err(WaitError::TimedOut) => Ok(None),
        Err(WaitError::Interrupted) => Err(Errno::EINTR),
    }
}
