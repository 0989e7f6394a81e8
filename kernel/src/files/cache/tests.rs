//! The cache against a store that is slow, fails, and leaves garbage wherever
//! it may.

mod as_bytes;
mod at_once;
mod bad_page;
mod memory;
mod registry;
mod throttle;

use super::*;
use crate::files::buffer::{Sink, Source};
use crate::files::inode::Position;
use machine::frames::{arena, free_count};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Condvar, Mutex as HostMutex, MutexGuard};
use std::vec;
use std::vec::Vec;

const GARBAGE: u8 = 0xee;

#[derive(Default)]
struct Disk {
    pages: BTreeMap<u64, Vec<u8>>,
    reserved: BTreeSet<u64>,
    /// Pages that are being read or written at the moment.
    busy: BTreeSet<u64>,
    /// As large as any write has said since the last change of size.
    size: u64,
}

/// A store whose calls block as long as `closed` says so.
struct Model {
    disk: HostMutex<Disk>,
    closed: HostMutex<bool>,
    opened: Condvar,
    reads: AtomicUsize,
    writes: AtomicUsize,
    written: AtomicUsize,
    entered: AtomicUsize,
    /// Pages that may still be reserved.
    room: AtomicUsize,
    /// Promises that were not taken back.
    promised: AtomicUsize,
    fails: AtomicBool,
    /// Nothing can be written any more.
    is_gone: AtomicBool,
}

impl Model {
    /// With the frames for this test alone: some tests count them.
    fn alone() -> (MutexGuard<'static, ()>, Arc<Model>) {
        (arena::exclusive(), Model::new())
    }

    fn new() -> Arc<Model> {
        Arc::new(Model {
            disk: HostMutex::default(),
            closed: HostMutex::new(false),
            opened: Condvar::new(),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            entered: AtomicUsize::new(0),
            room: AtomicUsize::new(usize::MAX),
            promised: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
        })
    }

    fn cache(self: &Arc<Model>, size: u64) -> Arc<PageCache> {
        PageCache::new(Box::new(Shared(self.clone())), size).expect("memory")
    }

    fn set_closed(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.opened.notify_all();
    }

    /// Marks pages busy while `act` runs: no two calls for one page at once.
    fn at_work(&self, pages: Range<u64>, act: impl FnOnce(&mut Disk)) -> Result<(), Errno> {
        for page in pages.clone() {
            let is_alone = self.disk.lock().unwrap().busy.insert(page);
            assert!(is_alone, "page {page} is read or written twice at once");
        }
        self.entered.fetch_add(1, SeqCst);
        let mut closed = self.closed.lock().unwrap();
        while *closed {
            closed = self.opened.wait(closed).unwrap();
        }
        drop(closed);
        std::thread::yield_now();
        let mut disk = self.disk.lock().unwrap();
        for page in pages {
            disk.busy.remove(&page);
        }
        if self.fails.load(SeqCst) {
            return Err(Errno::EIO);
        }
        act(&mut disk);
        Ok(())
    }

    /// Waits until `count` calls have come in since the beginning.
    fn wait_entered(&self, count: usize) {
        while self.entered.load(SeqCst) < count {
            std::thread::yield_now();
        }
    }

    fn bytes(&self, size: u64) -> Vec<u8> {
        let disk = self.disk.lock().unwrap();
        let mut bytes = vec![0; pages_of(size) as usize * PAGE_SIZE];
        for (page, chunk) in bytes.chunks_mut(PAGE_SIZE).enumerate() {
            if let Some(stored) = disk.pages.get(&(page as u64)) {
                chunk.copy_from_slice(stored);
            }
        }
        bytes.truncate(size as usize);
        bytes
    }
}

struct Shared(Arc<Model>);

