//! Interrupts between CPUs.
//!
//! A shootdown makes others forget translations. Whoever waits for them must
//! itself answer, or two that wait for each other with interrupts off would
//! never end: wait with [`crate::cpu::relax`], and do not wait with a lock held
//! that turns interrupts off.

use super::interrupts::{KICK, SHOOTDOWN};
use super::{apic, area, paging, registers};
use crate::cpu::{self, MAX};
use crate::memory::tlb;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use sync::{interrupts, preempt};

/// Counts requests to flush everything; a CPU has flushed up to its own count.
static FLUSH: AtomicUsize = AtomicUsize::new(0);
static FLUSHED: [AtomicUsize; MAX] = [const { AtomicUsize::new(0) }; MAX];
static STOP: AtomicBool = AtomicBool::new(false);

fn target(cpu: usize) -> u32 {
    area::of(cpu).apic_id.get()
}

/// Interrupts `cpu` so that it looks at its run queue.
#[inline]
pub fn kick(cpu: usize) {
    let _off = interrupts::off();
    apic::send(target(cpu), KICK);
}

/// Interrupts the CPUs of `mask` except this one, so that each calls
/// [`answer`]. Does not wait.
pub fn shootdown(mask: u64) {
    let _off = interrupts::off();
    let own = cpu::id();
    for cpu in 0..cpu::count() {
        if cpu != own && mask & 1 << cpu != 0 {
            apic::send(target(cpu), SHOOTDOWN);
        }
    }
}

/// Does what other CPUs wait for. Called by the interrupt and by spin loops.
#[inline]
pub fn answer() {
    flush_here();
    tlb::answer();
}

#[inline]
fn flush_here() {
    let _off = interrupts::off();
    let own = &FLUSHED[cpu::id()];
    let wanted = FLUSH.load(Ordering::Acquire);
    if own.load(Ordering::Relaxed) != wanted {
        paging::flush_all();
        own.store(wanted, Ordering::Release);
    }
}

/// Makes every CPU forget all translations, and waits until they have.
pub fn flush_everywhere() {
    let _pinned = preempt::disable();
    let wanted = FLUSH.fetch_add(1, Ordering::AcqRel) + 1;
    shootdown(u64::MAX);
    flush_here();
    for flushed in &FLUSHED[..cpu::count()] {
        while flushed.load(Ordering::Acquire) < wanted {
            cpu::relax();
        }
    }
}

/// A CPU that joins has nothing old to flush.
pub fn join(cpu: usize) {
    FLUSHED[cpu].store(FLUSH.load(Ordering::Acquire), Ordering::Release);
}

/// Stops all other CPUs for good, whatever they do: for a panic.
pub fn stop_others() {
    STOP.store(true, Ordering::SeqCst);
    for cpu in 0..cpu::count() {
        if cpu != cpu::id() {
            apic::send_nmi(target(cpu));
        }
    }
}

/// Stops this CPU if another has panicked.
pub fn stop_if_asked() {
    if STOP.load(Ordering::SeqCst) {
        registers::halt_for_ever();
    }
}
