//! The reclaim thread: while few frames are free, it takes back what files have
//! in memory and can be had again.
//!
//! It is called when pages of files, or names of disks, come while the free frames
//! are below a low mark, and goes on up to a high one. A round takes back what the
//! CPUs keep for themselves, drops clean pages that were not used since it last
//! came by, then names and metadata of disks that were not, then pages that
//! programs map, and writes back what is dirty if that is not enough. Nobody waits
//! for it, so it cannot deadlock: who finds no memory takes pages back itself
//! ([`take_back`]), or fails. Memory for writing back is there, for files leave a
//! sixteenth of it.

use core::sync::atomic::{AtomicBool, Ordering};

use machine::frames;
use sync::{WaitQueue, rank};

use super::{cache, disk};
use crate::memory::gather;

/// Pages that a round drops at most.
const BATCH: usize = 1024;
/// This part of memory is few pages.
const FEW: usize = 64;
/// Rounds that take all there is.
const ROUNDS: usize = 64;
/// Pages that somebody who waits for one takes back.
const SOME: usize = 128;

static CALLED: AtomicBool = AtomicBool::new(false);
static QUEUE: WaitQueue<(), rank::ThreadQueue> = WaitQueue::new();

/// Calls the thread if few frames are free. May be called with any lock held
/// that is taken before the one of a wait queue.
pub(super) fn call_if_short() {
    if !frames::may_have(low_mark()) && !CALLED.swap(true, Ordering::AcqRel) {
        QUEUE.wake_one();
    }
}

/// What the thread does for ever.
pub fn serve() -> ! {
    loop {
        QUEUE.wait_until(|| CALLED.swap(false, Ordering::AcqRel).then_some(()));
        // With nothing left to take, the next page that is wanted calls again.
        while missing() > 0 && round() > 0 {}
    }
}

/// What was taken back.
fn round() -> usize {
    gather();
    let mut taken = cache::shrink_all(missing().min(BATCH));
    if missing() > 0 {
        taken += disk::shrink(false);
        taken += cache::shrink_mapped(missing().min(BATCH));
    }
    if missing() > 0 && cache::dirty_total() > 0 {
        cache::flush_all();
        taken += cache::shrink_all(missing().min(BATCH));
    }
    taken
}

/// Takes back some pages for who found no memory, and holds no spin lock and no
/// lock of a space. How many. While only few pages of files are left, those that
/// programs map stay: without their text programs would not get on at all.
pub fn take_back() -> usize {
    match take_unused() {
        0 if cache::clean_total() > frames::total_count() / FEW => cache::shrink_mapped(SOME),
        taken => taken,
    }
}

/// The same for who wants the frame for another page of a file.
pub fn take_back_for_file() -> usize {
    match take_unused() {
        0 => cache::shrink_mapped(SOME),
        taken => taken,
    }
}

/// The same, except for pages that programs map.
fn take_unused() -> usize {
    let taken = cache::shrink_all(SOME);
    if taken == 0 && cache::dirty_total() > 0 {
        cache::flush_all();
        return cache::shrink_all(SOME);
    }
    taken
}

/// Takes back names and metadata of disks, for who has found nothing else; how
/// many frames are free then that were not. They are small, and lie among others
/// of their kind, so all go if some of them do not make one.
pub fn take_names() -> usize {
    let before = frames::free_count();
    for all in [false, true] {
        disk::shrink(all);
        gather();
        let more = frames::free_count().saturating_sub(before);
        if more > 0 {
            return more;
        }
    }
    0
}

/// Takes back all that can be, after writing what is dirty: for those who
/// measure (`/proc/sys/vm/drop_caches`), or have nothing else left. The caller
/// holds no lock.
pub fn drop_all() {
    super::sync_all();
    // A directory goes after those below it; others bring in more meanwhile.
    for _ in 0..ROUNDS {
        if disk::shrink(true) + cache::shrink_all(usize::MAX) == 0 {
            break;
        }
    }
    gather();
}

/// How many more frames should be free.
fn missing() -> usize {
    (low_mark() * 2).saturating_sub(frames::free_count())
}

/// Above what files leave to everything else: see `allocate::memory_for`.
fn low_mark() -> usize {
    frames::total_count() / 12
}