impl Store for Shared {
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        self.0.reads.fetch_add(1, SeqCst);
        assert!(!frames.is_empty() && frames.len() <= CLUSTER);
        self.0.at_work(first..first + frames.len() as u64, |disk| {
            for (page, frame) in (first..).zip(frames) {
                match disk.pages.get(&page) {
                    Some(bytes) => frame.write(0, bytes),
                    None => frame.fill(0, PAGE_SIZE, 0),
                }
            }
        })
    }

    fn write(&self, first: u64, frames: &[Frame], size: u64) -> Result<(), Errno> {
        self.0.writes.fetch_add(1, SeqCst);
        assert!(!frames.is_empty() && frames.len() <= CLUSTER);
        let end = first + frames.len() as u64;
        assert!(end <= pages_of(size), "a page behind the end is written");
        if self.0.is_gone.load(SeqCst) {
            return Err(Errno::EROFS);
        }
        let result = self.0.at_work(first..end, |disk| {
            for (page, frame) in (first..).zip(frames) {
                assert!(disk.reserved.contains(&page), "page {page} has no room");
                let mut bytes = vec![0; PAGE_SIZE];
                frame.read(0, &mut bytes);
                let valid = (size - page * PAGE).min(PAGE) as usize;
                bytes[valid..].fill(GARBAGE);
                disk.pages.insert(page, bytes);
            }
            disk.size = disk.size.max(size);
        });
        self.0.written.fetch_add(1, SeqCst);
        result
    }

    fn reserve(&self, pages: Range<u64>) -> Result<bool, Errno> {
        let mut disk = self.0.disk.lock().unwrap();
        let new = pages.clone().filter(|page| !disk.reserved.contains(page));
        let room = self.0.room.load(SeqCst);
        let left = room.checked_sub(new.count()).ok_or(Errno::ENOSPC)?;
        self.0.room.store(left, SeqCst);
        let count = (pages.end - pages.start) as usize;
        disk.reserved.extend(pages);
        self.0.promised.fetch_add(count, SeqCst);
        Ok(true)
    }

    fn reserve_again(&self) {
        self.0.promised.fetch_add(1, SeqCst);
    }

    fn unreserve(&self, count: usize) {
        let before = self.0.promised.fetch_sub(count, SeqCst);
        assert!(before >= count, "more is taken back than was promised");
    }
}

fn write(cache: &PageCache, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let written = cache.write_at(Position::At(offset), &mut Source::kernel(bytes));
    written.map(|(count, _)| count)
}

/// Sets the size, and frees what the store has behind it.
fn resize(cache: &PageCache, store: &Model, size: u64) {
    let free = || {
        let mut disk = store.disk.lock().unwrap();
        disk.pages.split_off(&pages_of(size));
        disk.reserved.split_off(&pages_of(size));
        disk.size = size;
        Ok(())
    };
    cache.set_size(size, free).expect("small");
}

fn read(cache: &PageCache, offset: u64, length: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![GARBAGE; length];
    let count = cache.read_at(offset, &mut Sink::kernel(&mut bytes))?;
    bytes.truncate(count);
    Ok(bytes)
}

#[test]
fn those_who_miss_one_page_read_it_once() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(10 * PAGE);
    store.set_closed(true);
    let start = Barrier::new(5);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(read(&cache, 5, 100), Ok(vec![0; 100]));
            });
        }
        start.wait();
        store.wait_entered(1);
        store.set_closed(false);
    });
    assert_eq!(store.reads.load(SeqCst), 1);
    read(&cache, 0, 100).expect("it is there");
    assert_eq!(store.reads.load(SeqCst), 1, "a cached page asks nobody");
}

/// A file read in order costs few calls, and each page is read once.
#[test]
fn reading_in_order_reads_ahead() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(1024 * PAGE);
    for page in 0..1024 {
        read(&cache, page * PAGE, PAGE_SIZE).expect("it works");
    }
    let reads = store.reads.load(SeqCst);
    assert!(reads < 20, "{reads} reads of 4 MiB");
    let far = store.cache(1 << 43);
    for page in [9, 1 << 20, 77, 1 << 30, 5] {
        read(&far, page * PAGE, 10).expect("it works");
    }
    assert_eq!(far.resident(), 5, "reading here and there reads no more");
}

#[test]
fn a_cut_waits_for_write_back() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    write(&cache, 0, &[1; 3 * PAGE_SIZE]).expect("room");
    store.set_closed(true);
    std::thread::scope(|scope| {
        scope.spawn(|| cache.flush());
        store.wait_entered(1);
        // What is being written can be read and written.
        assert_eq!(read(&cache, 0, 4), Ok(vec![1; 4]));
        assert_eq!(write(&cache, 0, &[2; 4]), Ok(4));
        let cut = scope.spawn(|| {
            cache.set_size(PAGE, || Ok(())).expect("small");
            store.written.load(SeqCst)
        });
        store.set_closed(false);
        assert_eq!(cut.join().expect("no panic"), 1, "the write had ended");
    });
    assert_eq!(cache.resident(), 1);
    cache.flush();
    assert_eq!(store.bytes(5), [2, 2, 2, 2, 1]);
}

