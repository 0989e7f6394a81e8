//! virtio devices in memory (section 4.2), as a microvm has them. They cannot
//! be enumerated: the firmware's tables say where they are ([`set_places`]).

use super::device::{Device, Transport};
use super::queue::Area;
use crate::x86_64::acpi::VirtioPlace;
use crate::x86_64::interrupts::{self, Trigger};
use crate::x86_64::paging;
use arrayvec::ArrayVec;
use sync::OnceCell;

const MAGIC: usize = 0x000;
const VERSION: usize = 0x004;
const DEVICE_ID: usize = 0x008;
const DEVICE_FEATURES: usize = 0x010;
const DEVICE_FEATURES_SELECT: usize = 0x014;
const DRIVER_FEATURES: usize = 0x020;
const DRIVER_FEATURES_SELECT: usize = 0x024;
const QUEUE_SELECT: usize = 0x030;
const QUEUE_SIZE_MOST: usize = 0x034;
const QUEUE_SIZE: usize = 0x038;
const QUEUE_READY: usize = 0x044;
const QUEUE_NOTIFY: usize = 0x050;
const INTERRUPT_STATUS: usize = 0x060;
const INTERRUPT_ACKNOWLEDGE: usize = 0x064;
const STATUS: usize = 0x070;
const QUEUE_DESCRIPTORS: usize = 0x080;
const QUEUE_DRIVER: usize = 0x090;
const QUEUE_DEVICE: usize = 0x0a0;
const CONFIGURATION: usize = 0x100;
const LENGTH: usize = 0x200;

const MAGIC_VALUE: u32 = 0x7472_6976;

static PLACES: OnceCell<ArrayVec<VirtioPlace, 32>> = OnceCell::new();

/// Keeps what the firmware's tables say for [`find`].
pub fn set_places(mut places: ArrayVec<VirtioPlace, 32>) {
    // QEMU fills them from the top: the first disk is in the highest.
    places.sort_unstable_by_key(|place| core::cmp::Reverse(place.address));
    // Boot calls this once.
    let _ = PLACES.set(places);
}

pub fn find(kind: u32, found: &mut dyn FnMut(Device)) {
    for place in PLACES.get().into_iter().flatten() {
        let registers = Registers {
            base: paging::map_device(place.address, LENGTH),
        };
        if registers.read(MAGIC) != MAGIC_VALUE || registers.read(DEVICE_ID) != kind {
            continue;
        }
        if registers.read(VERSION) != 2 {
            log::warn!(
                "a virtio device of an old version is ignored; \
                 QEMU needs `-global virtio-mmio.force-legacy=false`"
            );
            continue;
        }
        let line = place.line as usize;
        if interrupts::enable_line(line, Trigger::LevelHigh) {
            found(Device {
                transport: Transport::Mmio(registers),
                line,
            });
        }
    }
}

pub struct Registers {
    base: usize,
}

impl Registers {
    fn read(&self, register: usize) -> u32 {
        // SAFETY: the registers are mapped for good; reading them is harmless.
        unsafe { ((self.base + register) as *const u32).read_volatile() }
    }

    fn write(&self, register: usize, value: u32) {
        // SAFETY: the registers are mapped for good. What is written makes the
        // device touch no memory but its queue's, which is set aside for it.
        unsafe { ((self.base + register) as *mut u32).write_volatile(value) };
    }

    pub fn status(&self) -> u8 {
        self.read(STATUS) as u8
    }

    pub fn set_status(&self, status: u8) {
        self.write(STATUS, status.into());
    }

    pub fn features(&self) -> u64 {
        let half = |select| {
            self.write(DEVICE_FEATURES_SELECT, select);
            u64::from(self.read(DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    pub fn set_features(&self, features: u64) {
        for select in 0..2 {
            self.write(DRIVER_FEATURES_SELECT, select);
            self.write(DRIVER_FEATURES, (features >> (32 * select)) as u32);
        }
    }

    pub fn set_queue(&self, size: u16, area: &Area) -> bool {
        self.write(QUEUE_SELECT, 0);
        if self.read(QUEUE_SIZE_MOST) < size.into() {
            return false;
        }
        self.write(QUEUE_SIZE, size.into());
        for (register, address) in [
            (QUEUE_DESCRIPTORS, area.descriptors()),
            (QUEUE_DRIVER, area.available()),
            (QUEUE_DEVICE, area.used()),
        ] {
            self.write(register, address as u32);
            self.write(register + 4, (address >> 32) as u32);
        }
        self.write(QUEUE_READY, 1);
        true
    }

    pub fn notify(&self) {
        self.write(QUEUE_NOTIFY, 0);
    }

    pub fn acknowledge(&self) {
        self.write(INTERRUPT_ACKNOWLEDGE, self.read(INTERRUPT_STATUS));
    }

    pub fn configuration(&self, offset: usize) -> u32 {
        self.read(CONFIGURATION + offset)
    }
}
