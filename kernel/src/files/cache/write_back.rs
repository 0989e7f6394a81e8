//! Write-back: what is dirty goes to the store, neighbours together; a thread
//! does it some seconds after the first page became dirty, and sleeps while
//! nothing is.

use arrayvec::ArrayVec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

use abi::Errno;
use machine::frames::{self, Frame};
use sync::{WaitQueue, rank};

use super::errors::ErrorMark;
use super::page_map::State;
use super::{CLUSTER, PageCache, flush_all, pages_of};

/// How long what is dirty may wait, in nanoseconds.
const AGE: u64 = 5_000_000_000;

/// The write-back thread, while nothing is dirty.
static SOMETHING_DIRTY: WaitQueue<(), rank::ThreadQueue> = WaitQueue::new();

/// Dirty pages of all caches, but for those that keep them.
static DIRTY: AtomicUsize = AtomicUsize::new(0);

/// Dirty pages of all caches together that wait to be written.
pub fn dirty_total() -> usize {
    DIRTY.load(Relaxed)
}

/// The write-back thread.
pub fn serve() -> ! {
    loop {
        SOMETHING_DIRTY.wait_until(|| (DIRTY.load(SeqCst) > 0).then_some(()));
        let deadline = machine::time::now().saturating_add(AGE);
        // Ends with the deadline and nothing else: more may get dirty by then.
        let _ = SOMETHING_DIRTY.wait_interruptible(|| None::<()>, Some(deadline));
        flush_all();
    }
}

/// Neighbouring pages on their way to the store.
struct Cluster {
    first: u64,
    frames: ArrayVec<Frame, CLUSTER>,
    /// Which of them are promised room.
    promised: ArrayVec<bool, CLUSTER>,
    size: u64,
}

impl PageCache {
    /// One more page is dirty. May be called with the pages locked.
    pub(super) fn note_dirty(&self) {
        if !self.keeps_dirty && DIRTY.fetch_add(1, SeqCst) == 0 {
            SOMETHING_DIRTY.wake_one();
        }
    }

    /// Fewer pages are dirty, of which some were promised room. May be called with
    /// the pages locked.
    pub(super) fn forget_dirty(&self, count: usize, promised: usize) {
        if !self.keeps_dirty {
            self.store.unreserve(promised);
            DIRTY.fetch_sub(count, SeqCst);
        }
    }

    /// Writes all that is dirty to the store, and waits for it. What became
    /// dirty before the call is written, or stays dirty and counts as an error.
    ///
    /// # Errors
    /// The last error of this or an earlier write-back of which the open file
    /// that owns `mark` was not told yet: EIO, ENOSPC. ENOMEM if that is why
    /// pages are dirty still.
    pub fn sync(&self, mark: &ErrorMark) -> Result<(), Errno> {
        let written = self.write_dirty();
        self.errors.check(mark)?;
        match written {
            Err(Errno::ENOMEM) => written,
            _ => Ok(()),
        }
    }

    /// Writes all that is dirty to the store, and waits. Errors are kept for
    /// those who call `sync`; their pages stay dirty, unless nothing can be
    /// written there any more (EROFS): what is lost need not take memory.
    pub fn flush(&self) {
        // Kept, or tried again when there is memory.
        let _ = self.write_dirty();
    }

    /// The same for those who go on only if all of it is written: the first
    /// error.
    pub fn write_dirty(&self) -> Result<(), Errno> {
        if self.keeps_dirty {
            return Ok(());
        }
        let mut outcome = Ok(());
        let _alone = self.write_back.lock();
        let mut at = 0;
        while let Some(cluster) = self.take_dirty(at) {
            at = cluster.first + cluster.frames.len() as u64;
            // What is written from here on makes the page dirty again.
            self.protect(cluster.first..at);
            let result = self
                .store
                .write(cluster.first, &cluster.frames, cluster.size);
            self.written(&cluster, result);
            outcome = outcome.and(result);
        }
        outcome
    }

    /// Does something while nothing of the file is on its way to the store.
    pub fn between_write_backs<R>(&self, act: impl FnOnce() -> R) -> R {
        let _alone = self.write_back.lock();
        act()
    }

    /// Whether a write-back would have to wait.
    #[cfg(test)]
    pub fn is_writing_back(&self) -> bool {
        self.write_back.try_lock().is_none()
    }

    /// The first dirty pages from `from` on; they are clean and being written.
    /// A write that comes later makes them dirty again. They go on counting as
    /// dirty until they are written: the store may have to find room for them.
    fn take_dirty(&self, from: u64) -> Option<Cluster> {
        let mut pages = self.pages.lock();
        // A cut may be on its way to drop what lies behind the new end.
        let end = pages_of(self.size());
        let first = pages.map.next_dirty(from..end)?;
        let (mut frames, mut promised) = (ArrayVec::new(), ArrayVec::new());
        for index in first..end.min(first + CLUSTER as u64) {
            let Some(is_promised) = pages.map.take_dirty(index) else {
                break;
            };
            let Some(page) = pages.map.get_mut(index) else {
                break;
            };
            page.state = State::Writing;
            frames.push(page.frame.share());
            promised.push(is_promised);
        }
        let size = self.size();
        pages.told_size = size;
        Some(Cluster {
            first,
            frames,
            promised,
            size,
        })
    }

    fn written(&self, cluster: &Cluster, result: Result<(), Errno>) {
        // Told before the pages are seen as done, or a peer might miss it.
        // Pages that wait for memory are not lost, so that is no error of theirs.
        if let Err(error) = result
            && error != Errno::ENOMEM
        {
            self.errors.note(error);
        }
        let again = result.is_err_and(|error| error != Errno::EROFS);
        let (mut done, mut kept) = (0, 0);
        let mut pages = self.pages.lock();
        pages.told_size = 0;
        for (index, &promised) in (cluster.first..).zip(&cluster.promised) {
            // A cut waits, so the page is there.
            if let Some(page) = pages.map.get_mut(index) {
                page.state = State::Ready;
            }
            // It has been counted all the time.
            if !(again && pages.map.set_dirty(index, || promised)) {
                done += 1;
                kept += usize::from(promised);
            }
        }
        drop(pages);
        self.forget_dirty(done, kept);
        self.idle.wake_all();
    }

    /// Lets a writer pay for what it made dirty, so that memory cannot fill with
    /// it.
    pub(super) fn throttle(&self) {
        if self.keeps_dirty {
            return;
        }
        if is_too_dirty() {
            self.flush();
        }
        // It may be others' pages.
        if is_too_dirty() {
            flush_all();
        }
    }
}

/// Whether all files together have so much dirty that who makes more waits until
/// it is written.
pub fn is_too_dirty() -> bool {
    dirty_total() > frames::total_count() / 8
}
