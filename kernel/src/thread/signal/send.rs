//! Sending: to a process, to one thread, to oneself for a fault, to a parent.

use super::super::family::INIT;
use super::super::group::Members;
use super::super::{Current, Group, Thread, registry};
use super::descriptor;
use crate::signal::{Effect, Info, STOPPING, set_of};
use abi::Errno;
use abi::process::wait_signaled;
use abi::signal::*;
use alloc::sync::Arc;

impl Group {
    /// Sends a signal to the process: EAGAIN if it is one that queues, and too
    /// many do.
    pub(in crate::thread) fn send(&self, info: Info) -> Result<(), Errno> {
        let signal = info.signal;
        let effect = self.effect(signal);
        // As on Linux, init gets only what it asks for.
        if self.id() == INIT && effect != Effect::Handled {
            return Ok(());
        }
        let mut members = self.members.lock();
        let continued = members.cancel_opposite(signal);
        if continued {
            self.note_continued(&members);
        }
        let wants = |thread: &&Arc<Thread>| !thread.must_exit() && !thread.blocks(signal);
        let first = members.threads.get(&self.id()).filter(wants);
        let target = first.or_else(|| members.threads.values().find(wants));
        let target = target.cloned();
        let is_awaited = target.as_ref().is_some_and(|target| target.awaits(signal));
        // Who waits for a signal takes it as a handler would.
        let effect = if is_awaited { Effect::Handled } else { effect };
        let added = match (effect, target) {
            (Effect::Nothing, Some(_)) => None,
            (Effect::Ends, Some(_)) => {
                members.end(wait_signaled(signal));
                None
            }
            (_, target) => {
                let added = members.pending.add(info);
                if let Some(target) = target {
                    target.alert();
                }
                Some(added)
            }
        };
        drop(members);
        self.sent(added, continued)
    }

    /// SIGCHLD, for what became of `child`.
    pub(in crate::thread) fn send_child(&self, child: &Group, code: i32, status: i32) {
        // A standard signal always finds room.
        let _ = self.send(Info::child(
            child.id(),
            child.credentials().user.real,
            code,
            status,
        ));
    }

    /// Sends a signal to one thread of the process. `alone`: one that ends
    /// ends the thread, and not the process.
    pub(in crate::thread) fn send_to(
        &self,
        thread: &Arc<Thread>,
        info: Info,
        alone: bool,
    ) -> Result<(), Errno> {
        let signal = info.signal;
        let effect = self.effect(signal);
        if self.id() == INIT && effect != Effect::Handled {
            return Ok(());
        }
        let mut members = self.members.lock();
        let continued = members.cancel_opposite(signal);
        if continued {
            self.note_continued(&members);
        }
        let is_awaited = thread.awaits(signal);
        let effect = if is_awaited { Effect::Handled } else { effect };
        let added = match (effect, thread.blocks(signal)) {
            (Effect::Nothing, false) => None,
            (Effect::Ends, false) if alone => {
                thread.tell_to_exit();
                None
            }
            (Effect::Ends, false) => {
                members.end(wait_signaled(signal));
                None
            }
            (_, blocks) => {
                let added = thread.signals.lock().pending.add(info);
                if !blocks {
                    thread.alert();
                }
                Some(added)
            }
        };
        drop(members);
        self.sent(added, continued)
    }

    /// A signal is sent: tells those who watch if it was `added` to those that wait,
    /// and the parent if the process goes on by it.
    fn sent(&self, added: Option<Result<(), Errno>>, continued: bool) -> Result<(), Errno> {
        if added.is_some() {
            descriptor::notify();
        }
        if continued {
            self.tell_continued();
        }
        added.unwrap_or(Ok(()))
    }

    pub(in crate::thread) fn effect(&self, signal: u32) -> Effect {
        self.actions().lock().effect(signal)
    }
}

impl Members {
    /// SIGCONT and the signals that stop cancel each other as they are sent,
    /// whatever the process does with them. True if it goes on by this; under
    /// the same lock as the signal is added, so that it goes on with it.
    fn cancel_opposite(&mut self, signal: u32) -> bool {
        if signal == SIGCONT {
            self.discard(STOPPING);
            return self.go_on();
        }
        if set_of(signal) & STOPPING != 0 {
            self.discard(set_of(SIGCONT));
        }
        false
    }
}

/// A signal that the running thread caused itself; false if no handler can be
/// called for it now. Then the thread must end: it cannot go on as if nothing were.
pub(in crate::thread) fn force(current: &Current, info: Info) -> bool {
    let group = current.group();
    let heard = !current.blocks(info.signal) && group.effect(info.signal) == Effect::Handled;
    // A standard signal always finds room.
    heard && group.send_to(&current.arc(), info, false).is_ok()
}

/// The running thread has asked for what there is a signal for: a write to a pipe
/// that nobody reads, a file larger than it may be.
pub fn send_to_self(signal: u32) {
    let thread = crate::sched::current().arc();
    if let Some(group) = thread.user_group() {
        // Nobody else is to be told, and a standard signal always finds room.
        let _ = group.send_to(&thread, Info::kernel(signal), false);
    }
}

/// Tells a parent that its child `group` was stopped or goes on: SIGCHLD, and
/// whoever waits.
pub(in crate::thread) fn tell_parent(group: &Group, code: i32, status: i32) {
    let Ok(parent) = registry::group(group.parent()) else {
        return;
    };
    if parent.actions().lock().get(SIGCHLD).flags & SA_NOCLDSTOP == 0 {
        parent.send_child(group, code, status);
    }
    parent.child_ended.wake_all();
}
