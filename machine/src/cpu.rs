//! The CPUs: who am I, how many are there, and data that each has its own of.

use crate::arch;
use core::mem::{ManuallyDrop, MaybeUninit};

/// The most CPUs the kernel uses; more are left halted.
pub const MAX: usize = 16;

/// The number of the CPU this runs on, from 0. May be stale at once unless
/// preemption is off.
#[must_use]
#[inline]
pub fn id() -> usize {
    arch::cpu::id()
}

/// CPUs that are running.
#[must_use]
pub fn count() -> usize {
    arch::cpu::count()
}

/// Starts every other CPU in `main`, with interrupts off, and returns when all
/// have got there.
pub fn start_others(main: fn() -> !) {
    arch::cpu::start_others(main);
}

/// Enables interrupts and waits for one, as one act; returns with interrupts
/// on. An interrupt that came before ends the wait at once.
pub fn wait_for_interrupt() {
    arch::cpu::wait_for_interrupt();
}

/// Returns once every CPU, this one included, has passed a full memory barrier and
/// an instruction that serializes, whatever it was doing.
pub fn synchronize() {
    arch::cpu::synchronize();
}

/// Tells the CPU this is a spin loop, and answers what other CPUs wait for.
#[inline]
pub fn relax() {
    core::hint::spin_loop();
    arch::cpu::answer();
}

/// A guard that keeps its holder on this CPU.
///
/// # Safety
/// While a value lives, the thread that made it must not be moved to another
/// CPU.
pub unsafe trait Pinned {}

// SAFETY: preemption is off while either lives, and neither can be sent.
unsafe impl Pinned for sync::preempt::PreemptGuard {}
// SAFETY: as above.
unsafe impl Pinned for sync::interrupts::InterruptGuard {}

/// One `T` for each CPU, each on its own cache lines.
pub struct PerCpu<T> {
    slots: [Padded<T>; MAX],
}

#[repr(align(128))]
struct Padded<T>(T);

impl<T: Sync> PerCpu<T> {
    /// `PerCpu::new([const { T::new() }; cpu::MAX])`.
    #[must_use]
    pub const fn new(values: [T; MAX]) -> Self {
        let mut slots: [MaybeUninit<Padded<T>>; MAX] = [const { MaybeUninit::uninit() }; MAX];
        let values = ManuallyDrop::new(values);
        let source = (&raw const values).cast::<T>();
        let mut index = 0;
        while index < MAX {
            // SAFETY: `index` is in bounds, each element is read once, and
            // `values` is never dropped.
            slots[index].write(Padded(unsafe { source.add(index).read() }));
            index += 1;
        }
        let slots = (&raw const slots).cast::<[Padded<T>; MAX]>();
        Self {
            // SAFETY: every element was written above, and MaybeUninit has the
            // layout of what it holds and drops nothing.
            slots: unsafe { slots.read() },
        }
    }

    /// This CPU's value; the guard keeps the caller here.
    #[inline]
    pub fn here(&self, _guard: &impl Pinned) -> &T {
        &self.slots[id()].0
    }

    /// The value of another CPU, or of any.
    #[inline]
    pub fn of(&self, cpu: usize) -> &T {
        &self.slots[cpu].0
    }

    /// The values of all CPUs that may exist, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|slot| &slot.0)
    }
}
