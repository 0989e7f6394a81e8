//! What every spin lock does around its word: preemption, interrupts, ranks.
//!
//! Purpose: one copy of it for [`crate::SpinLock`] and [`crate::TicketLock`].
//! Key types: [`Hold`]. Locks: none of its own.

use core::marker::PhantomData;

use crate::rank::{self, Kind, Order, Rank};
use crate::{cpu_local, interrupts, preempt};

/// The CPU is set as a lock of rank `R` needs it, from before the attempt to
/// take the lock until after its release.
pub(crate) struct Hold<R> {
    /// Whether interrupts were on; false where the rank leaves them alone.
    interrupts_were_enabled: bool,
    /// A spin lock is released on the CPU that took it.
    not_send: PhantomData<*mut ()>,
    rank: PhantomData<fn() -> R>,
}

impl<R: Rank> Hold<R> {
    const SPINS: () = assert!(
        !matches!(R::KIND, Kind::Sleeping),
        "a spin lock needs a rank whose kind is Spinning or InterruptsOff"
    );

    /// Prepares the CPU for an attempt.
    #[inline(always)]
    pub(crate) fn enter() -> Self {
        let () = Self::SPINS;
        let interrupts_were_enabled = if R::INTERRUPTS_OFF {
            interrupts::enter()
        } else {
            cpu_local::preempt_enter();
            false
        };
        Self {
            interrupts_were_enabled,
            not_send: PhantomData,
            rank: PhantomData,
        }
    }

    /// Before anything else: may this lock be taken here?
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn taking(lock: *const (), order: Order) {
        rank::taking::<R>(lock, order);
    }

    /// The attempt succeeded.
    #[inline(always)]
    #[cfg_attr(debug_assertions, track_caller)]
    pub(crate) fn taken(&self, lock: *const ()) {
        rank::taken::<R>(lock);
    }

    /// The lock is about to be released.
    #[inline(always)]
    pub(crate) fn releasing(&self, lock: *const ()) {
        rank::released::<R>(lock);
    }

    /// Undoes `enter`, after the release or a failed attempt.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        if R::INTERRUPTS_OFF {
            interrupts::leave(self.interrupts_were_enabled);
        } else {
            preempt::leave();
        }
    }
}
