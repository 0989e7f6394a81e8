//! The page cache: the pages of a regular file that are in memory.
//!
//! Purpose: a [`PageCache`] holds one file's size and pages, and serves read,
//! write, changes of size and page faults from them; a [`Store`] is where pages
//! come from and go to. `read.rs` finds and reads pages, `write.rs` changes
//! them, `room.rs` keeps what the store has promised, `write_back.rs` gives what
//! is dirty to the store, `map.rs` shows them to address spaces, which
//! `mappers.rs` knows, `reclaim.rs` gives their memory back, `access.rs` keeps
//! writers from running programs, `registry.rs` knows all caches.
//!
//! Locks: `FileChange` keeps writers and changes of size from each other, over
//! the whole call; `FileWriteBack` is held by the one write-back of the file;
//! `CachePages` is a spin lock over the pages and every change of the size.
//! Nothing spins or excludes readers while bytes are copied or the store works:
//! a page that is read or written says so in its state, and those who need it
//! to end wait in `idle`. A fault takes neither of the sleeping locks, so that
//! a user's buffer may be a mapping of the very file that is read or written.
//!
//! What always holds: no page lies wholly behind the end of the file, and in
//! the last page the bytes behind the end are zero before the file grows past
//! them. Whoever holds a reference to a page's frame keeps reclaim from it.

mod access;
mod errors;
mod list;
mod map;
mod mappers;
mod page_map;
mod read;
mod reclaim;
mod registry;
mod room;
mod seals;
#[cfg(test)]
mod tests;
mod write;
mod write_back;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames::Frame;
use sync::{Mutex, SpinLock, WaitQueue, rank};

use super::allocate::try_arc;

pub use access::Access;
use access::Users;
pub use errors::ErrorMark;
use errors::WriteErrors;
pub use mappers::{Mappers, Mapping};
use page_map::PageMap;
use read::ReadAhead;
pub use registry::{clean_total, flush_all, shrink_all, shrink_mapped};
use seals::Seals;
pub use write::allowed;
pub use write_back::{dirty_total, is_too_dirty, serve};

const PAGE: u64 = PAGE_SIZE as u64;
/// Largest file: 2^44 bytes, what 32-bit page numbers can address.
pub const MAX_SIZE: u64 = 1 << 44;
/// Pages that one call of a store moves at most: 512 KiB.
const CLUSTER: usize = 128;

/// Where a file's pages come from and go to. All calls may sleep, and come with
/// neither a spin lock nor, from a page fault, the file's own locks held; they
/// must not call back into the cache they serve.
pub trait Store: Send + Sync {
    /// Fills `frames` with the file's pages from number `first` on; holes, and
    /// what lies behind the end, are zeroes. EIO.
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno>;

    /// Writes the pages from number `first` on. `size` is the file's size in
    /// bytes; what lies behind it does not matter. EIO, ENOSPC; EROFS if nothing
    /// can be written any more.
    fn write(&self, first: u64, frames: &[Frame], size: u64) -> Result<(), Errno>;

    /// Promises that `pages`, which are clean, can be written later, besides all
    /// that was promised before: ENOSPC. A page that becomes dirty keeps its
    /// promise until [`Store::unreserve`]. False if all of them can be written
    /// anyway: then nothing is promised.
    fn reserve(&self, pages: Range<u64>) -> Result<bool, Errno>;

    /// Promises room for a page that has it: it was written just now, and is
    /// dirty again. Does not sleep.
    fn reserve_again(&self) {}

    /// Takes back the promise for `count` pages: they are written, or will not
    /// be. Does not sleep.
    fn unreserve(&self, _count: usize) {}

    /// Ends a cut that has failed half-way, if one has: before the file grows, or
    /// what it left would be part of the file again. EIO, ENOMEM.
    fn finish_cut(&self) -> Result<(), Errno> {
        Ok(())
    }

    /// Up to how many bytes a file can be long.
    fn largest_size(&self) -> u64 {
        MAX_SIZE
    }

    /// What is dirty stays in memory, for it is nowhere else: [`Store::write`]
    /// is never called.
    fn keeps_dirty(&self) -> bool {
        false
    }
}

/// What the spin lock guards.
struct Pages {
    map: PageMap,
    /// The size that the store is being told with pages that are on their way;
    /// 0 if none are.
    told_size: u64,
    /// Where reclaim goes on.
    hand: u64,
    ahead: ReadAhead,
}

/// The pages and the size of one file. See the module.
pub struct PageCache {
    /// Its place among all caches.
    id: u64,
    store: Box<dyn Store>,
    /// [`Store::keeps_dirty`].
    keeps_dirty: bool,
    /// [`Store::largest_size`], and no more than [`MAX_SIZE`].
    largest_size: u64,
    change: Mutex<(), rank::FileChange>,
    write_back: Mutex<(), rank::FileWriteBack>,
    pages: SpinLock<Pages, rank::CachePages>,
    /// In bytes. Changes under the lock of the pages only.
    size: AtomicU64,
    /// Pages in memory, as of the last look; for those who only count.
    count: AtomicUsize,
    /// Those who wait for pages that are read or written.
    idle: WaitQueue<(), rank::ThreadQueue>,
    errors: WriteErrors,
    mappers: Mappers,
    users: Users,
    seals: Seals,
}

impl PageCache {
    /// The cache of a file of `size` bytes with no page in memory yet. ENOMEM.
    pub fn new(store: Box<dyn Store>, size: u64) -> Result<Arc<PageCache>, Errno> {
        let cache = try_arc(PageCache {
            id: registry::next_id(),
            keeps_dirty: store.keeps_dirty(),
            largest_size: store.largest_size().min(MAX_SIZE),
            store,
            change: Mutex::new(()),
            write_back: Mutex::new(()),
            pages: SpinLock::new(Pages {
                map: PageMap::new(),
                told_size: 0,
                hand: 0,
                ahead: ReadAhead::new(),
            }),
            size: AtomicU64::new(size),
            count: AtomicUsize::new(0),
            idle: WaitQueue::new(),
            errors: WriteErrors::new(),
            mappers: Mappers::new(),
            users: Users::new(),
            seals: Seals::new(),
        })?;
        registry::add(&cache)?;
        Ok(cache)
    }

    /// What no other cache had or will have.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Pages in memory.
    pub fn resident(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Pages that differ from the store's.
    pub fn dirty(&self) -> usize {
        self.pages.lock().map.dirty_count()
    }

    /// The first dirty page from `from` on.
    pub fn next_dirty(&self, from: u64) -> Option<u64> {
        self.pages.lock().map.next_dirty(from..u64::MAX)
    }

    /// Up to where a file that is opened now counts as told of errors.
    pub fn error_mark(&self) -> ErrorMark {
        self.errors.mark()
    }

    fn note_count(&self, pages: &Pages) {
        self.count.store(pages.map.count(), Ordering::Relaxed);
    }
}

impl Drop for PageCache {
    /// Whoever drops a file that is to live on has synchronised it.
    fn drop(&mut self) {
        registry::remove(self.id);
        let map = &self.pages.get_mut().map;
        let (dirty, promised) = (map.dirty_count(), map.promised_count());
        self.forget_dirty(dirty, promised);
    }
}

/// How many pages `size` bytes take.
fn pages_of(size: u64) -> u64 {
    size.div_ceil(PAGE)
}
