//! Time from the time stamp counter, and the one-shot timer of each CPU.

use super::features::{Feature, has};
use super::registers::{TSC_DEADLINE, read_tsc, write_msr};
use super::{apic, calibrate, clock};
use crate::cpu::MAX;
use crate::hooks;
use core::sync::atomic::{AtomicU64, Ordering};

/// The counter when time began.
static START: AtomicU64 = AtomicU64::new(0);
/// Nanoseconds in a tick of the counter, as a fraction of 2^32.
static NS_PER_TICK: AtomicU64 = AtomicU64::new(1 << 32);
/// Ticks of the counter, and of the interrupt controller's clock, in a
/// nanosecond, as fractions of 2^32.
static TICKS_PER_NS: AtomicU64 = AtomicU64::new(1 << 32);
static APIC_TICKS_PER_NS: AtomicU64 = AtomicU64::new(1 << 32);
static WALL_CLOCK: AtomicU64 = AtomicU64::new(0);

/// When the timer of each CPU is to fire; `NEVER` if it is not armed. Written
/// by the CPU itself.
static DEADLINES: [AtomicU64; MAX] = [const { AtomicU64::new(NEVER) }; MAX];
const NEVER: u64 = u64::MAX;

/// Finds out how fast the clocks are. Once, on the boot CPU.
pub fn init() {
    let rates = calibrate::measure();
    NS_PER_TICK.store(ratio(1_000_000_000, rates.tsc_hz), Ordering::Relaxed);
    TICKS_PER_NS.store(ratio(rates.tsc_hz, 1_000_000_000), Ordering::Relaxed);
    APIC_TICKS_PER_NS.store(ratio(rates.apic_hz, 1_000_000_000), Ordering::Relaxed);
    START.store(read_tsc(), Ordering::Relaxed);
    WALL_CLOCK.store(clock::read(), Ordering::Relaxed);
    start_cpu();
    ::log::debug!(
        "tsc {} kHz, apic {} kHz",
        rates.tsc_hz / 1000,
        rates.apic_hz / 1000
    );
}

/// Makes the timer of this CPU ready.
pub fn start_cpu() {
    apic::mask_timer(false);
}

fn ratio(top: u64, bottom: u64) -> u64 {
    ((u128::from(top) << 32) / u128::from(bottom)) as u64
}

#[inline]
fn scale(value: u64, by: &AtomicU64) -> u64 {
    ((u128::from(value) * u128::from(by.load(Ordering::Relaxed))) >> 32) as u64
}

#[inline]
pub fn now() -> u64 {
    // Counters of CPUs may differ by a little.
    let ticks = read_tsc().saturating_sub(START.load(Ordering::Relaxed));
    scale(ticks, &NS_PER_TICK)
}

pub fn set_timer(deadline: Option<u64>) {
    let _off = sync::interrupts::off();
    let deadline = deadline.unwrap_or(NEVER);
    DEADLINES[super::cpu::id()].store(deadline, Ordering::Relaxed);
    arm(deadline);
}

/// Sets the hardware. It may fire early, where its counter is too short.
fn arm(deadline: u64) {
    if has(Feature::TscDeadline) {
        let ticks = match deadline {
            NEVER => 0,
            deadline => (START.load(Ordering::Relaxed) + scale(deadline, &TICKS_PER_NS)).max(1),
        };
        // SAFETY: the register exists, and the timer is in this mode.
        unsafe { write_msr(TSC_DEADLINE, ticks) };
    } else if deadline == NEVER {
        apic::set_count(0);
    } else {
        let ticks = scale(deadline.saturating_sub(now()), &APIC_TICKS_PER_NS);
        apic::set_count(u32::try_from(ticks).unwrap_or(u32::MAX).max(1));
    }
}

/// The timer interrupt of this CPU.
pub fn fired(in_user_mode: bool) {
    let own = &DEADLINES[super::cpu::id()];
    let deadline = own.load(Ordering::Relaxed);
    if now() < deadline {
        if deadline != NEVER {
            arm(deadline);
        }
        return;
    }
    own.store(NEVER, Ordering::Relaxed);
    if let Some(hooks) = hooks::get() {
        hooks.timer(in_user_mode);
    }
}

pub fn wall_clock_at_boot() -> u64 {
    WALL_CLOCK.load(Ordering::Relaxed)
}

pub fn counter() -> (u64, u64) {
    let (start, rate) = (&START, &NS_PER_TICK);
    (start.load(Ordering::Relaxed), rate.load(Ordering::Relaxed))
}
