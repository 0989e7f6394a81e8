//! The PCI bus: its functions, found through the configuration ports
//! (PCI Local Bus specification 3.0, section 3.2.2.3).

use super::interrupts;
use super::paging;
use super::port::{read_u32, write_u32};
use sync::{SpinLock, rank};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const ENABLE: u32 = 1 << 31;

/// Guards the two ports, which are used one after the other.
static PORTS: SpinLock<(), rank::InterruptLines> = SpinLock::new(());

const COMMAND: u8 = 0x04;
const COMMAND_MEMORY_AND_MASTER: u32 = 0b110;
const STATUS_CAPABILITIES: u32 = 1 << 20;
const HEADER: u8 = 0x0c;
const BRIDGE: u8 = 1;
const SEVERAL_FUNCTIONS: u8 = 0x80;
const BASES: u8 = 0x10;
const BUSES: u8 = 0x18;
const CAPABILITIES: u8 = 0x34;
const MESSAGES: u8 = 0x11;
const MESSAGES_ENABLE: u32 = 1 << 31;

/// One function of a device.
#[derive(Clone, Copy)]
pub struct Function {
    /// Bus, device and function, as the address port takes them.
    place: u32,
}

/// Calls `act` for each function there is, if there is a bus at all.
pub fn for_each(act: &mut dyn FnMut(Function)) {
    if !exists() {
        return;
    }
    scan(0, 0, act);
}

/// Whether the address port holds what is written to it.
fn exists() -> bool {
    let _ports = PORTS.lock();
    // SAFETY: the port is the bus's, or nobody's.
    unsafe {
        write_u32(ADDRESS, ENABLE);
        read_u32(ADDRESS) == ENABLE
    }
}

/// Visits `bus` and, through bridges, those behind it.
fn scan(bus: u32, depth: u32, act: &mut dyn FnMut(Function)) {
    for device in 0..32 {
        let at = |function: u32| Function {
            place: bus << 16 | device << 11 | function << 8,
        };
        let several = at(0).is_there() && at(0).header() & SEVERAL_FUNCTIONS != 0;
        for function in 0..if several { 8 } else { 1 } {
            let function = at(function);
            if !function.is_there() {
                continue;
            }
            if function.header() & !SEVERAL_FUNCTIONS == BRIDGE {
                let behind = function.read(BUSES) >> 8 & 0xff;
                // A bus is behind its bridge only if the firmware numbered it.
                if behind > bus && depth < 8 {
                    scan(behind, depth + 1, act);
                }
            } else {
                act(function);
            }
        }
    }
}

impl Function {
    /// Four bytes of the configuration from `register` on, a multiple of 4.
    pub fn read(&self, register: u8) -> u32 {
        let _ports = PORTS.lock();
        // SAFETY: reading the configuration changes nothing.
        unsafe {
            write_u32(ADDRESS, ENABLE | self.place | u32::from(register & !3));
            read_u32(DATA)
        }
    }

    pub fn read_u8(&self, register: u8) -> u8 {
        (self.read(register) >> (8 * u32::from(register & 3))) as u8
    }

    fn write(&self, register: u8, value: u32) {
        let _ports = PORTS.lock();
        // SAFETY: written are the rights to answer and to use memory, and the
        // switch of message interrupts.
        unsafe {
            write_u32(ADDRESS, ENABLE | self.place | u32::from(register & !3));
            write_u32(DATA, value);
        }
    }

    fn is_there(&self) -> bool {
        self.vendor() != 0xffff
    }

    fn header(&self) -> u8 {
        (self.read(HEADER) >> 16) as u8
    }

    pub fn vendor(&self) -> u16 {
        self.read(0) as u16
    }

    pub fn device(&self) -> u16 {
        (self.read(0) >> 16) as u16
    }

    /// Lets the function answer in memory, and use memory itself.
    pub fn enable_memory(&self) {
        let command = self.read(COMMAND) & 0xffff;
        self.write(COMMAND, command | COMMAND_MEMORY_AND_MASTER);
    }

    /// Where range `index` (0 to 5) of the function lies in memory.
    pub fn memory(&self, index: u8) -> Option<usize> {
        if index > 5 {
            return None;
        }
        let low = self.read(BASES + 4 * index);
        let is_wide = low & 0b110 == 0b100 && index < 5;
        let high = if is_wide {
            self.read(BASES + 4 * (index + 1))
        } else {
            0
        };
        let base = u64::from(high) << 32 | u64::from(low & !0xf);
        (low & 1 == 0 && base != 0).then_some(base as usize)
    }

    /// Calls `act` with each capability's kind and place.
    pub fn for_each_capability(&self, act: &mut dyn FnMut(u8, u8)) {
        if self.read(COMMAND) & STATUS_CAPABILITIES == 0 {
            return;
        }
        let mut at = self.read_u8(CAPABILITIES) & !3;
        // A list in a circle ends, too.
        for _ in 0..64 {
            if at < 0x40 {
                return;
            }
            act(self.read_u8(at), at);
            at = self.read_u8(at + 1) & !3;
        }
    }

    /// Lets entry `entry` of the function's table of messages (MSI-X) interrupt
    /// the boot CPU on `line`. False if there is no such table.
    pub fn enable_message(&self, entry: usize, line: usize) -> bool {
        let mut capability = None;
        self.for_each_capability(&mut |kind, at| {
            if kind == MESSAGES {
                capability = Some(at);
            }
        });
        let Some(at) = capability else {
            return false;
        };
        let table = self.read(at + 4);
        let Some(base) = self.memory(table as u8 & 0b111) else {
            return false;
        };
        let physical = base + (table & !0b111) as usize + 16 * entry;
        let (address, data) = interrupts::message(line);
        let words = paging::map_device(physical, 16) as *mut u32;
        for (index, word) in [address, 0, data, 0].into_iter().enumerate() {
            // SAFETY: the entry lies in the table, which is mapped for good.
            unsafe { words.add(index).write_volatile(word) };
        }
        self.write(at, self.read(at) | MESSAGES_ENABLE);
        true
    }
}
