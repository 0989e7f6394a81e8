//! How a thread ends: it gives back what it owns, tells those who wait, and
//! leaves its CPU. The last thread of a group ends the process.

use super::futex::{self, Word};
use super::{Current, Group, job_control, pi_futex, registry, robust};
use crate::memory::user;
use crate::sched;
use crate::signal::Info;
use abi::futex::FUTEX_BITSET_MATCH_ANY;
use abi::process::{Ended, wait_exited, wait_exited_wide};
use abi::signal::{CLD_EXITED, CLD_KILLED, SA_NOCLDWAIT, SIG_IGN, SIGCHLD};
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

/// exit(2): ends the calling thread with `code`.
pub fn exit_thread(current: &mut Current, code: i32) {
    current.end(wait_exited(code));
}

/// exit_group(2): ends all threads of the process with `code`.
pub fn exit_group(current: &mut Current, code: i32) {
    end_group(current, wait_exited(code));
}

/// The same with a code of 24 bits.
pub fn exit_group_wide(current: &mut Current, code: i32) {
    end_group(current, wait_exited_wide(code));
}

fn end_group(current: &mut Current, status: i32) {
    current.group().end(status);
    current.end(status);
}

/// The end of the running thread, whose status word is `status`.
pub(super) fn finish(current: Current, status: i32) -> ! {
    let tid = current.tid();
    leave_memory(&current, true);
    if let Some(vfork) = &current.own.vfork {
        vfork.complete();
    }
    let joins = current.own.joins.clone();
    let group = current.group().clone();
    let is_native = current.is_native();
    // All resources go before anybody is told: who learns of the end may
    // count on what the thread held.
    current.set_space(None);
    drop(current);

    joins.orphan(tid);
    let stays = is_native && joins.contains(tid);
    // Not to be found any more before the group counts one member less:
    // whoever waited to be alone is.
    let thread = {
        let mut ids = registry::ids();
        // The id stays taken while the group knows a member by it.
        ids.retire_thread(tid)
    };
    drop(thread);
    let whole = group.leave(tid, status);
    if !stays {
        registry::ids().cancel(tid);
    }
    if let Some(whole) = whole {
        end_process(&group, whole);
    }
    if stays {
        joins.exit(tid);
    }
    drop(joins);
    drop(group);
    sched::exit()
}

/// The last acts on user memory: lets go of robust locks, then, for
/// `CLONE_CHILD_CLEARTID`, clears the word and wakes a waiter.
pub(super) fn leave_memory(current: &Current, ends: bool) {
    robust::release(current);
    pi_futex::release(current, ends);
    let word = current.clear_tid.swap(0, Relaxed);
    if word != 0 && user::write_value(word, &0u32).is_ok() {
        let _ = futex::wake(current, Word::shared(word), 1, FUTEX_BITSET_MATCH_ANY);
    }
}

/// The last thread of `group` has gone: the process waits for its parent.
fn end_process(group: &Arc<Group>, status: i32) {
    let pid = group.id();
    if pid == super::family::INIT {
        log::error!("init has ended; powering off");
        crate::files::shut_down();
        machine::power::off(Ended::from_status(status).shell_code());
    }
    if group.session() == pid {
        crate::device::terminal::session_ended(pid as usize);
    }
    group.timers().end();
    group.undo().end(pid);
    let user = group.credentials().user.real;
    let adopted = |child: &Arc<Group>, adopter| {
        child.set_parent(adopter);
        let signal = child.flags().death_signal.load(Relaxed);
        if signal != 0 {
            // A queue that is full loses it, as on Linux.
            let _ = child.send(Info::user(signal, pid, user));
        }
    };
    let (code, value) = match Ended::from_status(status) {
        Ended::Exited(code) => (CLD_EXITED, code),
        Ended::Signaled(signal) => (CLD_KILLED, signal),
    };
    // Its joiner takes it, or nobody: then it is not waited for.
    let is_joined = group.is_joined.load(Relaxed);
    let is_forgotten = is_joined || is_unwanted(group);
    let dependents = job_control::dependent(group);
    let told = registry::family(|family| {
        let told = family.end(pid, status, adopted);
        if is_forgotten {
            family.remove(pid);
        }
        // Under the lock, so that who gets the signal finds the child, and who
        // finds the child has got the signal.
        if let (Some(parent), false) = (&told.0, is_joined) {
            parent.send_child(group, code, i32::from(value));
        }
        told
    });
    if is_forgotten {
        drop(registry::ids().remove_group(pid));
    }
    for group in [&told.0, &told.1].into_iter().flatten() {
        group.child_ended.wake_all();
    }
    job_control::release_orphaned(&dependents);
}

/// Whether the parent said, by ignoring SIGCHLD, that it does not wait for its
/// children (wait(2), NOTES).
fn is_unwanted(group: &Group) -> bool {
    registry::group(group.parent()).is_ok_and(|parent| {
        let action = parent.actions().lock().get(SIGCHLD);
        action.handler == SIG_IGN || action.flags & SA_NOCLDWAIT != 0
    })
}