/// Else the store would learn of the old size after the cut.
#[test]
fn a_cut_waits_for_write_back_of_what_lies_before_it() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    write(&cache, 0, &[1; 3 * PAGE_SIZE]).expect("room");
    cache.flush();
    write(&cache, 0, &[2]).expect("room");
    store.set_closed(true);
    std::thread::scope(|scope| {
        scope.spawn(|| cache.flush());
        store.wait_entered(2);
        scope.spawn(|| resize(&cache, &store, PAGE));
        while cache.size() != PAGE {
            std::thread::yield_now();
        }
        store.set_closed(false);
    });
    assert_eq!(store.disk.lock().unwrap().size, PAGE);
}

#[test]
fn an_error_is_told_once_to_each_who_asks_and_loses_nothing() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    let (one, other) = (cache.error_mark(), cache.error_mark());
    write(&cache, 0, &[7; 5000]).expect("room");
    store.fails.store(true, SeqCst);
    assert_eq!(cache.sync(&one), Err(Errno::EIO));
    assert_eq!((cache.dirty(), store.promised.load(SeqCst)), (2, 2));
    store.fails.store(false, SeqCst);
    assert_eq!(cache.sync(&one), Ok(()));
    assert_eq!(cache.sync(&other), Err(Errno::EIO));
    assert_eq!(cache.sync(&other), Ok(()));
    assert_eq!(cache.sync(&cache.error_mark()), Ok(()));
    assert_eq!(store.bytes(5000), [7; 5000]);
}

#[test]
fn what_can_never_be_written_is_lost_and_told() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    let (one, other) = (cache.error_mark(), cache.error_mark());
    write(&cache, 0, &[7; 5000]).expect("room");
    store.is_gone.store(true, SeqCst);
    assert_eq!(cache.sync(&one), Err(Errno::EIO));
    assert_eq!((cache.dirty(), dirty_total()), (0, 0));
    assert_eq!(store.promised.load(SeqCst), 0);
    assert_eq!(cache.sync(&one), Ok(()));
    assert_eq!(cache.sync(&other), Err(Errno::EIO));
    // Until its memory is needed, it can be read.
    assert_eq!(read(&cache, 4999, 10), Ok(vec![7]));
}

#[test]
fn an_error_that_nobody_knows_of_is_told_to_who_comes_next() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    write(&cache, 0, &[7; 5]).expect("room");
    store.fails.store(true, SeqCst);
    cache.flush();
    store.fails.store(false, SeqCst);
    let (next, other) = (cache.error_mark(), cache.error_mark());
    assert_eq!(cache.sync(&next), Err(Errno::EIO));
    assert_eq!(cache.sync(&cache.error_mark()), Ok(()));
    assert_eq!(cache.sync(&other), Err(Errno::EIO));
}

#[test]
fn a_read_that_fails_can_be_tried_again() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(2 * PAGE);
    store.fails.store(true, SeqCst);
    assert_eq!(read(&cache, 0, 10), Err(Errno::EIO));
    assert_eq!(write(&cache, 1, &[1]), Err(Errno::EIO));
    assert_eq!(cache.resident(), 0);
    store.fails.store(false, SeqCst);
    assert_eq!(write(&cache, 1, &[1]), Ok(1));
    assert_eq!(read(&cache, 0, 3), Ok(vec![0, 1, 0]));
}

#[test]
fn neighbours_are_written_together() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    write(&cache, 0, &[1; 200 * PAGE_SIZE]).expect("room");
    cache.flush();
    assert_eq!(store.writes.load(SeqCst), 2);
    cache.flush();
    assert_eq!(store.writes.load(SeqCst), 2, "what is clean is not written");
}

#[test]
fn limits() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    assert_eq!(write(&cache, MAX_SIZE, b"x"), Err(Errno::EFBIG));
    assert_eq!(write(&cache, u64::MAX, b"x"), Err(Errno::EFBIG));
    assert_eq!(write(&cache, MAX_SIZE - 1, b"xy"), Ok(1));
    assert_eq!(cache.set_size(MAX_SIZE + 1, || Ok(())), Err(Errno::EFBIG));
    assert_eq!(read(&cache, MAX_SIZE - 2, 9), Ok(vec![0, b'x']));
    assert_eq!(read(&cache, u64::MAX, 9), Ok(vec![]));
    cache.discard();
    assert_eq!((cache.size(), cache.resident(), cache.dirty()), (0, 0, 0));
}
