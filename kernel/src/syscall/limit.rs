//! The calls that limit what a process may have.

use crate::credentials::{Capability, Credentials, Ids};
use crate::memory::user;
use crate::thread::{self, Current, Group, Limit, Resource};
use abi::Errno;
use alloc::sync::Arc;

/// prlimit(2): the process's limit as it was is stored at `old`, and it is set to
/// the one at `new`, unless these are null.
pub fn prlimit64(
    current: &Current,
    pid: usize,
    resource: usize,
    new: usize,
    old: usize,
) -> Result<usize, Errno> {
    let group = match pid as u32 {
        0 => current.group().clone(),
        pid => thread::process(current, pid as usize)?,
    };
    let resource = known(resource)?;
    check_rights(current, &group)?;
    let new: Option<Limit> = match new {
        0 => None,
        at => Some(read(at)?),
    };
    let before = match new {
        Some(new) => set(current, &group, resource, new)?,
        None => group.limits().get(resource),
    };
    if old != 0 {
        user::write_value(old, &[before.soft, before.hard])?;
    }
    Ok(0)
}

pub fn getrlimit(current: &Current, resource: usize, out: usize) -> Result<usize, Errno> {
    let limit = current.group().limits().get(known(resource)?);
    user::write_value(out, &[limit.soft, limit.hard])?;
    Ok(0)
}

pub fn setrlimit(current: &Current, resource: usize, new: usize) -> Result<usize, Errno> {
    let limit = read(new)?;
    set(current, current.group(), known(resource)?, limit)?;
    Ok(0)
}

fn known(resource: usize) -> Result<Resource, Errno> {
    let resource = Resource::ALL.get(resource as u32 as usize);
    resource.copied().ok_or(Errno::EINVAL)
}

fn read(at: usize) -> Result<Limit, Errno> {
    let [soft, hard] = user::read_value(at)?;
    Ok(Limit { soft, hard })
}

/// Whether the limits of `group` are the caller's business: EPERM for a process
/// that is in any way another user's.
fn check_rights(current: &Current, group: &Arc<Group>) -> Result<(), Errno> {
    if Arc::ptr_eq(group, current.group()) {
        return Ok(());
    }
    let own = current.credentials();
    let is_own = |target: &Credentials| {
        let all = |ids: Ids, id| [ids.real, ids.effective, ids.saved] == [id; 3];
        all(target.user, own.user.real) && all(target.group, own.group.real)
    };
    let thread = group.some_thread();
    match thread.and_then(|thread| thread.with_credentials(is_own)) {
        Some(true) => Ok(()),
        _ => own.require(Capability::Resource),
    }
}

fn set(
    current: &Current,
    group: &Arc<Group>,
    resource: Resource,
    limit: Limit,
) -> Result<Limit, Errno> {
    if limit.soft > limit.hard {
        return Err(Errno::EINVAL);
    }
    let may_raise = current.credentials().may(Capability::Resource);
    thread::set_limit(group, resource, limit, may_raise)
}
