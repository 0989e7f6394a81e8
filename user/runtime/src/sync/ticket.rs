//! The ticket lock: who comes first is served first.
//!
//! `next` hands out tickets, `serving` shows whose turn it is; both wrap around
//! and are only ever compared for equality. A waiter far from its turn sleeps
//! at once, one near it after a short spin. Sleepers wait on `serving` with the
//! bit of their ticket, so that a release wakes the one whose turn it is (and
//! those 32 tickets apart, who sleep again).
//!
//! No wake-up is lost: a sleeper counts itself in `sleepers` and then reads
//! `serving`; a release writes `serving` and then reads `sleepers`; all four are
//! sequentially consistent, so one of them sees the other, and the kernel
//! compares `serving` once more before it lets the sleeper sleep.

use super::{RawLock, futex};
use core::sync::atomic::{AtomicU32, Ordering::*};

#[repr(C)]
#[derive(Debug)]
pub struct RawTicketLock {
    next: AtomicU32,
    serving: AtomicU32,
    sleepers: AtomicU32,
}

impl RawTicketLock {
    /// A lock whose counters start anywhere, to test that they wrap.
    pub const fn starting_at(ticket: u32) -> Self {
        RawTicketLock {
            next: AtomicU32::new(ticket),
            serving: AtomicU32::new(ticket),
            sleepers: AtomicU32::new(0),
        }
    }

    /// How many have a ticket and are not done: the holder and those who wait.
    pub fn queued(&self) -> u32 {
        let serving = self.serving.load(SeqCst);
        self.next.load(SeqCst).wrapping_sub(serving)
    }

    #[cold]
    fn wait(&self, ticket: u32) {
        for _ in 0..futex::spins() {
            match ticket.wrapping_sub(self.serving.load(Acquire)) {
                0 => return,
                // Before us somebody waits who may be asleep.
                2.. => break,
                _ => core::hint::spin_loop(),
            }
        }
        self.sleepers.fetch_add(1, SeqCst);
        loop {
            let serving = self.serving.load(SeqCst);
            if serving == ticket {
                break;
            }
            futex::wait(&self.serving, serving, bit(ticket));
        }
        self.sleepers.fetch_sub(1, Relaxed);
    }
}

fn bit(ticket: u32) -> u32 {
    1 << (ticket % 32)
}

// SAFETY: between its ticket's turn and its unlock a thread is alone.
unsafe impl RawLock for RawTicketLock {
    const NEW: Self = RawTicketLock::starting_at(0);

    fn lock(&self) {
        let ticket = self.next.fetch_add(1, Relaxed);
        if self.serving.load(Acquire) != ticket {
            self.wait(ticket);
        }
    }

    fn try_lock(&self) -> bool {
        let serving = self.serving.load(Acquire);
        self.next
            .compare_exchange(serving, serving.wrapping_add(1), Acquire, Relaxed)
            .is_ok()
    }

    fn unlock(&self) {
        // Only the holder writes `serving`.
        let next = self.serving.load(Relaxed).wrapping_add(1);
        self.serving.swap(next, SeqCst);
        if self.sleepers.load(SeqCst) != 0 {
            futex::wake(&self.serving, u32::MAX, bit(next));
        }
    }
}
