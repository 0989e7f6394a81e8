//! wait4: waiting for children with an address space of their own.

use super::family::{Found, Pid, Which};
use super::{Current, Group, registry};
use crate::memory::user;
use crate::sched::Account;
use abi::Errno;
use abi::process::{WCONTINUED, WNOHANG, WUNTRACED};
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

/// Which children, as wait4(2) numbers them.
#[derive(Clone, Copy)]
struct Selection {
    which: Which,
    process_group: Option<u32>,
}

impl Selection {
    fn new(pid: isize, caller: &Group) -> Result<Selection, Errno> {
        let group = |process_group| Selection {
            which: Which::Any,
            process_group,
        };
        Ok(match pid as i32 {
            i32::MIN => return Err(Errno::ESRCH),
            -1 => group(None),
            pid if pid < 0 => group(Some(pid.unsigned_abs())),
            0 => group(Some(caller.process_group())),
            pid => Selection {
                which: Which::One(pid as u32),
                process_group: None,
            },
        })
    }

    fn accepts(self, child: &Group) -> bool {
        !child.is_joined.load(Relaxed)
            && self
                .process_group
                .is_none_or(|id| child.process_group() == id)
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

/// A child of which there was something to tell.
pub struct Waited {
    pub pid: Pid,
    /// What it has used, and those it has waited for itself.
    pub account: Account,
}

/// Waits for a child to end, or with `WUNTRACED` or `WCONTINUED` to stop or go on,
/// stores its status word at `status_out` unless null, and forgets the child.
/// `None` with `WNOHANG` if all are alive.
///
/// # Errors
/// `ECHILD` if there is no such child; `EFAULT` if the status cannot be
/// stored, and then the child is still there for a later wait; `EINTR`;
/// `EINVAL` for unknown options.
pub fn wait(
    current: &Current,
    pid: isize,
    status_out: usize,
    options: usize,
) -> Result<Option<Waited>, Errno> {
    // Linux's own __WALL family selects nothing more here.
    const KNOWN: usize = WNOHANG | WUNTRACED | WCONTINUED | 0xe000_0000;
    // An int: a sign-extended upper half says nothing.
    let options = options as u32 as usize;
    if options & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let group = current.group();
    let selection = Selection::new(pid, group)?;
    loop {
        let look = || {
            let (found, reported) = registry::family(|family| {
                let accepts = |child: &Arc<Group>| selection.accepts(child);
                let found = family.find(group.id(), selection.which, accepts);
                let told = |child: &Arc<Group>| accepts(child) && child.has_report(options);
                let reported = match found {
                    Found::Alive => family.any(group.id(), selection.which, told),
                    _ => None,
                };
                (found, reported)
            });
            match found {
                Found::Ended(pid, status) => Some(Ok(News::Ended(pid, status))),
                Found::None => Some(Err(Errno::ECHILD)),
                Found::Alive if reported.is_some() => reported.map(|child| Ok(News::Told(child))),
                Found::Alive if options & WNOHANG != 0 => Some(Ok(News::None)),
                Found::Alive => None,
            }
        };
        let waited = group.child_ended.wait_interruptible(look, None);
        let (pid, status) = match waited.map_err(|_| Errno::EINTR)?? {
            News::None => return Ok(None),
            News::Ended(pid, status) => (pid, status),
            News::Told(child) => {
                // A peer may have been faster.
                let Some(report) = child.take_report(options) else {
                    continue;
                };
                if status_out != 0 {
                    user::write_value(status_out, &report)?;
                }
                let mut account = child.account();
                account += child.children_account();
                return Ok(Some(Waited {
                    pid: child.id(),
                    account,
                }));
            }
        };
        if status_out != 0 {
            user::write_value(status_out, &status)?;
        }
        // A peer may have been faster.
        if registry::family(|family| family.reap(group.id(), pid)) {
            let child = registry::ids().remove_group(pid);
            let account = child.map(|child| group.inherit_account(&child));
            // Peers that wait for this one child would wait for ever.
            group.child_ended.wake_all();
            return Ok(Some(Waited {
                pid,
                account: account.unwrap_or_default(),
            }));
        }
    }
}
