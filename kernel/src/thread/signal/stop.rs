//! Stopping a process and letting it go on. All its threads stop before they
//! return to user mode, and the last one to do so tells the parent.

use super::super::group::Members;
use super::super::{Current, Group, SIGNALED, STOPPED, Thread, job_control};
use super::tell_parent;
use crate::signal::{STOPPING, set_of};
use abi::process::{WAIT_CONTINUED, WCONTINUED, WNOWAIT, WUNTRACED, wait_stopped};
use abi::signal::{CLD_CONTINUED, CLD_STOPPED, SIGCONT};
use core::sync::atomic::Ordering;

/// How far a process is stopped.
#[derive(Default)]
pub struct Stop {
    /// The signal that stops it.
    signal: Option<u32>,
    /// A stop signal was taken to be acted on, and no SIGCONT has come since.
    taken: bool,
    /// Tells one stop from the next.
    number: u64,
    /// How many threads have stopped.
    arrived: usize,
}

impl Stop {
    /// A thread has taken `signal` to act on it.
    pub(super) fn taken(&mut self, signal: u32) {
        self.taken |= set_of(signal) & STOPPING != 0;
    }
}

impl Members {
    /// Ends the stop; false if there is none.
    pub(super) fn go_on(&mut self) -> bool {
        self.stop.taken = false;
        let was_stopped = self.forget_stop();
        for thread in self.threads.values() {
            thread.pending.fetch_and(!STOPPED, Ordering::Relaxed);
        }
        was_stopped
    }

    /// As the last thread ends, too; false if there is no stop.
    pub(in crate::thread) fn forget_stop(&mut self) -> bool {
        let was_stopped = self.stop.signal.take().is_some();
        if was_stopped {
            job_control::count_stopped(false);
        }
        was_stopped
    }

    /// A thread that joins a stopped process stops, too.
    pub(in crate::thread) fn stop_newcomer(&self, thread: &Thread) {
        if self.stop.signal.is_some() {
            thread.pending.fetch_or(STOPPED, Ordering::Relaxed);
        }
    }

    /// The signal that has stopped the process, once the last of its threads has.
    fn stopped_by(&self) -> Option<u32> {
        let all = !self.threads.is_empty() && self.stop.arrived == self.threads.len();
        self.stop.signal.filter(|_| all)
    }
}

impl Group {
    /// Stops all threads, unless a SIGCONT has come meanwhile.
    pub(super) fn stop(&self, signal: u32) {
        let mut members = self.members.lock();
        if !members.stop.taken || members.ending() {
            return;
        }
        members.stop.taken = false;
        if members.stop.signal.is_none() {
            job_control::count_stopped(true);
            members.stop.number += 1;
            members.stop.arrived = 0;
        }
        members.stop.signal = Some(signal);
        for thread in members.threads.values() {
            thread.pending.fetch_or(STOPPED, Ordering::Release);
            crate::sched::interrupt(thread);
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.members.lock().stop.signal.is_some()
    }

    /// Notes that it has stopped, by the signal that is given back, if it has now. The
    /// report changes under the lock of the members, as the stop does: so the last of
    /// both is what the parent finds.
    pub(in crate::thread) fn note_stopped(&self, members: &Members) -> Option<u32> {
        let signal = members.stopped_by()?;
        self.report.store(wait_stopped(signal), Ordering::Release);
        Some(signal)
    }

    /// The parent is told.
    pub(in crate::thread) fn tell_stopped(&self, signal: u32) {
        tell_parent(self, CLD_STOPPED, signal as i32);
    }

    /// Notes that it goes on, as above.
    pub(super) fn note_continued(&self, _members: &Members) {
        self.report.store(WAIT_CONTINUED, Ordering::Release);
    }

    /// Its threads wake, and the parent is told.
    pub(super) fn tell_continued(&self) {
        self.continued.wake_all();
        tell_parent(self, CLD_CONTINUED, SIGCONT as i32);
    }

    /// Whether there is what a parent that waits with `options` has not heard yet.
    pub(in crate::thread) fn has_report(&self, options: usize) -> bool {
        is_wanted(self.report.load(Ordering::Acquire), options)
    }

    /// Takes it, or looks at it only (`WNOWAIT`): the status word of a stop or of
    /// going on.
    pub(in crate::thread) fn take_report(&self, options: usize) -> Option<i32> {
        let report = self.report.load(Ordering::Acquire);
        if options & WNOWAIT != 0 {
            return is_wanted(report, options).then_some(report);
        }
        let take = || {
            self.report
                .compare_exchange(report, 0, Ordering::AcqRel, Ordering::Relaxed)
        };
        (is_wanted(report, options) && take().is_ok()).then_some(report)
    }
}

fn is_wanted(report: i32, options: usize) -> bool {
    match report {
        0 => false,
        WAIT_CONTINUED => options & WCONTINUED != 0,
        _ => options & WUNTRACED != 0,
    }
}

/// Where the running thread of a stopped process stays until that goes on or ends.
pub(in crate::thread) fn wait(current: &Current) {
    let group = current.group();
    let mut members = group.members.lock();
    if members.stop.signal.is_none() {
        current.pending.fetch_and(!STOPPED, Ordering::Relaxed);
        return;
    }
    members.stop.arrived += 1;
    let number = members.stop.number;
    let stopped_by = group.note_stopped(&members);
    drop(members);
    if let Some(signal) = stopped_by {
        group.tell_stopped(signal);
    }
    let over = || {
        let members = group.members.lock();
        let goes_on = members.stop.signal.is_none() || members.stop.number != number;
        goes_on.then_some(())
    };
    current.killable(|| {
        // Interrupted: it ends, as `live` sees next.
        let _ = group.continued.wait_interruptible(over, None);
    });
    // A call that the stop has interrupted goes on: see `deliver`.
    current.pending.fetch_or(SIGNALED, Ordering::Relaxed);
}

/// Whether `thread`'s process is stopped.
pub(in crate::thread) fn is_stopped(thread: &Thread) -> bool {
    thread.pending.load(Ordering::Relaxed) & STOPPED != 0
}
