//! What each CPU keeps of free memory, so that most uses meet nobody else's.
//!
//! A slot belongs to its CPU, but any CPU may empty it when memory is short
//! (see [`super::gather`]), so it has a lock, which is nearly always free. Not
//! for interrupt handlers. Beside its own part, a slot has a part `S` that all
//! may read without the lock.

use crate::cpu;
use sync::{SpinLock, rank};

/// Two lines apart, since CPUs fetch lines in pairs.
#[repr(align(128))]
pub(crate) struct Slot<T, S> {
    shared: S,
    own: SpinLock<T, rank::Spares>,
}

impl<T, S> Slot<T, S> {
    pub(crate) const fn new(own: T, shared: S) -> Self {
        Self {
            shared,
            own: SpinLock::new(own),
        }
    }

    /// Runs `act` on the slot. `act` does not come back to any slot.
    #[inline]
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T, &S) -> R) -> R {
        act(&mut self.own.lock(), &self.shared)
    }
}

pub(crate) struct Local<T, S> {
    slots: [Slot<T, S>; cpu::MAX],
}

impl<T, S> Local<T, S> {
    /// `Local::new([const { Slot::new(own, shared) }; cpu::MAX])`.
    pub(crate) const fn new(slots: [Slot<T, S>; cpu::MAX]) -> Self {
        Self { slots }
    }

    /// As [`Slot::with`], on this CPU's. A thread that is moved to another CPU
    /// right before uses the slot of the one it left: no harm is in that.
    #[inline]
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T, &S) -> R) -> R {
        self.slots[cpu::id()].with(act)
    }

    /// The slots of all CPUs.
    pub(crate) fn slots(&self) -> &[Slot<T, S>] {
        &self.slots
    }

    /// What all may read, CPU by CPU.
    pub(crate) fn shared(&self) -> impl Iterator<Item = &S> {
        self.slots.iter().map(|slot| &slot.shared)
    }
}
