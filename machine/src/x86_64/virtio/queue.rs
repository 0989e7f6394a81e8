//! The split virtqueue (section 2.7): a table of descriptors, a ring of those
//! that wait for the device, and a ring of those it has used.
//!
//! A request has a slot: the slot's descriptor in the main table points to a
//! table of the slot's own (an indirect one, section 2.7.5.3), so that a
//! request takes one descriptor however many segments it has.

use crate::address::PAGE_SIZE;
use crate::memory::frames::Run;
use core::sync::atomic::{AtomicU16, Ordering, fence};

/// Requests in flight; a power of two.
pub const SLOTS: usize = 64;
/// Descriptors of a request.
pub const DESCRIPTORS: usize = 64;

const INDIRECT: u16 = 4;
const DEVICE_WRITES: u16 = 2;
const NEXT: u16 = 1;
/// The device does not want to be told of new requests.
const NO_NOTIFY: u16 = 1;

#[derive(Clone, Copy)]
#[repr(C)]
struct Descriptor {
    address: u64,
    length: u32,
    flags: u16,
    next: u16,
}

#[repr(C)]
struct Used {
    slot: u32,
    length: u32,
}

/// The memory that driver and device share.
pub struct Area {
    /// Descriptors, then the available ring; on the next page the used ring.
    rings: Run,
    /// One table of [`DESCRIPTORS`] for each slot.
    tables: Run,
}

const AVAILABLE: usize = SLOTS * size_of::<Descriptor>();
const USED: usize = PAGE_SIZE;
const TABLE: usize = DESCRIPTORS * size_of::<Descriptor>();

const _: () = assert!(AVAILABLE + 4 + 2 * SLOTS <= USED && 4 + 8 * SLOTS <= PAGE_SIZE);

impl Area {
    fn new() -> Option<Self> {
        let area = Self {
            rings: Run::alloc(2)?,
            tables: Run::alloc((SLOTS * TABLE).div_ceil(PAGE_SIZE))?,
        };
        // SAFETY: the run is this area's own, and as long.
        unsafe { area.rings.as_ptr().write_bytes(0, 2 * PAGE_SIZE) };
        Some(area)
    }

    pub fn descriptors(&self) -> u64 {
        self.rings.physical() as u64
    }

    pub fn available(&self) -> u64 {
        (self.rings.physical() + AVAILABLE) as u64
    }

    pub fn used(&self) -> u64 {
        (self.rings.physical() + USED) as u64
    }

    fn at<T>(&self, offset: usize) -> *mut T {
        self.rings.as_ptr().wrapping_add(offset).cast()
    }

    /// An index or flags, which both sides look at.
    fn word(&self, offset: usize) -> &AtomicU16 {
        // SAFETY: aligned, inside the run, and used as atomic only.
        unsafe { &*self.at(offset) }
    }
}

/// A part of memory that the device reads or writes.
pub struct Part {
    pub physical: u64,
    pub length: u32,
    pub device_writes: bool,
}

/// See the module. The caller holds the lock that guards it.
pub struct Queue {
    area: Area,
    /// Entries put into the available ring, and taken from the used one.
    put: u16,
    taken: u16,
}

impl Queue {
    pub fn new() -> Option<Self> {
        Some(Self {
            area: Area::new()?,
            put: 0,
            taken: 0,
        })
    }

    pub fn area(&self) -> &Area {
        &self.area
    }

    /// Hands a request to the device; whether the device wants to be told.
    ///
    /// # Safety
    /// The slot is below [`SLOTS`] and in no use. The parts, at most
    /// [`DESCRIPTORS`], are memory that the device may use until it gives the
    /// slot back.
    pub unsafe fn put(&mut self, slot: usize, parts: impl Iterator<Item = Part>) -> bool {
        let table = slot * TABLE;
        let first: *mut Descriptor = self.area.tables.as_ptr().wrapping_add(table).cast();
        let mut count = 0;
        for part in parts {
            assert!(count < DESCRIPTORS, "too many parts");
            let writes = if part.device_writes { DEVICE_WRITES } else { 0 };
            let descriptor = Descriptor {
                address: part.physical,
                length: part.length,
                flags: writes | NEXT,
                next: count as u16 + 1,
            };
            // SAFETY: inside the slot's table, which the device does not use.
            unsafe { first.add(count).write(descriptor) };
            count += 1;
        }
        // SAFETY: as above; there is at least one part, the header.
        unsafe { (*first.add(count - 1)).flags &= !NEXT };
        let indirect = Descriptor {
            address: (self.area.tables.physical() + table) as u64,
            length: (count * size_of::<Descriptor>()) as u32,
            flags: INDIRECT,
            next: 0,
        };
        // SAFETY: the slot's descriptor, which the device does not use.
        unsafe {
            self.area
                .at::<Descriptor>(slot * size_of::<Descriptor>())
                .write(indirect);
        }
        let entry = AVAILABLE + 4 + 2 * (usize::from(self.put) % SLOTS);
        self.area.word(entry).store(slot as u16, Ordering::Relaxed);
        self.put = self.put.wrapping_add(1);
        // The device sees the request before it sees the index.
        self.area
            .word(AVAILABLE + 2)
            .store(self.put, Ordering::Release);
        // The index is out before the device's wish is read.
        fence(Ordering::SeqCst);
        self.area.word(USED).load(Ordering::Relaxed) & NO_NOTIFY == 0
    }

    /// A slot that the device has given back.
    pub fn take(&mut self) -> Option<usize> {
        let used = self.area.word(USED + 2).load(Ordering::Acquire);
        if used == self.taken {
            return None;
        }
        let entry = USED + 4 + 8 * (usize::from(self.taken) % SLOTS);
        // SAFETY: aligned and inside the run; the device wrote it before the
        // index, and leaves it alone until it comes round.
        let used = unsafe { self.area.at::<Used>(entry).read_volatile() };
        self.taken = self.taken.wrapping_add(1);
        Some(used.slot as usize)
    }
}
