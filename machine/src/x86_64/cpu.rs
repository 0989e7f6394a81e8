//! This CPU and the others.

use super::registers::enable_interrupts_and_halt;
use super::{ipi, smp};
use core::sync::atomic::{AtomicUsize, Ordering};

pub(super) static RUNNING: AtomicUsize = AtomicUsize::new(1);

#[inline]
pub fn id() -> usize {
    sync::cpu_local::cpu() as usize
}

#[inline]
pub fn count() -> usize {
    RUNNING.load(Ordering::Acquire)
}

pub fn start_others(main: fn() -> !) {
    smp::start_others(main);
}

pub fn wait_for_interrupt() {
    enable_interrupts_and_halt();
}

#[inline]
pub fn answer() {
    if !sync::interrupts::enabled() {
        ipi::answer();
    }
}

/// Forgetting all translations is a write of a control register, which serializes.
pub fn synchronize() {
    ipi::flush_everywhere();
}

pub fn kick(cpu: usize) {
    ipi::kick(cpu);
}
