//! virtio devices on the PCI bus (section 4.1): capabilities say in which
//! memory range of the device the structures lie. Interrupts are messages
//! (MSI-X), on a line of their own.

use super::device::{Device, Transport};
use super::queue::Area;
use crate::x86_64::pci::{self, Function};
use crate::x86_64::{interrupts, paging};

const VENDOR: u16 = 0x1af4;
/// Device ids of version 1 are this and the kind.
const MODERN: u16 = 0x1040;
/// The id of a disk that also speaks the version before 1.
const TRANSITIONAL_BLOCK: u16 = 0x1001;

const VENDOR_CAPABILITY: u8 = 0x09;
const COMMON: u8 = 1;
const NOTIFY: u8 = 2;
const SPECIFIC: u8 = 4;

// The common structure (section 4.1.4.3).
const DEVICE_FEATURES_SELECT: usize = 0x00;
const DEVICE_FEATURES: usize = 0x04;
const DRIVER_FEATURES_SELECT: usize = 0x08;
const DRIVER_FEATURES: usize = 0x0c;
const STATUS: usize = 0x14;
const QUEUE_SELECT: usize = 0x16;
const QUEUE_SIZE: usize = 0x18;
const QUEUE_VECTOR: usize = 0x1a;
const QUEUE_ENABLE: usize = 0x1c;
const QUEUE_NOTIFY_OFFSET: usize = 0x1e;
const QUEUE_DESCRIPTORS: usize = 0x20;
const QUEUE_DRIVER: usize = 0x28;
const QUEUE_DEVICE: usize = 0x30;

pub fn find(kind: u32, found: &mut dyn FnMut(Device)) {
    pci::for_each(&mut |function| {
        let id = function.device();
        let is_kind = u32::from(id) == u32::from(MODERN) + kind
            || id == TRANSITIONAL_BLOCK && kind == super::BLOCK;
        if function.vendor() != VENDOR || !is_kind {
            return;
        }
        let Some(registers) = Registers::map(&function) else {
            log::warn!("a virtio device on the PCI bus lacks version 1 of its registers");
            return;
        };
        function.enable_memory();
        let line = interrupts::take_message_line();
        let Some(line) = line.filter(|&line| function.enable_message(0, line)) else {
            log::warn!("a virtio device on the PCI bus has no message interrupts (MSI-X)");
            return;
        };
        found(Device {
            transport: Transport::Pci(registers),
            line,
        });
    });
}

pub struct Registers {
    common: usize,
    notify: usize,
    notify_multiplier: usize,
    specific: usize,
}

impl Registers {
    fn map(function: &Function) -> Option<Registers> {
        let (mut common, mut notify, mut specific) = (None, None, None);
        let mut notify_multiplier = 0;
        function.for_each_capability(&mut |kind, at| {
            if kind != VENDOR_CAPABILITY {
                return;
            }
            let place = function.read_u8(at + 4);
            let (offset, length) = (function.read(at + 8), function.read(at + 12));
            let structure = match function.read_u8(at + 3) {
                COMMON => &mut common,
                NOTIFY => {
                    notify_multiplier = function.read(at + 16) as usize;
                    &mut notify
                }
                SPECIFIC => &mut specific,
                _ => return,
            };
            // The first of each kind is the preferred one.
            if structure.is_none()
                && let Some(base) = function.memory(place)
            {
                let physical = base + offset as usize;
                *structure = Some(paging::map_device(physical, length as usize));
            }
        });
        Some(Registers {
            common: common?,
            notify: notify?,
            notify_multiplier,
            specific: specific?,
        })
    }

    fn read<T: Copy>(&self, register: usize) -> T {
        // SAFETY: the registers are mapped for good; reading them is harmless.
        unsafe { ((self.common + register) as *const T).read_volatile() }
    }

    fn write<T: Copy>(&self, register: usize, value: T) {
        // SAFETY: the registers are mapped for good. What is written makes the
        // device touch no memory but its queue's, which is set aside for it.
        unsafe { ((self.common + register) as *mut T).write_volatile(value) };
    }

    pub fn status(&self) -> u8 {
        self.read(STATUS)
    }

    pub fn set_status(&self, status: u8) {
        self.write(STATUS, status);
    }

    pub fn features(&self) -> u64 {
        let half = |select: u32| {
            self.write(DEVICE_FEATURES_SELECT, select);
            u64::from(self.read::<u32>(DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    pub fn set_features(&self, features: u64) {
        for select in 0..2u32 {
            self.write(DRIVER_FEATURES_SELECT, select);
            self.write(DRIVER_FEATURES, (features >> (32 * select)) as u32);
        }
    }

    pub fn set_queue(&self, size: u16, area: &Area) -> bool {
        self.write(QUEUE_SELECT, 0u16);
        if self.read::<u16>(QUEUE_SIZE) < size {
            return false;
        }
        self.write(QUEUE_SIZE, size);
        // The first entry of the table of messages; read back, as the device
        // may have no room for it.
        self.write(QUEUE_VECTOR, 0u16);
        if self.read::<u16>(QUEUE_VECTOR) != 0 {
            return false;
        }
        self.write(QUEUE_DESCRIPTORS, area.descriptors());
        self.write(QUEUE_DRIVER, area.available());
        self.write(QUEUE_DEVICE, area.used());
        self.write(QUEUE_ENABLE, 1u16);
        true
    }

    pub fn notify(&self) {
        let offset = usize::from(self.read::<u16>(QUEUE_NOTIFY_OFFSET)) * self.notify_multiplier;
        // SAFETY: as in `write`.
        unsafe { ((self.notify + offset) as *mut u16).write_volatile(0) };
    }

    /// A message says what it is about: there is nothing to take note of.
    pub fn acknowledge(&self) {}

    pub fn configuration(&self, offset: usize) -> u32 {
        // SAFETY: as in `read`.
        unsafe { ((self.specific + offset) as *const u32).read_volatile() }
    }
}
