//! How fast the time stamp counter and the local APIC's timer run.
//!
//! Hypervisors give the APIC timer a clock of exactly 1 GHz, so there only the
//! counter is measured. Real machines have both measured against the 8254.

use super::apic;
use super::features::{Feature, has};
use super::port::{read_u8, write_u8};
use super::registers::read_tsc;

pub struct Rates {
    pub tsc_hz: u64,
    pub apic_hz: u64,
}

const HYPERVISOR_APIC_HZ: u64 = 1_000_000_000;
const PIT_HZ: u64 = 1_193_182;
/// Windows measured. A window that the host interrupts comes out too long, for
/// the counter is read first at its start and last at its end, so the least of
/// several is the best.
const WINDOWS: usize = 5;

pub fn measure() -> Rates {
    apic::mask_timer(true);
    let apic_hz = if has(Feature::Tcg) || has(Feature::Kvm) {
        HYPERVISOR_APIC_HZ
    } else {
        apic::set_count(u32::MAX);
        least(&|| u64::from(u32::MAX - apic::count()), &pit_window)
    };
    let window = || apic_window(apic_hz);
    let tsc_hz = least(&read_tsc, &window);
    apic::set_count(0);
    Rates { tsc_hz, apic_hz }
}

/// The rate of `counter` per second: `window` waits some time and returns it in
/// nanoseconds.
fn least(counter: &dyn Fn() -> u64, window: &dyn Fn() -> u64) -> u64 {
    let rates = (0..WINDOWS).map(|_| {
        let start = counter();
        let nanoseconds = window();
        let ticks = counter() - start;
        (u128::from(ticks) * 1_000_000_000 / u128::from(nanoseconds.max(1))) as u64
    });
    rates.min().unwrap_or(HYPERVISOR_APIC_HZ).max(1)
}

fn apic_window(apic_hz: u64) -> u64 {
    let ticks = apic_hz / 1000;
    apic::set_count(u32::MAX);
    let start = apic::count();
    loop {
        let passed = u64::from(start - apic::count());
        if passed >= ticks {
            return passed * 1_000_000_000 / apic_hz;
        }
        core::hint::spin_loop();
    }
}

/// Ten milliseconds on channel 0 of the 8254, polled.
fn pit_window() -> u64 {
    const CHANNEL: u16 = 0x40;
    const COMMAND: u16 = 0x43;
    let read = || {
        // SAFETY: latches and reads channel 0, which nothing else uses.
        unsafe {
            write_u8(COMMAND, 0);
            u16::from_le_bytes([read_u8(CHANNEL), read_u8(CHANNEL)])
        }
    };
    // SAFETY: as above; mode 2 from the greatest count.
    unsafe {
        write_u8(COMMAND, 0x34);
        write_u8(CHANNEL, 0);
        write_u8(CHANNEL, 0);
    }
    let start = read();
    loop {
        let passed = u64::from(start.wrapping_sub(read()));
        if passed >= PIT_HZ / 100 {
            return passed * 1_000_000_000 / PIT_HZ;
        }
        core::hint::spin_loop();
    }
}
