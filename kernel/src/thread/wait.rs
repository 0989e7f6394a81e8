//! Waiting for children with an address space of their own: wait4 and waitid.

use super::family::{Found, Pid, Which};
use super::{Current, Group, registry};
use crate::sched::Account;
use abi::Errno;
use abi::process::{
    Ended, WAIT_CONTINUED, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED, wait_stopped,
};
use abi::signal::{CLD_CONTINUED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SIGCONT};
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

/// Which children a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    One(Pid),
    ProcessGroup(Pid),
}

impl Choice {
    /// As wait4(2) numbers them: ESRCH.
    pub fn new(pid: isize, current: &Current) -> Result<Choice, Errno> {
        Ok(match pid as i32 {
            i32::MIN => return Err(Errno::ESRCH),
            -1 => Choice::All,
            0 => Choice::ProcessGroup(current.group().process_group()),
            pid if pid < 0 => Choice::ProcessGroup(pid.unsigned_abs()),
            pid => Choice::One(pid as Pid),
        })
    }

    fn which(self) -> Which {
        match self {
            Choice::One(pid) => Which::One(pid),
            _ => Which::Any,
        }
    }

    fn accepts(self, child: &Group) -> bool {
        let is_member = match self {
            Choice::ProcessGroup(id) => child.process_group() == id,
            _ => true,
        };
        is_member && !child.is_joined.load(Relaxed)
    }
}

/// What became of a child.
#[derive(Clone, Copy)]
pub struct Waited {
    pub pid: Pid,
    /// Its real user.
    pub user: u32,
    /// In wait4(2)'s form.
    pub status: i32,
    /// What it has used, and those it has waited for itself.
    pub account: Account,
}

impl Waited {
    fn new(child: &Group, status: i32) -> Waited {
        let mut account = child.account();
        account += child.children_account();
        Waited {
            pid: child.id(),
            user: child.credentials().user.real,
            status,
            account,
        }
    }

    /// `si_code` and `si_status` of SIGCHLD and waitid(2).
    pub fn code(self) -> (i32, i32) {
        if self.status == WAIT_CONTINUED {
            return (CLD_CONTINUED, SIGCONT as i32);
        }
        let value = self.status >> 8 & 0xff;
        if self.status == wait_stopped(value as u32) {
            return (CLD_STOPPED, value);
        }
        match Ended::from_status(self.status) {
            Ended::Exited(code) => (CLD_EXITED, code.into()),
            Ended::Signaled(signal) => (CLD_KILLED, signal.into()),
        }
    }
}

/// What there is to tell of the children.
enum News {
    Ended(Pid, i32),
    /// Stopped, or going on.
    Told(Arc<Group>),
    /// Nothing, and the caller does not wait.
    None,
}

/// Looks for news of the caller's children: ECHILD. `None` to go on waiting.
fn look(parent: &Group, choice: Choice, options: usize) -> Option<Result<News, Errno>> {
    let which = choice.which();
    let (found, told) = registry::family(|family| {
        let accepts = |child: &Arc<Group>| choice.accepts(child);
        let mut found = family.find(parent.id(), which, accepts);
        if matches!(found, Found::Ended(..)) && options & WEXITED == 0 {
            // Those that have ended do not stop or go on any more.
            let lives = |child: &Arc<Group>| accepts(child) && !child.has_ended();
            found = match family.any(parent.id(), which, lives) {
                Some(_) => Found::Alive,
                None => Found::None,
            };
        }
        let tells = |child: &Arc<Group>| accepts(child) && child.has_report(options);
        let told = match found {
            Found::Alive => family.any(parent.id(), which, tells),
            _ => None,
        };
        (found, told)
    });
    match (found, told) {
        (Found::Ended(pid, status), _) => Some(Ok(News::Ended(pid, status))),
        (Found::None, _) => Some(Err(Errno::ECHILD)),
        (Found::Alive, Some(child)) => Some(Ok(News::Told(child))),
        (Found::Alive, None) if options & WNOHANG != 0 => Some(Ok(News::None)),
        (Found::Alive, None) => None,
    }
}

/// Waits for a child to end (`WEXITED`), to stop or to go on, has `tell` say so,
/// and forgets it, unless `WNOWAIT` is among the options. `None` with `WNOHANG`
/// if nothing has happened.
///
/// # Errors
/// `ECHILD` if there is no such child; `EINTR`; those of `tell`, and then the
/// child's end is still there for a later wait.
pub fn wait(
    current: &Current,
    choice: Choice,
    options: usize,
    mut tell: impl FnMut(Waited) -> Result<(), Errno>,
) -> Result<Option<Waited>, Errno> {
    debug_assert!(options & (WEXITED | WUNTRACED | WCONTINUED) != 0);
    let group = current.group();
    loop {
        let news = group
            .child_ended
            .wait_interruptible(|| look(group, choice, options), None);
        match news.map_err(|_| Errno::EINTR)?? {
            News::None => return Ok(None),
            News::Ended(pid, status) => {
                let Ok(child) = registry::group(pid) else {
                    continue;
                };
                let waited = Waited::new(&child, status);
                tell(waited)?;
                // A peer may have been faster.
                if options & WNOWAIT != 0 || forget(group, &child) {
                    return Ok(Some(waited));
                }
            }
            News::Told(child) => {
                // As above.
                let Some(status) = child.take_report(options) else {
                    continue;
                };
                let waited = Waited::new(&child, status);
                tell(waited)?;
                return Ok(Some(waited));
            }
        }
    }
}

/// Forgets an ended child; false if somebody else did.
fn forget(parent: &Group, child: &Group) -> bool {
    let pid = child.id();
    let forgotten = registry::family(|family| family.reap(parent.id(), pid));
    if forgotten {
        drop(registry::ids().remove_group(pid));
        parent.inherit_account(child);
        // Peers that wait for this one child would wait for ever.
        parent.child_ended.wake_all();
    }
    forgotten
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::process::{wait_exited, wait_signaled};

    #[test]
    fn codes_say_what_the_status_says() {
        let account = Account::default();
        let code = |status| {
            Waited {
                pid: 2,
                user: 0,
                status,
                account,
            }
            .code()
        };
        assert_eq!(code(wait_exited(0)), (CLD_EXITED, 0));
        assert_eq!(code(wait_exited(255)), (CLD_EXITED, 255));
        assert_eq!(code(wait_signaled(9)), (CLD_KILLED, 9));
        assert_eq!(code(wait_stopped(19)), (CLD_STOPPED, 19));
        assert_eq!(code(WAIT_CONTINUED), (CLD_CONTINUED, 18));
    }
}
