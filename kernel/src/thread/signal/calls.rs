//! The calls of signals: masks, actions, waiting, the alternate stack.

use super::super::{Current, Group, Thread};
use super::frame;
use crate::signal::{Effect, Info, Set, UNBLOCKABLE, set_of};
use abi::Errno;
use abi::signal::*;

/// rt_sigaction(2): the action of `signal` before; EINVAL for SIGKILL and
/// SIGSTOP, ENOMEM.
pub fn set_action(
    current: &Current,
    signal: u32,
    new: Option<SigAction>,
) -> Result<SigAction, Errno> {
    let group = current.group();
    let table = group.actions();
    let mut actions = table.lock();
    let old = actions.get(signal);
    if let Some(new) = new {
        actions.set(signal, new)?;
        let ignored = actions.effect(signal) == Effect::Nothing;
        drop(actions);
        if ignored {
            group.members.lock().discard(set_of(signal));
        }
    }
    Ok(old)
}

/// rt_sigprocmask(2): the mask before. EINVAL for an unknown `how`.
pub fn change_mask(current: &Current, new: Option<(usize, Set)>) -> Result<Set, Errno> {
    let old = current.signals.lock().mask;
    let mask = match new {
        None => return Ok(old),
        Some((SIG_BLOCK, set)) => old | set,
        Some((SIG_UNBLOCK, set)) => old & !set,
        Some((SIG_SETMASK, set)) => set,
        Some(_) => return Err(Errno::EINVAL),
    };
    current.group().set_mask(current, mask);
    Ok(old)
}

/// rt_sigpending(2): those that wait and are blocked.
pub fn pending(current: &Current) -> Set {
    let mask = current.signals.lock().mask;
    current.group().waiting_for(current) & mask
}

impl Group {
    /// The signals that wait for `thread`, or for any.
    pub(super) fn waiting_for(&self, thread: &Thread) -> Set {
        let members = self.members.lock();
        let signals = thread.signals.lock();
        members.pending.set() | signals.pending.set()
    }
}

/// Does `act` under another mask, if one is given (sigsuspend(2), pselect(2)).
/// If a signal ends it, the mask is put back once that is acted on.
pub fn with_mask<T>(
    current: &mut Current,
    mask: Option<Set>,
    act: impl FnOnce(&mut Current) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let Some(mask) = mask else {
        return act(current);
    };
    let mut signals = current.signals.lock();
    // A call that is made again has its mask back already.
    signals.saved_mask = Some(signals.mask);
    drop(signals);
    current.group().set_mask(current, mask);
    let result = act(current);
    if !matches!(result, Err(Errno::EINTR)) {
        let saved = current.signals.lock().saved_mask.take();
        if let Some(saved) = saved {
            current.group().set_mask(current, saved);
        }
    }
    result
}

/// rt_sigsuspend(2): waits for a signal under another mask; EINTR.
pub fn suspend(current: &mut Current, mask: Set) -> Result<usize, Errno> {
    with_mask(current, Some(mask), |current| pause(current))
}

/// pause(2): waits for a signal; EINTR.
pub fn pause(current: &Current) -> Result<usize, Errno> {
    let never = || None::<()>;
    let _ = current.group().signaled.wait_interruptible(never, None);
    Err(Errno::EINTR)
}

/// rt_sigtimedwait(2): takes a signal of `set`, which the caller blocks; EAGAIN
/// once `deadline` is past, EINTR for a signal outside the set.
pub fn wait_for(
    thread: &Thread,
    group: &Group,
    set: Set,
    deadline: Option<u64>,
) -> Result<Info, Errno> {
    let set = set & !UNBLOCKABLE;
    let take = || group.take_signal(thread, Some(set));
    // Said before the first look: a sender wakes this thread, or is seen by it.
    group.await_signals(thread, set);
    let (mut taken, mut waited) = (take(), Ok(()));
    if taken.is_none() {
        let never = || None::<()>;
        waited = group.signaled.wait_interruptible(never, deadline);
        taken = take();
    }
    group.await_signals(thread, 0);
    match (taken, waited) {
        (Some(info), _) => Ok(info),
        (None, Err(sync::WaitError::TimedOut)) => Err(Errno::EAGAIN),
        (None, _) => Err(Errno::EINTR),
    }
}

/// rt_sigreturn(2): what the handler interrupted goes on. The restored `rax`;
/// a frame that cannot be read ends the process.
pub fn return_from_handler(current: &mut Current) -> usize {
    match frame::pop(current) {
        Ok(result) => result,
        Err(_) => {
            current.end_by(SIGSEGV);
            0
        }
    }
}

/// sigaltstack(2): the alternate stack, and whether the thread is on it.
pub fn stack(current: &mut Current) -> SigStack {
    let stack = current.signals.lock().stack;
    let flags = frame::state_of(&stack, current.regs().stack());
    SigStack { flags, ..stack }
}

/// Sets the alternate stack: EPERM while the thread is on the old one, EINVAL
/// for unknown flags, ENOMEM if it is too small.
pub fn set_stack(current: &mut Current, new: SigStack) -> Result<(), Errno> {
    let sp = current.regs().stack();
    let mut signals = current.signals.lock();
    if frame::is_on(&signals.stack, sp) {
        return Err(Errno::EPERM);
    }
    signals.stack = match new.flags {
        SS_DISABLE => SigStack::default(),
        // Linux takes SS_ONSTACK for 0, too.
        0 | SS_ONSTACK if new.size < MINSIGSTKSZ => return Err(Errno::ENOMEM),
        0 | SS_ONSTACK => SigStack { flags: 0, ..new },
        _ => return Err(Errno::EINVAL),
    };
    Ok(())
}
