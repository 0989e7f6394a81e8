//! One `T` for each CPU that only the code on that CPU touches, with
//! preemption off instead of a lock. Not for interrupt handlers.
//!
//! Beside its own part, a slot has a part `S` that every CPU may read.

use crate::cpu;
#[cfg(target_os = "none")]
use core::cell::UnsafeCell;

#[cfg(target_os = "none")]
type Own<T> = UnsafeCell<T>;
/// Host threads share a CPU number, so there a lock stands in for the CPU.
#[cfg(not(target_os = "none"))]
type Own<T> = std::sync::Mutex<T>;

/// Two lines apart, since CPUs fetch lines in pairs.
#[repr(align(128))]
pub(super) struct Slot<T, S> {
    shared: S,
    own: Own<T>,
}

impl<T, S> Slot<T, S> {
    pub(super) const fn new(own: T, shared: S) -> Self {
        Self {
            shared,
            own: Own::new(own),
        }
    }
}

pub(super) struct Local<T, S> {
    slots: [Slot<T, S>; cpu::MAX],
}

// SAFETY: the own part is touched only through `with`, by the CPU it belongs
// to, and never by two pieces of code there at a time, as preemption is off.
unsafe impl<T: Send, S: Sync> Sync for Local<T, S> {}

impl<T, S> Local<T, S> {
    /// `Local::new([const { Slot::new(own, shared) }; cpu::MAX])`.
    pub(super) const fn new(slots: [Slot<T, S>; cpu::MAX]) -> Self {
        Self { slots }
    }

    /// Runs `act` on this CPU's value. `act` must not come back here.
    #[cfg(target_os = "none")]
    #[inline]
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut T, &S) -> R) -> R {
        debug_assert!(!sync::interrupts::in_handler(), "memory in a handler");
        let _pinned = sync::preempt::disable();
        let slot = &self.slots[cpu::id()];
        // SAFETY: 1. preemption is off, so nothing else runs on this CPU but
        // interrupt handlers, which keep away from here. 2. `act` does not
        // nest, so this is the only reference.
        act(unsafe { &mut *slot.own.get() }, &slot.shared)
    }

    #[cfg(not(target_os = "none"))]
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut T, &S) -> R) -> R {
        let slot = &self.slots[cpu::id()];
        let mut own = slot.own.lock().unwrap_or_else(|poison| poison.into_inner());
        act(&mut own, &slot.shared)
    }

    /// What every CPU may read, CPU by CPU.
    pub(super) fn shared(&self) -> impl Iterator<Item = &S> {
        self.slots.iter().map(|slot| &slot.shared)
    }
}
