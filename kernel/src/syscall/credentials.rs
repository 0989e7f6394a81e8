//! The calls that tell and change whose a thread is. The rules are in
//! [`crate::credentials`]; here the arguments are taken in.

use abi::Errno;
use abi::prctl::{CAPABILITY_VERSION_1, CAPABILITY_VERSION_2, CAPABILITY_VERSION_3};
use alloc::boxed::Box;
use zerocopy::IntoBytes;

use crate::credentials::{Capability, Change, Ids, Set};
use crate::files::allocate::try_vec;
use crate::memory::user;
use crate::thread::{Current, registry};

/// An argument that is an id: EINVAL for minus one, which is none.
fn id(argument: usize) -> Result<u32, Errno> {
    some(argument).ok_or(Errno::EINVAL)
}

/// The same where minus one says to leave it as it is.
fn some(argument: usize) -> Option<u32> {
    let id = argument as u32;
    (id != u32::MAX).then_some(id)
}

fn change_user(current: &mut Current, change: Change) -> Result<usize, Errno> {
    current.set_credentials(current.credentials().with_user(change)?)?;
    Ok(0)
}

fn change_group(current: &mut Current, change: Change) -> Result<usize, Errno> {
    current.set_credentials(current.credentials().with_group(change)?)?;
    Ok(0)
}

pub fn setuid(current: &mut Current, user: usize) -> Result<usize, Errno> {
    change_user(current, Change::Set(id(user)?))
}

pub fn setgid(current: &mut Current, group: usize) -> Result<usize, Errno> {
    change_group(current, Change::Set(id(group)?))
}

pub fn setreuid(current: &mut Current, real: usize, effective: usize) -> Result<usize, Errno> {
    let change = Change::RealAndEffective(some(real), some(effective));
    change_user(current, change)
}

pub fn setregid(current: &mut Current, real: usize, effective: usize) -> Result<usize, Errno> {
    let change = Change::RealAndEffective(some(real), some(effective));
    change_group(current, change)
}

pub fn setresuid(
    current: &mut Current,
    real: usize,
    effective: usize,
    saved: usize,
) -> Result<usize, Errno> {
    let change = Change::All(some(real), some(effective), some(saved));
    change_user(current, change)
}

pub fn setresgid(
    current: &mut Current,
    real: usize,
    effective: usize,
    saved: usize,
) -> Result<usize, Errno> {
    let change = Change::All(some(real), some(effective), some(saved));
    change_group(current, change)
}

/// The old id, whether it was changed or not (setfsuid(2)).
pub fn setfsuid(current: &mut Current, user: usize) -> Result<usize, Errno> {
    let old = current.credentials().user.file;
    if let Some(id) = some(user) {
        let _ = change_user(current, Change::File(id));
    }
    Ok(old as usize)
}

pub fn setfsgid(current: &mut Current, group: usize) -> Result<usize, Errno> {
    let old = current.credentials().group.file;
    if let Some(id) = some(group) {
        let _ = change_group(current, Change::File(id));
    }
    Ok(old as usize)
}

pub fn getresuid(current: &Current, out: [usize; 3]) -> Result<usize, Errno> {
    tell(current.credentials().user, out)
}

pub fn getresgid(current: &Current, out: [usize; 3]) -> Result<usize, Errno> {
    tell(current.credentials().group, out)
}

fn tell(ids: Ids, out: [usize; 3]) -> Result<usize, Errno> {
    let all = [ids.real, ids.effective, ids.saved];
    for (at, id) in out.into_iter().zip(all) {
        user::write_value(at, &id)?;
    }
    Ok(0)
}

/// How many further groups there are, written to `out` unless `room` is 0.
pub fn getgroups(current: &Current, room: usize, out: usize) -> Result<usize, Errno> {
    let groups = current.credentials().groups();
    let room = usize::try_from(room as i32).map_err(|_| Errno::EINVAL)?;
    if room == 0 {
        return Ok(groups.len());
    }
    if room < groups.len() {
        return Err(Errno::EINVAL);
    }
    user::write_bytes(out, groups.as_bytes())?;
    Ok(groups.len())
}

pub fn setgroups(current: &mut Current, count: usize, at: usize) -> Result<usize, Errno> {
    /// As many as Linux takes (`NGROUPS_MAX`).
    const MOST: usize = 65_536;
    current.credentials().require(Capability::SetGroup)?;
    let count = count as u32 as usize;
    if count > MOST {
        return Err(Errno::EINVAL);
    }
    let mut groups = try_vec(count)?;
    groups.resize(count, 0);
    let mut groups: Box<[u32]> = groups.into_boxed_slice();
    user::read_bytes(at, groups.as_mut_bytes())?;
    if groups.contains(&u32::MAX) {
        return Err(Errno::EINVAL);
    }
    current.set_credentials(current.credentials().with_groups(groups)?)?;
    Ok(0)
}

/// How many words each set has in the layout that the header at `at` names. EINVAL for
/// one that is not known; the header has the best one then.
fn words(at: usize) -> Result<usize, Errno> {
    match user::read_value(at)? {
        CAPABILITY_VERSION_1 => Ok(1),
        CAPABILITY_VERSION_2 | CAPABILITY_VERSION_3 => Ok(2),
        _ => {
            user::write_value(at, &CAPABILITY_VERSION_3)?;
            Err(Errno::EINVAL)
        }
    }
}

/// capget(2): `data` may be null to ask for the layout only.
pub fn capget(current: &Current, header: usize, data: usize) -> Result<usize, Errno> {
    let words = match words(header) {
        Err(Errno::EINVAL) if data == 0 => return Ok(0),
        words => words?,
    };
    if data == 0 {
        return Ok(0);
    }
    let [_, tid]: [i32; 2] = user::read_value(header)?;
    let capabilities = match u32::try_from(tid).map_err(|_| Errno::EINVAL)? {
        0 => current.credentials().capabilities,
        tid => {
            let credentials = registry::thread(tid)?.seen_credentials();
            credentials.ok_or(Errno::ESRCH)?.capabilities
        }
    };
    let sets = [
        capabilities.effective,
        capabilities.permitted,
        capabilities.inheritable,
    ];
    let both = [0, 32].map(|shift| sets.map(|set| (set.bits() >> shift) as u32));
    user::write_bytes(data, both[..words].as_bytes())?;
    Ok(0)
}

/// capset(2): EPERM for another thread's.
pub fn capset(current: &mut Current, header: usize, data: usize) -> Result<usize, Errno> {
    let words = words(header)?;
    let [_, tid]: [i32; 2] = user::read_value(header)?;
    if tid != 0 && tid != current.tid() as i32 {
        return Err(Errno::EPERM);
    }
    let mut both = [[0u32; 3]; 2];
    user::read_bytes(data, both[..words].as_mut_bytes())?;
    let set = |index: usize| {
        let [low, high] = both.map(|sets| u64::from(sets[index]));
        Set::from_bits(high << 32 | low)
    };
    let credentials = current.credentials();
    let capabilities = credentials.capabilities.set(set(0), set(1), set(2))?;
    current.set_credentials(credentials.with_capabilities(capabilities))?;
    Ok(0)
}
