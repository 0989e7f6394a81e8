//! The virtio disk (section 5.2).

use super::device::Device;
use super::queue::{DESCRIPTORS, Part, Queue, SLOTS};
use crate::disk::{Busy, Operation, SECTOR, Segment};
use crate::memory::frames::{Frame, Run};
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use sync::{SpinLock, rank};

const SEGMENTS_MOST: u64 = 1 << 2;
const READ_ONLY: u64 = 1 << 5;
const FLUSH: u64 = 1 << 9;
const INDIRECT: u64 = 1 << 28;

// Where things are in the configuration.
const CAPACITY: usize = 0;
const MOST_SEGMENTS: usize = 12;

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH_OUT: u32 = 4;
const OK: u8 = 0;
/// What the status says until the device has written it.
const UNSET: u8 = 0xff;

/// What a request begins with.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    operation: u32,
    reserved: u32,
    sector: u64,
}

const HEADERS: usize = SLOTS * size_of::<Header>();

/// A request that the device has.
struct Slot {
    token: u32,
    /// Held until it comes back.
    _frames: ArrayVec<Frame, { DESCRIPTORS - 2 }>,
}

impl Slot {
    /// Lets go of the frames; whose request it was. In this order: as soon as the
    /// owner knows, it may give up its own references, and the last one must not
    /// go in an interrupt handler.
    fn finish(self) -> u32 {
        self.token
    }
}

struct State {
    queue: Queue,
    /// One for each slot of the queue; too much for a stack.
    slots: Vec<Option<Slot>>,
    /// Slots in no use.
    free: ArrayVec<u8, SLOTS>,
    /// The headers of all slots, then their status bytes.
    headers: Run,
}

pub struct Disk {
    device: Device,
    sectors: u64,
    features: u64,
    most_segments: usize,
    state: SpinLock<State, rank::Disk>,
}

/// Calls `found` with each disk there is.
pub fn find(found: &mut dyn FnMut(Disk)) {
    super::find(
        super::BLOCK,
        &mut |device| match Disk::start_device(device) {
            Some(disk) => found(disk),
            None => log::warn!("a virtio disk cannot be set up and is ignored"),
        },
    );
}

/// None without memory.
fn empty_slots() -> Option<Vec<Option<Slot>>> {
    let mut slots = Vec::new();
    slots.try_reserve_exact(SLOTS).ok()?;
    slots.resize_with(SLOTS, || None);
    Some(slots)
}

impl Disk {
    fn start_device(device: Device) -> Option<Self> {
        let features = device.negotiate(SEGMENTS_MOST | READ_ONLY | FLUSH, INDIRECT)?;
        let word = |offset| u64::from(device.configuration(offset));
        let sectors = word(CAPACITY) | word(CAPACITY + 4) << 32;
        let offered = match features & SEGMENTS_MOST {
            0 => 1,
            _ => word(MOST_SEGMENTS) as usize,
        };
        let state = State {
            queue: Queue::new()?,
            slots: empty_slots()?,
            free: (0..SLOTS as u8).rev().collect(),
            headers: Run::alloc(1)?,
        };
        if !device.start(SLOTS as u16, state.queue.area()) {
            return None;
        }
        Some(Self {
            device,
            sectors,
            features,
            most_segments: offered.clamp(1, DESCRIPTORS - 2),
            state: SpinLock::new(state),
        })
    }

    pub fn sectors(&self) -> u64 {
        self.sectors
    }

    pub fn read_only(&self) -> bool {
        self.features & READ_ONLY != 0
    }

    pub fn most_segments(&self) -> usize {
        self.most_segments
    }

    pub fn line(&self) -> usize {
        self.device.line
    }

    pub fn start(
        &self,
        operation: Operation,
        sector: u64,
        segments: &[Segment<'_>],
        token: u32,
    ) -> Result<(), Busy> {
        let code = match operation {
            Operation::Read => IN,
            Operation::Write => OUT,
            // Without the feature the device writes through.
            Operation::Flush if self.features & FLUSH == 0 => OUT,
            Operation::Flush => FLUSH_OUT,
        };
        assert!(segments.len() <= self.most_segments, "too many segments");
        let mut state = self.state.lock();
        let State {
            queue,
            slots,
            free,
            headers,
        } = &mut *state;
        let slot = usize::from(free.pop().ok_or(Busy)?);
        let header = Header {
            operation: code,
            reserved: 0,
            sector,
        };
        let status = HEADERS + slot;
        // SAFETY: the header and status of a slot that the device does not use.
        unsafe {
            headers.as_ptr().cast::<Header>().add(slot).write(header);
            headers.as_ptr().add(status).write_volatile(UNSET);
        }
        let physical = |offset: usize| (headers.physical() + offset) as u64;
        let first = Part {
            physical: physical(slot * size_of::<Header>()),
            length: size_of::<Header>() as u32,
            device_writes: false,
        };
        let last = Part {
            physical: physical(status),
            length: 1,
            device_writes: true,
        };
        let data = segments.iter().map(|segment| {
            assert!(segment.offset + segment.length <= crate::address::PAGE_SIZE);
            debug_assert!((segment.offset | segment.length).is_multiple_of(SECTOR));
            Part {
                physical: (segment.frame.physical() + segment.offset) as u64,
                length: segment.length as u32,
                device_writes: operation == Operation::Read,
            }
        });
        slots[slot] = Some(Slot {
            token,
            _frames: segments
                .iter()
                .map(|segment| segment.frame.share())
                .collect(),
        });
        let parts = core::iter::once(first).chain(data).chain([last]);
        // SAFETY: the slot was free. Its frames are held until it comes back,
        // header and status as long as the disk, and frames are memory that
        // anyone may change at any time.
        let notify = unsafe { queue.put(slot, parts) };
        drop(state);
        if notify {
            self.device.notify();
        }
        Ok(())
    }

    pub fn finished(&self, each: &mut dyn FnMut(u32, bool)) -> usize {
        // First: what finishes from here on interrupts again.
        self.device.acknowledge();
        let mut count = 0;
        let mut state = self.state.lock();
        while let Some(slot) = state.queue.take() {
            let Some(done) = state.slots.get_mut(slot).and_then(Option::take) else {
                continue;
            };
            // SAFETY: the slot's status, which the device has written.
            let status = unsafe { state.headers.as_ptr().add(HEADERS + slot).read_volatile() };
            state.free.push(slot as u8);
            each(done.finish(), status == OK);
            count += 1;
        }
        count
    }
}
