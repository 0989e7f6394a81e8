//! wait4: waiting for children with an address space of their own.

use super::family::{Found, Which};
use super::{Current, Group, registry};
use crate::memory::user;
use abi::Errno;
use abi::process::WNOHANG;
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

/// Waits for a child to end, stores its status word at `status_out` unless
/// null, and forgets the child. Its id, or 0 with `WNOHANG` if all are alive.
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
) -> Result<usize, Errno> {
    // WUNTRACED, WCONTINUED and Linux's own __WALL family select nothing more here.
    const KNOWN: usize = WNOHANG | 2 | 8 | 0xe000_0000;
    // An int: a sign-extended upper half says nothing.
    let options = options as u32 as usize;
    if options & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let group = current.group();
    let selection = Selection::new(pid, group)?;
    loop {
        let look = || {
            let found = registry::family(|family| {
                family.find(group.id(), selection.which, |child| {
                    selection.accepts(child)
                })
            });
            match found {
                Found::Ended(pid, status) => Some(Ok((pid, status))),
                Found::None => Some(Err(Errno::ECHILD)),
                Found::Alive if options & WNOHANG != 0 => Some(Ok((0, 0))),
                Found::Alive => None,
            }
        };
        let waited = group.child_ended.wait_interruptible(look, None);
        let (pid, status) = waited.map_err(|_| Errno::EINTR)??;
        if pid == 0 {
            return Ok(0);
        }
        if status_out != 0 {
            user::write_value(status_out, &status)?;
        }
        // A peer may have been faster.
        if registry::family(|family| family.reap(group.id(), pid)) {
            drop(registry::ids().remove_group(pid));
            // Peers that wait for this one child would wait for ever.
            group.child_ended.wake_all();
            return Ok(pid as usize);
        }
    }
}
