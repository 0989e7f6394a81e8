//! The thread that does for disks what need not, or must not, be done at once:
//! it frees inodes whose last user has left, and commits what was changed some
//! seconds ago. It sleeps while there is nothing of the kind.
//!
//! The list of mounted volumes has a spin lock.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use sync::{SpinLock, WaitQueue, rank};

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

/// When changes are to be committed.
#[derive(Default)]
pub(super) struct Schedule {
    /// `None` if there are none.
    due: Option<u64>,
}

impl Schedule {
    /// Whether there is nothing to commit.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.due.is_none()
    }

    /// Whether to commit now. What wakes the thread does not matter: it may be
    /// called more often than the time runs out.
    fn is_due(&self, now: u64) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// After a round; `changed` if something is not committed.
    fn went(&mut self, committed: bool, changed: bool, now: u64) {
        let before = self.due.filter(|_| !committed);
        self.due = changed.then(|| before.unwrap_or(now + COMMIT_AFTER));
    }
}

/// What the thread does for ever.
pub fn serve() -> ! {
    let mut schedule = Schedule::default();
    loop {
        let called = || CALLED.swap(false, Ordering::AcqRel).then_some(());
        // Woken for either, it looks for both.
        let _ = QUEUE.wait_interruptible(called, schedule.due);
        round(&mut schedule, machine::time::now());
    }
}

pub(super) fn round(schedule: &mut Schedule, now: u64) {
    let commit = schedule.is_due(now);
    let mut changed = false;
    for_each(|fs| {
        fs.release_left();
        if commit {
            fs.settle_kept();
            // The volume has logged what is wrong with it; what wants memory is
            // still to be done, and comes again.
            let _ = fs.commit();
        }
        changed |= fs.changed.load(Ordering::Acquire);
    });
    schedule.went(commit, changed, now);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_do_not_put_a_commit_off() {
        let mut schedule = Schedule::default();
        assert!(!schedule.is_due(u64::MAX));
        // Called every second for other work.
        let mut commits = 0;
        for second in 1..=60 {
            let now = second * 1_000_000_000;
            let commit = schedule.is_due(now);
            commits += usize::from(commit);
            schedule.went(commit, true, now);
        }
        assert_eq!(commits, 11);
        schedule.went(true, false, 0);
        assert!(!schedule.is_due(u64::MAX));
    }
}
