//! The local interrupt controller of each CPU: its timer, and interrupts to
//! other CPUs. In x2APIC mode where there is one, else through its page.

use super::area;
use super::features::{Feature, has};
use super::interrupts::{SPURIOUS, TIMER};
use super::paging;
use super::registers::{APIC_BASE, read_msr, write_msr};
use core::sync::atomic::{AtomicUsize, Ordering};

const ID: usize = 0x20;
const TASK_PRIORITY: usize = 0x80;
const END: usize = 0xb0;
const SPURIOUS_VECTOR: usize = 0xf0;
const COMMAND: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
const TIMER_ENTRY: usize = 0x320;
const LINT0: usize = 0x350;
const LINT1: usize = 0x360;
const ERROR_ENTRY: usize = 0x370;
const INITIAL_COUNT: usize = 0x380;
const CURRENT_COUNT: usize = 0x390;
const DIVIDER: usize = 0x3e0;

const MASKED: u32 = 1 << 16;
const DEADLINE_MODE: u32 = 2 << 17;
const DIVIDE_BY_1: u32 = 0b1011;
const DELIVER_NMI: u32 = 4 << 8;
const DELIVER_INIT: u32 = 5 << 8 | 1 << 14;
const DELIVER_START: u32 = 6 << 8 | 1 << 14;
const PENDING: u32 = 1 << 12;
const ENABLE: u64 = 1 << 11;
const ENABLE_X2APIC: u64 = 1 << 10;

/// Where the registers are mapped; unused in x2APIC mode.
static REGISTERS: AtomicUsize = AtomicUsize::new(0);

/// Maps the registers. Once, on the boot CPU.
pub fn init(physical: usize) {
    if !has(Feature::X2apic) {
        REGISTERS.store(paging::map_device(physical, 4096), Ordering::Relaxed);
    }
}

/// Turns on the controller of this CPU.
pub fn enable() {
    let mode = if has(Feature::X2apic) {
        ENABLE | ENABLE_X2APIC
    } else {
        ENABLE
    };
    // SAFETY: the register exists wherever there is a local APIC, which all
    // x86-64 machines this runs on have.
    unsafe { write_msr(APIC_BASE, read_msr(APIC_BASE) | mode) };
    write(TASK_PRIORITY, 0);
    write(LINT0, MASKED);
    write(LINT1, DELIVER_NMI);
    write(ERROR_ENTRY, MASKED);
    write(SPURIOUS_VECTOR, 1 << 8 | u32::from(SPURIOUS));
    write(DIVIDER, DIVIDE_BY_1);
    let mode = if has(Feature::TscDeadline) {
        DEADLINE_MODE
    } else {
        0
    };
    write(TIMER_ENTRY, mode | u32::from(TIMER));
    area::own().apic_id.set(id());
}

/// The number of this CPU's controller.
pub fn id() -> u32 {
    let id = read(ID);
    if has(Feature::X2apic) { id } else { id >> 24 }
}

/// Ends the interrupt in service.
#[inline]
pub fn end_of_interrupt() {
    write(END, 0);
}

/// Starts the timer for so many ticks of the controller's clock; 0 stops it.
#[inline]
pub fn set_count(ticks: u32) {
    write(INITIAL_COUNT, ticks);
}

/// Ticks left.
pub fn count() -> u32 {
    read(CURRENT_COUNT)
}

/// Lets the timer count without interrupts, or again with them.
pub fn mask_timer(masked: bool) {
    let mask = if masked { MASKED } else { 0 };
    let deadline = !masked && has(Feature::TscDeadline);
    let mode = if deadline { DEADLINE_MODE } else { 0 };
    write(TIMER_ENTRY, mode | mask | u32::from(TIMER));
}

/// Raises `vector` on the CPU with controller `target`.
#[inline]
pub fn send(target: u32, vector: u8) {
    command(target, u32::from(vector) | 1 << 14);
}

pub fn send_nmi(target: u32) {
    command(target, DELIVER_NMI | 1 << 14);
}

pub fn send_init(target: u32) {
    command(target, DELIVER_INIT);
}

/// Starts a CPU after `send_init`, in real mode at the page `page`.
pub fn send_start(target: u32, page: usize) {
    command(target, DELIVER_START | (page >> 12) as u32);
}

/// Interrupts are off, so that nothing comes between the two halves.
fn command(target: u32, command: u32) {
    if has(Feature::X2apic) {
        // SAFETY: the register exists in x2APIC mode; what the interrupt does
        // is its handler's business.
        unsafe { write_msr(msr(COMMAND), u64::from(target) << 32 | u64::from(command)) };
        return;
    }
    while read(COMMAND) & PENDING != 0 {
        core::hint::spin_loop();
    }
    write(COMMAND_HIGH, target << 24);
    write(COMMAND, command);
}

fn msr(register: usize) -> u32 {
    0x800 + (register >> 4) as u32
}

#[inline]
fn read(register: usize) -> u32 {
    if has(Feature::X2apic) {
        // SAFETY: one of the controller's registers, in x2APIC mode.
        return unsafe { read_msr(msr(register)) } as u32;
    }
    let address = REGISTERS.load(Ordering::Relaxed) + register;
    // SAFETY: the page of registers is mapped for good.
    unsafe { (address as *const u32).read_volatile() }
}

#[inline]
fn write(register: usize, value: u32) {
    if has(Feature::X2apic) {
        // SAFETY: as in `read`; values are those of this module.
        unsafe { write_msr(msr(register), u64::from(value)) };
        return;
    }
    let address = REGISTERS.load(Ordering::Relaxed) + register;
    // SAFETY: as in `read`.
    unsafe { (address as *mut u32).write_volatile(value) };
}
