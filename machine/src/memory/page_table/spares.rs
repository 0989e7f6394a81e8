//! Tables that each CPU keeps for the next that needs one, by the numbers of
//! their frames.

use crate::cpu;
use crate::memory::local::{Local, Slot};
use arrayvec::ArrayVec;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Up to `N` of them for each CPU. The shared part is how many there are.
pub(super) struct Spares<const N: usize>(Local<[u32; N], AtomicUsize>);

impl<const N: usize> Spares<N> {
    pub(super) const fn new() -> Self {
        Self(Local::new(
            [const { Slot::new([0; N], AtomicUsize::new(0)) }; cpu::MAX],
        ))
    }

    /// The one that this CPU kept last.
    #[inline]
    pub(super) fn take(&self) -> Option<u32> {
        self.0.with(|numbers, length| {
            let last = length.load(Relaxed).wrapping_sub(1);
            let number = *numbers.get(last)?;
            length.store(last, Relaxed);
            Some(number)
        })
    }

    /// Keeps one; false if this CPU has enough of them.
    #[inline]
    pub(super) fn keep(&self, number: u32) -> bool {
        self.0.with(|numbers, length| {
            let count = length.load(Relaxed);
            let Some(slot) = numbers.get_mut(count) else {
                return false;
            };
            *slot = number;
            length.store(count + 1, Relaxed);
            true
        })
    }

    /// Takes all that the CPUs keep, and calls `free` for each.
    pub(super) fn take_all(&self, mut free: impl FnMut(u32)) {
        for slot in self.0.slots() {
            let taken: ArrayVec<u32, N> = slot.with(|numbers, length| {
                let count = length.swap(0, Relaxed);
                numbers.iter().copied().take(count).collect()
            });
            // Without the lock: the frames go to other slots.
            taken.into_iter().for_each(&mut free);
        }
    }

    /// How many all CPUs keep. A snapshot.
    pub(super) fn count(&self) -> usize {
        self.0.shared().map(|length| length.load(Relaxed)).sum()
    }
}
