//! Signals in motion: sending them ([`send`]), delivering them before a return
//! to user mode ([`deliver`], [`frame`]), and stopping processes ([`stop`]).
//!
//! What waits for a process stands in its group, what waits for a thread in
//! the thread. Either changes under the lock of the group's members, so that
//! sending to a process chooses a thread that does not block the signal, and a
//! thread that blocks one hands it on. A thread's own lock, taken inside, is
//! for those who look at it from elsewhere.
//!
//! `SIGNALED` in a thread's pending word says: look. It is set whenever there
//! may be something to deliver, ends every sleep that can be interrupted, and
//! is cleared by the thread itself once it finds nothing, so none is lost.

mod calls;
mod deliver;
mod descriptor;
mod frame;
mod send;
mod stop;

pub use calls::*;
pub(super) use deliver::deliver;
pub use descriptor::{SignalFd, open_signals};
pub use send::send_to_self;
pub(super) use send::{force, tell_parent};
pub use stop::Stop;
pub(super) use stop::{is_stopped, wait};

use super::group::Members;
use super::view::SignalSets;
use super::{Group, SIGNALED, Thread};
use crate::signal::{Info, Pending, Set, UNBLOCKABLE};
use abi::signal::SigStack;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// A thread's own part.
pub struct Signals {
    /// Those that are not delivered now.
    mask: Set,
    /// The mask to go back to, while a call waits under another (sigsuspend(2)).
    saved_mask: Option<Set>,
    /// Those that it blocks and waits for (sigtimedwait(2)): they are for it,
    /// whatever else the process does with them.
    awaited: Set,
    pending: Pending,
    /// Where handlers with SA_ONSTACK run; none if its size is 0.
    stack: SigStack,
}

impl Signals {
    /// A new thread's.
    pub const fn new(mask: Set, stack: SigStack) -> Signals {
        Signals {
            mask,
            saved_mask: None,
            awaited: 0,
            pending: Pending::new(),
            stack,
        }
    }

    /// Those that are not for this thread now.
    fn unwanted(&self) -> Set {
        self.mask & !self.awaited
    }
}

impl Thread {
    /// What a thread inherits: the mask, and the alternate stack unless the
    /// two share their memory.
    pub(super) fn inherit_signals(&self, from: &Thread, shares_memory: bool) {
        let from = from.signals.lock();
        let (mask, stack) = (from.mask, from.stack);
        drop(from);
        let mut signals = self.signals.lock();
        signals.mask = mask;
        if !shares_memory {
            signals.stack = stack;
        }
    }

    /// exec: the alternate stack was part of the old program.
    pub(super) fn forget_signal_stack(&self) {
        self.signals.lock().stack = SigStack::default();
    }

    pub(super) fn blocks(&self, signal: u32) -> bool {
        self.signals.lock().unwanted() & crate::signal::set_of(signal) != 0
    }

    /// For those who look.
    pub fn signal_sets(&self) -> SignalSets {
        let signals = self.signals.lock();
        SignalSets {
            pending: signals.pending.set(),
            blocked: signals.mask,
        }
    }

    /// Whether it waits for `signal`, which then does nothing else.
    fn awaits(&self, signal: u32) -> bool {
        self.signals.lock().awaited & crate::signal::set_of(signal) != 0
    }

    /// Has the thread look for signals.
    fn alert(self: &Arc<Self>) {
        self.pending.fetch_or(SIGNALED, Ordering::Release);
        crate::sched::interrupt(self);
    }
}

impl Group {
    /// Takes the next signal for `thread`, which is running, among `among`
    /// (those that it does not block, for delivery). With none left to
    /// deliver, the thread need not look again.
    fn take_signal(&self, thread: &Thread, among: Option<Set>) -> Option<Info> {
        let mut members = self.members.lock();
        let mut signals = thread.signals.lock();
        let wanted = among.unwrap_or(!signals.mask);
        let own = signals.pending.take(wanted);
        let mut info = own.or_else(|| members.pending.take(wanted));
        if let Some(info) = &info {
            members.stop.taken(info.signal);
        }
        if (signals.pending.set() | members.pending.set()) & !signals.mask == 0 && info.is_none() {
            thread.pending.fetch_and(!SIGNALED, Ordering::Relaxed);
        }
        drop(signals);
        drop(members);
        if let Some(info) = &mut info {
            self.timers().taken(info, |timer| {
                let mut members = self.members.lock();
                let mut signals = thread.signals.lock();
                let own = signals.pending.take_of_timer(timer);
                own + members.pending.take_of_timer(timer)
            });
        }
        info
    }

    /// Says what `thread`, which is running, waits for from now on.
    fn await_signals(&self, thread: &Thread, set: Set) {
        let _members = self.members.lock();
        let mut signals = thread.signals.lock();
        signals.awaited = signals.mask & set;
    }

    /// Changes what `thread`, which is running, blocks; what it blocks from now
    /// on goes to a peer that does not.
    fn set_mask(&self, thread: &Thread, mask: Set) {
        let mask = mask & !UNBLOCKABLE;
        let mut members = self.members.lock();
        let mut signals = thread.signals.lock();
        signals.mask = mask;
        if (signals.pending.set() | members.pending.set()) & !mask != 0 {
            thread.pending.fetch_or(SIGNALED, Ordering::Relaxed);
        }
        drop(signals);
        members.hand_on();
    }
}

impl Members {
    /// Sees to it that for each signal of the process that waits, a thread
    /// that does not block it is alert, if there is one.
    pub(super) fn hand_on(&mut self) {
        if self.pending.set() == 0 {
            return;
        }
        for thread in self.threads.values() {
            if self.pending.set() & !thread.signals.lock().unwanted() != 0 && !thread.must_exit() {
                thread.alert();
            }
        }
    }

    /// Forgets `set` wherever it waits in the process.
    fn discard(&mut self, set: Set) {
        self.pending.discard(set);
        for thread in self.threads.values() {
            thread.signals.lock().pending.discard(set);
        }
    }
}
