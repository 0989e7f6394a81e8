//! The calls of scheduling policies and priorities (sched(7)).

use crate::credentials::{Capability, Credentials};
use crate::memory::user;
use crate::sched::{self, Class, ROUND};
use crate::thread::{self, Current, Resource, Thread};
use abi::Errno;
use abi::memory::PAGE_SIZE;
use abi::sched::*;
use abi::time::Timespec;
use alloc::sync::Arc;
use zerocopy::IntoBytes;

/// The thread that is meant: EINVAL for a negative id, and without a place to
/// read or store at; ESRCH.
fn target(current: &Current, tid: usize, place: usize) -> Result<Arc<Thread>, Errno> {
    if (tid as i32) < 0 || place == 0 {
        return Err(Errno::EINVAL);
    }
    thread::find(current, tid)
}

/// Whether the thread's scheduling is the caller's business: EPERM for another
/// user's without the right to it.
pub(super) fn check_target(current: &Current, thread: &Thread) -> Result<(), Errno> {
    let own = current.credentials();
    let me = own.user.effective;
    let is_own = |target: &Credentials| target.user.effective == me || target.user.real == me;
    match thread.with_credentials(is_own) {
        Some(true) => Ok(()),
        _ => own.require(Capability::Nice),
    }
}

/// Whether the caller may have the thread scheduled so: EPERM if it would be more
/// urgent than the process's limits allow, without the right to that.
fn check_class(current: &Current, thread: &Thread, new: Class) -> Result<(), Errno> {
    check_target(current, thread)?;
    let old = thread.entity.class();
    let limit = |resource| match thread.user_group() {
        Some(group) => group.limits().get(resource).soft,
        None => 0,
    };
    let priority_fits = !new.is_real_time()
        || old.is_real_time() && new.priority <= old.priority
        || u64::from(new.priority) <= limit(Resource::Priority);
    let wakes_idle = old.policy() & !SCHED_RESET_ON_FORK == SCHED_IDLE
        && new.policy() & !SCHED_RESET_ON_FORK != SCHED_IDLE;
    let nice_fits = new.nice >= old.nice && !wakes_idle
        || (20 - i64::from(new.nice)) as u64 <= limit(Resource::Nice);
    // Once set, a child's freedom from it is not to be had again.
    let resets = !old.resets || new.resets;
    match priority_fits && nice_fits && resets {
        true => Ok(()),
        false => current.credentials().require(Capability::Nice),
    }
}

/// Changes it, and what the thread lends by it.
fn set_class(thread: &Arc<Thread>, class: impl FnOnce(Class) -> Class) {
    sched::set_class(thread, class);
    thread::urgency_changed(thread);
}

pub fn sched_setscheduler(
    current: &Current,
    tid: usize,
    policy: usize,
    param: usize,
) -> Result<usize, Errno> {
    if (policy as i32) < 0 || (tid as i32) < 0 || param == 0 {
        return Err(Errno::EINVAL);
    }
    let priority: i32 = user::read_value(param)?;
    let thread = target(current, tid, param)?;
    let asked = Class::new(policy as u32, priority, 0)?;
    let nice = thread.entity.class().nice;
    check_class(current, &thread, Class { nice, ..asked })?;
    set_class(&thread, |class| Class {
        nice: class.nice,
        ..asked
    });
    Ok(0)
}

pub fn sched_setparam(current: &Current, tid: usize, param: usize) -> Result<usize, Errno> {
    if (tid as i32) < 0 || param == 0 {
        return Err(Errno::EINVAL);
    }
    let priority: i32 = user::read_value(param)?;
    let thread = target(current, tid, param)?;
    let class = thread.entity.class();
    // The policy of this moment, should somebody else change it.
    let asked = Class::new(class.policy(), priority, class.nice)?;
    check_class(current, &thread, asked)?;
    set_class(&thread, |_| asked);
    Ok(0)
}

pub fn sched_getparam(current: &Current, tid: usize, param: usize) -> Result<usize, Errno> {
    let class = target(current, tid, param)?.entity.class();
    user::write_value(param, &i32::from(class.priority))?;
    Ok(0)
}

pub fn sched_getscheduler(current: &Current, tid: usize) -> Result<usize, Errno> {
    let class = target(current, tid, 1)?.entity.class();
    Ok(class.policy() as usize)
}

pub fn sched_get_priority_max(policy: usize) -> Result<usize, Errno> {
    bounds(policy).map(|(_, most)| most)
}

pub fn sched_get_priority_min(policy: usize) -> Result<usize, Errno> {
    bounds(policy).map(|(least, _)| least)
}

fn bounds(policy: usize) -> Result<(usize, usize), Errno> {
    match policy as u32 {
        SCHED_FIFO | SCHED_RR => Ok((1, PRIORITY_MAX.into())),
        SCHED_OTHER | SCHED_BATCH | SCHED_IDLE | SCHED_DEADLINE => Ok((0, 0)),
        _ => Err(Errno::EINVAL),
    }
}

