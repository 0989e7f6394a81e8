//! The thread that does for disks what need not, or must not, be done at once:
//! it frees inodes whose last user has left, and commits what was changed some
//! seconds ago. It sleeps while there is nothing of the kind.
//!
//! The list of mounted volumes has a spin lock.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use sync::{SpinLock, WaitError, WaitQueue, rank};

use super::DiskFs;

/// Changes are on the disk after so long, at the latest (nanoseconds).
const COMMIT_AFTER: u64 = 5_000_000_000;

static MOUNTED: SpinLock<Vec<Arc<DiskFs>>, rank::MountedDisks> = SpinLock::new(Vec::new());

/// Something was left or changed that the thread has not seen.
static CALLED: AtomicBool = AtomicBool::new(false);
static QUEUE: WaitQueue<(), rank::ThreadQueue> = WaitQueue::new();

/// Sees to `fs` from now on. ENOMEM.
pub(super) fn adopt(fs: &Arc<DiskFs>) -> Result<(), Errno> {
    let mut mounted = MOUNTED.lock();
    mounted.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    mounted.push(fs.clone());
    Ok(())
}

/// The opposite of [`adopt`].
pub(super) fn dismiss(fs: &Arc<DiskFs>) {
    let mut mounted = MOUNTED.lock();
    let position = mounted.iter().position(|other| Arc::ptr_eq(other, fs));
    let gone = position.map(|position| mounted.swap_remove(position));
    drop(mounted);
    drop(gone);
}

/// Whether `device` is mounted.
pub(super) fn knows(device: u64) -> bool {
    MOUNTED.lock().iter().any(|fs| fs.device == device)
}

/// There is something to do.
pub(super) fn call() {
    CALLED.store(true, Ordering::Release);
    QUEUE.wake_one();
}

/// What the thread does for ever.
pub fn serve() -> ! {
    // When changes are to be committed, if there are any.
    let mut due = None;
    loop {
        let called = || CALLED.swap(false, Ordering::AcqRel).then_some(());
        let woken = QUEUE.wait_interruptible(called, due);
        let commit = woken == Err(WaitError::TimedOut);
        let mut changed = false;
        for_each(|fs| {
            fs.release_left();
            if commit {
                fs.settle_kept();
                // The volume has logged what is wrong with it.
                let _ = fs.commit();
            }
            changed |= fs.changed.load(Ordering::Acquire);
        });
        due = match changed {
            false => None,
            true if commit => Some(machine::time::now() + COMMIT_AFTER),
            true => due.or_else(|| Some(machine::time::now() + COMMIT_AFTER)),
        };
    }
}

/// Calls `act` for each mounted volume, with no lock held.
pub(super) fn for_each(mut act: impl FnMut(&Arc<DiskFs>)) {
    let mut index = 0;
    loop {
        let fs = MOUNTED.lock().get(index).cloned();
        let Some(fs) = fs else {
            return;
        };
        act(&fs);
        index += 1;
    }
}
