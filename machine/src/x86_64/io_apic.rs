//! The I/O interrupt controllers: which line raises which vector where.

use super::acpi::{IoApic, Override, Tables};
use super::interrupts::{self, LINES};
use super::paging;
use arrayvec::ArrayVec;
use sync::{SpinLock, rank};

const SELECT: usize = 0x00;
const WINDOW: usize = 0x10;
const VERSION: u32 = 0x01;
const MASKED: u32 = 1 << 16;
const LEVEL: u32 = 1 << 15;
const ACTIVE_LOW: u32 = 1 << 13;

struct Controller {
    registers: usize,
    first: u32,
    lines: u32,
}

struct State {
    controllers: ArrayVec<Controller, 8>,
    overrides: ArrayVec<Override, 16>,
}

static STATE: SpinLock<State, rank::InterruptLines> = SpinLock::new(State {
    controllers: ArrayVec::new_const(),
    overrides: ArrayVec::new_const(),
});

/// How a line signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A rising edge, as ISA devices do.
    Edge,
    /// A low level, as PCI devices do.
    LevelLow,
    /// A high level, as virtio devices in memory do.
    LevelHigh,
}

/// Maps the controllers and masks all lines. Once, on the boot CPU.
pub fn init(tables: &Tables) {
    super::pic::disable();
    let controllers = tables.io_apics.iter().map(controller).collect();
    let mut state = STATE.lock();
    state.controllers = controllers;
    state.overrides = tables.overrides.clone();
    for controller in &state.controllers {
        for line in 0..controller.lines {
            controller.set(line, MASKED, 0);
        }
    }
}

fn controller(found: &IoApic) -> Controller {
    let registers = paging::map_device(found.address, 32);
    let mut controller = Controller {
        registers,
        first: found.first_line,
        lines: 0,
    };
    controller.lines = (controller.read(VERSION) >> 16 & 0xff) + 1;
    controller
}

/// The line of an ISA interrupt, and how it signals.
pub fn isa_line(isa: u8) -> (usize, Trigger) {
    let state = STATE.lock();
    match state.overrides.iter().find(|entry| entry.isa == isa) {
        Some(entry) if entry.flags & 0b1100 == 0b1100 => (entry.line as usize, Trigger::LevelLow),
        Some(entry) => (entry.line as usize, Trigger::Edge),
        None => (usize::from(isa), Trigger::Edge),
    }
}

/// Lets `line` interrupt the boot CPU. False if there is no such line.
pub fn enable(line: usize, trigger: Trigger, target: u32) -> bool {
    if line >= LINES {
        return false;
    }
    let mode = match trigger {
        Trigger::Edge => 0,
        Trigger::LevelLow => LEVEL | ACTIVE_LOW,
        Trigger::LevelHigh => LEVEL,
    };
    let line = line as u32;
    let state = STATE.lock();
    let owner = |controller: &&Controller| {
        (controller.first..controller.first + controller.lines).contains(&line)
    };
    let Some(controller) = state.controllers.iter().find(owner) else {
        return false;
    };
    let vector = u32::from(interrupts::vector_of(line as usize));
    controller.set(line - controller.first, mode | vector, target << 24);
    true
}

impl Controller {
    fn set(&self, line: u32, low: u32, high: u32) {
        let register = 0x10 + line * 2;
        // Masked while the halves differ.
        self.write(register, MASKED);
        self.write(register + 1, high);
        self.write(register, low);
    }

    fn read(&self, register: u32) -> u32 {
        // SAFETY: the registers are mapped for good, and the caller is alone
        // or holds the lock between select and access.
        unsafe {
            ((self.registers + SELECT) as *mut u32).write_volatile(register);
            ((self.registers + WINDOW) as *const u32).read_volatile()
        }
    }

    fn write(&self, register: u32, value: u32) {
        // SAFETY: as in `read`.
        unsafe {
            ((self.registers + SELECT) as *mut u32).write_volatile(register);
            ((self.registers + WINDOW) as *mut u32).write_volatile(value);
        }
    }
}