pub fn sched_rr_get_interval(current: &Current, tid: usize, out: usize) -> Result<usize, Errno> {
    let class = target(current, tid, 1)?.entity.class();
    let nanos = match class.policy() & !SCHED_RESET_ON_FORK {
        SCHED_FIFO => 0,
        SCHED_RR => ROUND,
        _ => sched::fair_slice(),
    };
    user::write_value(out, &Timespec::from_nanos(nanos))?;
    Ok(0)
}

/// sched_setattr(2). What was added to its arguments since must be zero: E2BIG.
pub fn sched_setattr(
    current: &Current,
    tid: usize,
    at: usize,
    flags: usize,
) -> Result<usize, Errno> {
    const KNOWN: usize = size_of::<SchedAttr>();
    if (tid as i32) < 0 || at == 0 || flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let size = match user::read_value::<u32>(at)? as usize {
        0 => SchedAttr::SIZE_FIRST,
        size => size,
    };
    let too_big = || {
        // Linux says what it knows.
        user::write_value(at, &(KNOWN as u32))?;
        Err(Errno::E2BIG)
    };
    if !(SchedAttr::SIZE_FIRST..=PAGE_SIZE).contains(&size) {
        return too_big();
    }
    let mut asked = SchedAttr::default();
    user::read_bytes(at, &mut asked.as_mut_bytes()[..size.min(KNOWN)])?;
    for further in KNOWN..size {
        if user::read_value::<u8>(at + further)? != 0 {
            return too_big();
        }
    }
    let thread = target(current, tid, at)?;
    let known = SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS;
    if asked.flags & !known != 0 || asked.policy & SCHED_RESET_ON_FORK != 0 {
        return Err(Errno::EINVAL);
    }
    let old = thread.entity.class();
    let policy = match asked.flags & SCHED_FLAG_KEEP_POLICY {
        0 => asked.policy,
        _ => old.policy() & !SCHED_RESET_ON_FORK,
    };
    let (priority, nice) = match asked.flags & SCHED_FLAG_KEEP_PARAMS {
        0 => (asked.priority as i32, clamp(asked.nice)),
        _ => (old.priority.into(), old.nice),
    };
    let class = Class::new(policy, priority, nice)?;
    let class = Class {
        // A real-time thread's is not asked for.
        nice: if class.is_real_time() { old.nice } else { nice },
        resets: asked.flags & SCHED_FLAG_RESET_ON_FORK != 0,
        ..class
    };
    check_class(current, &thread, class)?;
    set_class(&thread, |_| class);
    Ok(0)
}

pub fn sched_getattr(
    current: &Current,
    tid: usize,
    out: usize,
    size: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let size = size as u32 as usize;
    if !(SchedAttr::SIZE_FIRST..=PAGE_SIZE).contains(&size) || flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let class = target(current, tid, out)?.entity.class();
    let size = size.min(size_of::<SchedAttr>());
    let attributes = SchedAttr {
        size: size as u32,
        policy: class.policy() & !SCHED_RESET_ON_FORK,
        flags: match class.resets {
            true => SCHED_FLAG_RESET_ON_FORK,
            false => 0,
        },
        nice: match class.is_real_time() {
            true => 0,
            false => class.nice.into(),
        },
        priority: class.priority.into(),
        ..SchedAttr::default()
    };
    user::write_bytes(out, &attributes.as_bytes()[..size])?;
    Ok(0)
}

fn clamp(nice: i32) -> i8 {
    nice.clamp(NICE_MIN.into(), NICE_MAX.into()) as i8
}

/// getpriority(2): 20 less the least nice value among those who are meant, so
/// that no result looks like an error.
pub fn getpriority(current: &Current, which: usize, who: usize) -> Result<usize, Errno> {
    let threads = thread::of_priority(current, which as u32, who)?;
    let nice = threads.iter().map(|thread| thread.entity.class().nice);
    let least = nice.min().ok_or(Errno::ESRCH)?;
    Ok((20 - isize::from(least)) as usize)
}

pub fn setpriority(
    current: &Current,
    which: usize,
    who: usize,
    nice: usize,
) -> Result<usize, Errno> {
    let threads = thread::of_priority(current, which as u32, who)?;
    let nice = clamp(nice as i32);
    // The last that could not be changed is told; the others are.
    let mut result = match threads.is_empty() {
        true => Err(Errno::ESRCH),
        false => Ok(0),
    };
    for thread in &threads {
        let class = Class {
            nice,
            ..thread.entity.class()
        };
        let allowed = check_target(current, thread).and_then(|()| {
            let fits = check_class(current, thread, class);
            fits.map_err(|_| Errno::EACCES)
        });
        match allowed {
            Ok(()) => set_class(thread, |class| Class { nice, ..class }),
            Err(error) => result = Err(error),
        }
    }
    result
}
