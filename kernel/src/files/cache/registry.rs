//! All caches there are: for what concerns them together, which is writing
//! back what is dirty and giving memory back.
//!
//! Locks: `Caches`, a spin lock over the list, never held while a cache is
//! worked on.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use abi::Errno;
use machine::frames::{self, Frame};
use sync::{SpinLock, rank};

use super::list::{List, Numbered};
use super::{CLUSTER, PageCache};
use crate::files::reclaim;

static CACHES: SpinLock<List<PageCache>, rank::Caches> = SpinLock::new(List::new());
/// Ids grow.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
/// The cache that gave memory back last; the next one begins.
static LAST_SHRUNK: AtomicU64 = AtomicU64::new(0);
/// How many caches there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

pub(super) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Relaxed)
}

impl Numbered for PageCache {
    fn id(&self) -> u64 {
        self.id
    }
}

/// Adds a cache; it leaves when it is dropped. ENOMEM.
pub(super) fn add(cache: &Arc<PageCache>) -> Result<(), Errno> {
    let mut caches = CACHES.lock();
    caches.add(cache)?;
    COUNT.store(caches.len(), Relaxed);
    Ok(())
}

pub(super) fn remove(id: u64) {
    let mut caches = CACHES.lock();
    let gone = caches.remove(id);
    COUNT.store(caches.len(), Relaxed);
    drop(caches);
    drop(gone);
}

/// The first cache whose id is greater.
fn after(id: u64) -> Option<Arc<PageCache>> {
    CACHES.lock().after(id)
}

/// Writes back what is dirty in any cache there is at the beginning, and waits:
/// those that come meanwhile might have no end. Errors are kept for those who
/// synchronise the file.
pub fn flush_all() {
    let end = NEXT_ID.load(Relaxed);
    let mut id = 0;
    while let Some(cache) = after(id).filter(|cache| cache.id < end) {
        id = cache.id;
        if !cache.keeps_dirty && cache.dirty() > 0 {
            cache.flush();
        }
    }
}

/// Drops up to `most` clean pages that nobody uses, of all caches in turn; how
/// many. Writes nothing, but may free a file that was closed meanwhile, so the
/// caller holds no spin lock.
pub fn shrink_all(most: usize) -> usize {
    in_turn(most, PageCache::shrink)
}

/// The same for clean pages that nobody uses but those who map them. The caller
/// holds no lock of a space.
pub fn shrink_mapped(most: usize) -> usize {
    in_turn(most, PageCache::shrink_mapped)
}

fn in_turn(most: usize, shrink: fn(&PageCache, usize) -> usize) -> usize {
    let mut dropped = 0;
    // Twice around: the first time may find no more than marks of use.
    for _ in 0..2 * COUNT.load(Relaxed) {
        if dropped >= most {
            break;
        }
        let Some(cache) = after(LAST_SHRUNK.load(Relaxed)).or_else(|| after(0)) else {
            break;
        };
        dropped += shrink(&cache, most - dropped);
        LAST_SHRUNK.store(cache.id, Relaxed);
    }
    dropped
}

/// Clean pages in all caches: a guess.
pub fn clean_total() -> usize {
    let (mut id, mut total) = (0, 0);
    while let Some(cache) = after(id) {
        id = cache.id;
        total += cache.count.load(Relaxed).saturating_sub(cache.dirty());
    }
    total
}

/// A frame with whatever it held before; clean pages make room for it, and for
/// what others keep free. ENOMEM.
pub(super) fn take_frame() -> Result<Frame, Errno> {
    reclaim::call_if_short();
    if is_tight() {
        shrink_all(CLUSTER);
    }
    loop {
        if let Some(frame) = Frame::alloc() {
            return Ok(frame);
        }
        // Peers may be faster at what becomes free.
        if shrink_all(CLUSTER) == 0 {
            return Err(Errno::ENOMEM);
        }
    }
}

/// Whether so few frames are free that files should take no more of them: the
/// rest of the kernel has no clean pages to drop.
pub(super) fn is_tight() -> bool {
    !frames::may_have(frames::total_count() / 24)
}
