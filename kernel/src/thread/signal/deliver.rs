//! Delivery: what a thread does about its signals before it returns to user
//! mode, and what becomes of a call that they interrupted.

use super::super::{Current, Group, Interrupted, job_control, rseq};
use super::frame;
use crate::signal::{Effect, Info, set_of};
use abi::call;
use abi::futex::*;
use abi::process::wait_signaled;
use abi::signal::*;

/// Acts on the next signal that calls a handler, or ends or stops the process;
/// on none that does nothing.
pub(in crate::thread) fn deliver(current: &mut Current) {
    let group = current.group().clone();
    while let Some(info) = group.take_signal(current, None) {
        let table = group.actions();
        let mut actions = table.lock();
        let effect = actions.effect(info.signal);
        let action = actions.get(info.signal);
        if effect == Effect::Handled && action.flags & SA_RESETHAND != 0 {
            actions.reset(info.signal);
        }
        drop(actions);
        match effect {
            Effect::Nothing => {}
            // Those for one native thread were acted on as they were sent.
            Effect::Ends => return group.end(wait_signaled(info.signal)),
            // It looks again for other signals when it goes on.
            Effect::Stops if may_stop(&group, info.signal) => return group.stop(info.signal),
            Effect::Stops => {}
            Effect::Handled => return handle(current, info, action),
        }
    }
    go_back(current);
}

/// A key or the terminal does not stop those whom nobody would let go on.
fn may_stop(group: &Group, signal: u32) -> bool {
    let orphaned = || job_control::is_orphaned(group.process_group(), group.session());
    signal == SIGSTOP || orphaned() != Ok(true)
}

/// Has the thread call the handler.
fn handle(current: &mut Current, info: Info, action: SigAction) {
    if let Some(call) = current.interrupted.take()
        && (restarts_always(call) || action.flags & SA_RESTART != 0 && restarts(call))
    {
        repeat(current, call);
    }
    current.resume_at = None;
    let mut signals = current.signals.lock();
    let mask = signals.mask;
    let old_mask = signals.saved_mask.take().unwrap_or(mask);
    drop(signals);
    if !rseq::leave_for(current, info.signal) {
        return current.end_by(info.signal);
    }
    if frame::push(current, info, action, old_mask).is_err() {
        log::warn!(
            "{} (thread {}): no room on the stack for the handler of signal {}",
            current.group().name(),
            current.tid(),
            info.signal,
        );
        return current.end_by(SIGSEGV);
    }
    let own = match action.flags & SA_NODEFER {
        0 => set_of(info.signal),
        _ => 0,
    };
    let group = current.group().clone();
    group.set_mask(current, mask | action.mask | own);
}

/// No handler: the thread goes on as if there had been no signal.
fn go_back(current: &mut Current) {
    let saved = current.signals.lock().saved_mask.take();
    if let Some(mask) = saved {
        let group = current.group().clone();
        group.set_mask(current, mask);
    }
    if let Some(call) = current.interrupted.take() {
        repeat(current, call);
    }
}

/// Lets the thread make `call` again.
fn repeat(current: &mut Current, call: Interrupted) {
    let regs = current.regs();
    regs.set_result(call.number);
    let ip = regs.ip() - SYSCALL_LENGTH;
    regs.set_ip(ip);
}

/// The bytes of the `syscall` instruction.
const SYSCALL_LENGTH: usize = 2;

/// Whether a call is made again whatever the handler asks for: a lock, or to be moved
/// to one, is waited for until a moment, if not for ever.
fn restarts_always(call: Interrupted) -> bool {
    let command = call.operation & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    call.number == call::FUTEX
        && matches!(
            command,
            FUTEX_LOCK_PI | FUTEX_LOCK_PI2 | FUTEX_WAIT_REQUEUE_PI
        )
}

/// Whether a call is made again after a handler with SA_RESTART (signal(7)):
/// not those that wait for a time, for signals or for what System V has.
fn restarts(call: Interrupted) -> bool {
    match call.number {
        call::POLL
        | call::PPOLL
        | call::SELECT
        | call::PSELECT6
        | call::EPOLL_WAIT
        | call::EPOLL_PWAIT
        | call::EPOLL_PWAIT2
        | call::PAUSE
        | call::NANOSLEEP
        | call::CLOCK_NANOSLEEP
        | call::RT_SIGSUSPEND
        | call::RT_SIGTIMEDWAIT
        | call::MSGSND
        | call::MSGRCV
        | call::SEMOP
        | call::SEMTIMEDOP
        | call::SEM_TIMEDWAIT => false,
        call::FUTEX => !call.has_timeout,
        _ => true,
    }
}
