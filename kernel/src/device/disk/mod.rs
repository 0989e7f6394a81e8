//! Disks: requests of any size, several at a time, from threads that wait for
//! them.
//!
//! A [`Batch`] is what one thread has under way at a disk: it adds transfers,
//! which go to the device at once, and then waits for all. The interrupt
//! counts them off and wakes it. Nothing is allocated: a disk has a fixed
//! number of batches, and who finds none free waits for one.
//!
//! Locks: the device has its own spin lock; counts are atomic; wait queues are
//! woken with no lock held but the device's.

mod durable;
mod file;
mod registry;

use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use abi::Errno;
use arrayvec::ArrayVec;
use machine::disk::{Busy, Operation, SECTOR, Segment};
use machine::frames::Frame;
use sync::WaitQueue;

use durable::Durable;
pub use file::open;
pub use registry::{
    MAJOR, MINORS, find, find_all, find_name, flush_all, for_each, index_of, interrupt, number,
};

/// Threads that can have requests under way at once.
const BATCHES: usize = 32;
/// Segments that are put together at a time.
const SEGMENTS: usize = 64;
const PAGE: usize = abi::memory::PAGE_SIZE;

/// What a disk has done since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub reads: u64,
    pub sectors_read: u64,
    pub writes: u64,
    pub sectors_written: u64,
    pub flushes: u64,
}

#[derive(Default)]
struct Counters {
    reads: AtomicU64,
    sectors_read: AtomicU64,
    writes: AtomicU64,
    sectors_written: AtomicU64,
    flushes: AtomicU64,
}

/// One disk.
pub struct Disk {
    device: machine::disk::Disk,
    /// A bit for each batch in use.
    taken: AtomicU32,
    batches: [State; BATCHES],
    /// Woken when a batch is free again.
    idle: WaitQueue,
    /// Woken when the device has room for requests again.
    room: WaitQueue,
    counters: Counters,
    durable: Durable,
}

struct State {
    /// Requests under way.
    pending: AtomicU32,
    /// One of the batch's requests was a write.
    writes: AtomicBool,
    failed: AtomicBool,
    done: WaitQueue,
}

impl Disk {
    fn new(device: machine::disk::Disk) -> Disk {
        let state = || State {
            pending: AtomicU32::new(0),
            writes: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            done: WaitQueue::new(),
        };
        Disk {
            device,
            taken: AtomicU32::new(0),
            batches: core::array::from_fn(|_| state()),
            idle: WaitQueue::new(),
            room: WaitQueue::new(),
            counters: Counters::default(),
            durable: Durable::default(),
        }
    }

    pub fn sectors(&self) -> u64 {
        self.device.sectors()
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.sectors() * SECTOR as u64
    }

    pub fn read_only(&self) -> bool {
        self.device.read_only()
    }

    pub fn statistics(&self) -> Statistics {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            reads: get(&self.counters.reads),
            sectors_read: get(&self.counters.sectors_read),
            writes: get(&self.counters.writes),
            sectors_written: get(&self.counters.sectors_written),
            flushes: get(&self.counters.flushes),
        }
    }

    /// A batch of the caller's own; waits for one.
    pub fn batch<'f>(&self) -> Batch<'_, 'f> {
        let take = |taken: u32| (taken != u32::MAX).then(|| taken | (taken + 1));
        let index = self.idle.wait_until(|| {
            let old = self
                .taken
                .fetch_update(Ordering::Acquire, Ordering::Relaxed, take);
            old.ok().map(|old| old.trailing_ones() as usize)
        });
        Batch {
            disk: self,
            index,
            frames: PhantomData,
        }
    }

    /// Reads or writes whole sectors through `frames`: EIO, EINVAL past the end.
    pub fn transfer(
        &self,
        operation: Operation,
        sector: u64,
        frames: &[Frame],
        length: usize,
    ) -> Result<(), Errno> {
        let batch = self.batch();
        let started = batch.add(operation, sector, frames, 0, length);
        started.and(batch.wait())
    }

    /// Makes durable all writes that have finished: EIO.
    pub fn flush(&self) -> Result<(), Errno> {
        self.durable.flush(|| {
            let batch = self.batch();
            batch.flush();
            batch.wait()
        })
    }

    /// The same, if a write has finished that no flush has covered: EIO.
    pub fn flush_written(&self) -> Result<(), Errno> {
        match self.durable.is_behind() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// The device's interrupt.
    fn interrupt(&self) {
        let finished = self.device.finished(&mut |token, succeeded| {
            let state = &self.batches[token as usize];
            if !succeeded {
                state.failed.store(true, Ordering::Relaxed);
            }
            if state.pending.fetch_sub(1, Ordering::Release) == 1 {
                state.done.wake_one();
            }
        });
        if finished > 0 {
            self.room.wake_all();
        }
    }
}

