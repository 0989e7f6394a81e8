//! Setting a device up (section 3.1), whatever bus it is on.

use super::queue::Area;
use super::{mmio, pci};

const ACKNOWLEDGE: u8 = 1;
const DRIVER: u8 = 2;
const DRIVER_OK: u8 = 4;
const FEATURES_OK: u8 = 8;
const FAILED: u8 = 128;

/// The device follows version 1 of the specification.
const VERSION_1: u64 = 1 << 32;

/// How a device is reached.
pub enum Transport {
    Mmio(mmio::Registers),
    Pci(pci::Registers),
}

pub struct Device {
    pub transport: Transport,
    /// The line of its interrupt.
    pub line: usize,
}

macro_rules! both {
    ($self:ident, $registers:ident => $act:expr) => {
        match &$self.transport {
            Transport::Mmio($registers) => $act,
            Transport::Pci($registers) => $act,
        }
    };
}

impl Device {
    /// Resets the device and agrees on those of `wanted` features that it has;
    /// which. None if it refuses, or lacks one of `needed`.
    pub fn negotiate(&self, wanted: u64, needed: u64) -> Option<u64> {
        self.set_status(0);
        while self.status() != 0 {
            core::hint::spin_loop();
        }
        self.set_status(ACKNOWLEDGE | DRIVER);
        let offered = both!(self, registers => registers.features());
        let agreed = offered & (wanted | needed | VERSION_1);
        if agreed & (needed | VERSION_1) != needed | VERSION_1 {
            self.give_up();
            return None;
        }
        both!(self, registers => registers.set_features(agreed));
        self.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
        if self.status() & FEATURES_OK == 0 {
            self.give_up();
            return None;
        }
        Some(agreed)
    }

    /// Gives the device its first queue, and lets it work. False if it does
    /// not take a queue of that size.
    pub fn start(&self, size: u16, area: &Area) -> bool {
        let taken = both!(self, registers => registers.set_queue(size, area));
        if taken {
            self.set_status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
        } else {
            self.give_up();
        }
        taken
    }

    pub fn give_up(&self) {
        self.set_status(FAILED);
    }

    fn status(&self) -> u8 {
        both!(self, registers => registers.status())
    }

    fn set_status(&self, status: u8) {
        both!(self, registers => registers.set_status(status));
    }

    /// Says that the queue has something new.
    pub fn notify(&self) {
        both!(self, registers => registers.notify());
    }

    /// Takes note of an interrupt, before the queue is looked at.
    pub fn acknowledge(&self) {
        both!(self, registers => registers.acknowledge());
    }

    /// Reads the device's own configuration, 4 bytes from `offset` on.
    pub fn configuration(&self, offset: usize) -> u32 {
        both!(self, registers => registers.configuration(offset))
    }
}
