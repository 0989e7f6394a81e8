//! Who maps pages of a file: what has to be told before pages are cut off,
//! written back or dropped.
//!
//! Mappings are told in the order in which they came. A space is duplicated
//! with its lock held, and the duplicate's mappings come after the original's:
//! who waits for the original finds the duplicate with all that it got.
//!
//! Locks: `CacheMappers`, a spin lock over the list, never held while a mapping
//! is told. Those who are told take the lock of their space.

use alloc::sync::Weak;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use abi::Errno;
use sync::{SpinLock, rank};

/// One mapping of a file. The caller of these holds no spin lock, and no lock
/// of a space.
pub trait Mapping: Send + Sync {
    /// Pages of the file are gone: nothing that was mapped there is from now on.
    fn unmap(&self, pages: Range<u64>);

    /// The next write to each of these pages is to be a fault.
    fn protect(&self, pages: Range<u64>);

    /// Forgets those of the pages that are the cache's own, as they can be
    /// found there again.
    fn forget(&self, pages: Range<u64>);
}

struct Entry {
    id: u64,
    mapping: Weak<dyn Mapping>,
}

/// All mappings of one file.
pub struct Mappers {
    /// By id, which grows.
    list: SpinLock<Vec<Entry>, rank::CacheMappers>,
    count: AtomicUsize,
    /// Those that are written to by more than their space alone.
    writers: AtomicUsize,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Mappers {
    pub const fn new() -> Mappers {
        Mappers {
            list: SpinLock::new(Vec::new()),
            count: AtomicUsize::new(0),
            writers: AtomicUsize::new(0),
        }
    }

    /// Adds a mapping that maps nothing yet; the id to remove it by. `writes` if
    /// it is to be told of write-back. ENOMEM.
    pub fn add(&self, mapping: Weak<dyn Mapping>, writes: bool) -> Result<u64, Errno> {
        let mut list = self.list.lock();
        list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // Under the lock, so that the list stays in order.
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        list.push(Entry { id, mapping });
        drop(list);
        self.count.fetch_add(1, Ordering::SeqCst);
        self.writers
            .fetch_add(usize::from(writes), Ordering::SeqCst);
        Ok(id)
    }

    pub fn remove(&self, id: u64, writes: bool) {
        let mut list = self.list.lock();
        let found = list.binary_search_by_key(&id, |entry| entry.id);
        let gone = found.ok().map(|at| list.remove(at));
        drop(list);
        if gone.is_some() {
            self.count.fetch_sub(1, Ordering::SeqCst);
            self.writers
                .fetch_sub(usize::from(writes), Ordering::SeqCst);
        }
    }

    pub fn are_any(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    pub fn write(&self) -> bool {
        self.writers.load(Ordering::SeqCst) > 0
    }

    /// Calls `tell` for each mapping, those included that come meanwhile.
    pub fn for_each(&self, mut tell: impl FnMut(&dyn Mapping)) {
        let mut last = 0;
        loop {
            let list = self.list.lock();
            let at = list.partition_point(|entry| entry.id <= last);
            let next = list[at..]
                .iter()
                .find_map(|entry| Some((entry.id, entry.mapping.upgrade()?)));
            drop(list);
            let Some((id, mapping)) = next else {
                return;
            };
            last = id;
            tell(&*mapping);
        }
    }
}