/// See the module. The caller's frames outlive it, and so the requests.
pub struct Batch<'d, 'f> {
    disk: &'d Disk,
    index: usize,
    frames: PhantomData<&'f [Frame]>,
}

impl<'f> Batch<'_, 'f> {
    fn state(&self) -> &State {
        &self.disk.batches[self.index]
    }

    /// Starts a transfer of `length` bytes between `frames`, from byte `offset`
    /// of the first one on, and the disk: EINVAL if it leaves the disk or is no
    /// number of sectors.
    pub fn add(
        &self,
        operation: Operation,
        sector: u64,
        frames: &'f [Frame],
        offset: usize,
        length: usize,
    ) -> Result<(), Errno> {
        let sectors = (length / SECTOR) as u64;
        let ends = sector.checked_add(sectors);
        if !(offset | length).is_multiple_of(SECTOR)
            || offset + length > frames.len() * PAGE
            || ends.is_none_or(|end| end > self.disk.sectors())
        {
            return Err(Errno::EINVAL);
        }
        let counters = &self.disk.counters;
        let count = match operation {
            Operation::Write => &counters.sectors_written,
            _ => &counters.sectors_read,
        };
        count.fetch_add(sectors, Ordering::Relaxed);
        let most = self.disk.device.most_segments().min(SEGMENTS);
        let mut sector = sector;
        let mut segments = ArrayVec::<Segment<'_>, SEGMENTS>::new();
        let mut at = offset;
        while at < offset + length {
            let within = at % PAGE;
            let part = (PAGE - within).min(offset + length - at);
            segments.push(Segment {
                frame: &frames[at / PAGE],
                offset: within,
                length: part,
            });
            at += part;
            if segments.len() == most || at == offset + length {
                self.start(operation, sector, &segments);
                let bytes: usize = segments.iter().map(|segment| segment.length).sum();
                sector += (bytes / SECTOR) as u64;
                segments.clear();
            }
        }
        Ok(())
    }

    /// Starts a flush.
    fn flush(&self) {
        self.start(Operation::Flush, 0, &[]);
    }

    fn start(&self, operation: Operation, sector: u64, segments: &[Segment<'_>]) {
        let counters = &self.disk.counters;
        let count = match operation {
            Operation::Read => &counters.reads,
            Operation::Write => &counters.writes,
            Operation::Flush => &counters.flushes,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if operation == Operation::Write {
            self.state().writes.store(true, Ordering::Relaxed);
        }
        // Counted before the device can finish it.
        self.state().pending.fetch_add(1, Ordering::Relaxed);
        let token = self.index as u32;
        self.disk.room.wait_until(|| {
            let started = self.disk.device.start(operation, sector, segments, token);
            match started {
                Ok(()) => Some(()),
                Err(Busy) => None,
            }
        });
    }

    /// Waits for all that was added: EIO if any of it failed.
    pub fn wait(&self) -> Result<(), Errno> {
        let state = self.state();
        state
            .done
            .wait_until(|| (state.pending.load(Ordering::Acquire) == 0).then_some(()));
        if state.writes.swap(false, Ordering::Relaxed) {
            self.disk.durable.note_write();
        }
        match state.failed.swap(false, Ordering::Relaxed) {
            true => Err(Errno::EIO),
            false => Ok(()),
        }
    }
}

impl Drop for Batch<'_, '_> {
    fn drop(&mut self) {
        // What was added and not waited for: nobody wants its result.
        let _ = self.wait();
        self.disk
            .taken
            .fetch_and(!(1 << self.index), Ordering::Release);
        self.disk.idle.wake_one();
    }
}
