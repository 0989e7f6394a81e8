//! All threads and processes by id, and the tree of processes.

use super::family::{Family, Pid};
use super::group::Group;
pub use super::ids::ID_MAX;
use super::ids::Ids;
use super::{Current, Name, Thread, Tid};
use abi::Errno;
use abi::clone::ThreadInfo;
use alloc::sync::Arc;
use alloc::vec::Vec;
use sync::{SpinGuard, SpinLock, rank};

static IDS: SpinLock<Ids<Arc<Thread>, Arc<Group>>, rank::Threads> = SpinLock::new(Ids::new());

static FAMILY: SpinLock<Option<Family<Arc<Group>>>, rank::Family> = SpinLock::new(None);

/// The table of ids.
pub fn ids() -> SpinGuard<'static, Ids<Arc<Thread>, Arc<Group>>, rank::Threads> {
    IDS.lock()
}

/// Does `act` to the tree of processes.
pub fn family<R>(act: impl FnOnce(&mut Family<Arc<Group>>) -> R) -> R {
    act(FAMILY.lock().get_or_insert_with(Family::new))
}

pub fn thread(tid: Tid) -> Result<Arc<Thread>, Errno> {
    ids().thread(tid).ok_or(Errno::ESRCH)
}

/// The thread that a call means: `tid`, or the caller for 0.
///
/// # Errors
/// `ESRCH`.
pub fn find(current: &Current, tid: usize) -> Result<Arc<Thread>, Errno> {
    match tid as i32 {
        0 => Ok(current.arc()),
        tid if tid < 0 => Err(Errno::ESRCH),
        tid => thread(tid as Tid),
    }
}

/// The thread `tid` of the caller's own process: EINVAL, as timers say it.
pub fn member(current: &Current, tid: i32) -> Result<Arc<Thread>, Errno> {
    let found = u32::try_from(tid).ok().and_then(|tid| ids().thread(tid));
    let is_peer = |thread: &Arc<Thread>| {
        thread
            .user_group()
            .is_some_and(|group| Arc::ptr_eq(group, current.group()))
    };
    found.filter(is_peer).ok_or(Errno::EINVAL)
}

pub fn group(pid: Pid) -> Result<Arc<Group>, Errno> {
    ids().group(pid).ok_or(Errno::ESRCH)
}

/// The process that a call means: `pid`, or the caller's for 0.
///
/// # Errors
/// `ESRCH`.
pub fn process(current: &Current, pid: usize) -> Result<Arc<Group>, Errno> {
    match pid as i32 {
        0 => Ok(current.group().clone()),
        pid if pid < 0 => Err(Errno::ESRCH),
        pid => group(pid as Pid),
    }
}

/// Makes the process one that adopts orphans among its descendants, or no more.
///
/// # Errors
/// `ENOMEM`.
pub fn set_subreaper(group: &Group, adopts: bool) -> Result<(), Errno> {
    family(|family| family.set_subreaper(group.id(), adopts))
}

pub fn is_subreaper(group: &Group) -> bool {
    family(|family| family.is_subreaper(group.id()))
}

/// The threads that getpriority(2) and setpriority(2) mean.
///
/// # Errors
/// `EINVAL` for an unknown `which`, `ESRCH` for an unknown thread, `ENOMEM`.
pub fn of_priority(current: &Current, which: u32, who: usize) -> Result<Vec<Arc<Thread>>, Errno> {
    use abi::sched::{PRIO_PGRP, PRIO_PROCESS, PRIO_USER};
    let who = who as u32;
    let of_group = match who {
        0 => current.group().process_group(),
        who => who,
    };
    let user = match who {
        0 => current.credentials().user.real,
        who => who,
    };
    let is_meant = |thread: &Thread| match (thread.user_group(), which) {
        (None, _) => false,
        (Some(group), PRIO_PGRP) => group.process_group() == of_group,
        (Some(_), _) => thread.with_credentials(|own| own.user.real) == Some(user),
    };
    match which {
        PRIO_PROCESS => {
            let mut one = Vec::new();
            one.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            one.push(find(current, who as usize)?);
            Ok(one)
        }
        PRIO_PGRP | PRIO_USER => {
            let mut all = threads()?;
            all.retain(|thread| is_meant(thread));
            Ok(all)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// How many processes there are.
pub fn processes() -> usize {
    ids().groups().count()
}

/// All threads. ENOMEM.
fn threads() -> Result<Vec<Arc<Thread>>, Errno> {
    // Counted references out of the lock first: describing takes other locks.
    let mut threads: Vec<Arc<Thread>> = Vec::new();
    loop {
        let count = ids().threads().count();
        threads.try_reserve(count).map_err(|_| Errno::ENOMEM)?;
        let ids = ids();
        if ids.threads().count() <= threads.capacity() {
            threads.extend(ids.threads().cloned());
            return Ok(threads);
        }
    }
}

/// What can be told of every thread, in order of ids.
///
/// # Errors
/// `ENOMEM`.
pub fn list() -> Result<Vec<ThreadInfo>, Errno> {
    let threads = threads()?;
    let mut infos = Vec::new();
    infos
        .try_reserve(threads.len())
        .map_err(|_| Errno::ENOMEM)?;
    infos.extend(threads.iter().map(|thread| describe(thread)));
    add_ended(&mut infos)?;
    infos.sort_unstable_by_key(|info| info.tid);
    Ok(infos)
}

/// Adds the processes that have ended and were not waited for.
fn add_ended(infos: &mut Vec<ThreadInfo>) -> Result<(), Errno> {
    let ended = groups(Group::has_ended)?;
    infos.try_reserve(ended.len()).map_err(|_| Errno::ENOMEM)?;
    infos.extend(ended.iter().map(|group| {
        let mut info = ThreadInfo {
            tid: group.id(),
            state: b'Z',
            ..ThreadInfo::default()
        };
        describe_group(group, &mut info);
        info
    }));
    Ok(())
}

/// The processes that `wanted` accepts.
///
/// # Errors
/// `ENOMEM`.
pub fn groups(wanted: impl Fn(&Group) -> bool) -> Result<Vec<Arc<Group>>, Errno> {
    let mut groups: Vec<Arc<Group>> = Vec::new();
    loop {
        let count = ids().groups().count();
        groups.try_reserve(count).map_err(|_| Errno::ENOMEM)?;
        let ids = ids();
        if ids.groups().count() <= groups.capacity() {
            groups.extend(ids.groups().cloned());
            break;
        }
    }
    // Asked outside the lock of the ids, for it may take others.
    groups.retain(|group| wanted(group));
    Ok(groups)
}

/// Prints all threads on the console (^P).
pub fn print_list() {
    match list() {
        Ok(infos) => infos.iter().for_each(|info| {
            let end = info
                .name
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(info.name.len());
            let name = core::str::from_utf8(&info.name[..end]).unwrap_or("?");
            let (tid, tgid, state) = (info.tid, info.tgid, info.state as char);
            let milliseconds = info.time / 1_000_000;
            machine::log::line(format_args!(
                "{tid:>5} {tgid:>5} {state} cpu {} {milliseconds:>7} ms {name}",
                info.cpu
            ));
        }),
        Err(error) => log::warn!("cannot list the threads: {error}"),
    }
}

fn describe(thread: &Thread) -> ThreadInfo {
    let mut info = ThreadInfo {
        tid: thread.tid(),
        cpu: thread.entity.cpu() as u32,
        state: if thread.entity.is_asleep() {
            b'S'
        } else {
            b'R'
        },
        time: thread.entity.used(),
        ..ThreadInfo::default()
    };
    if let Some(group) = thread.user_group() {
        describe_group(group, &mut info);
    }
    set_name(&mut info, thread.name());
    info
}

fn describe_group(group: &Group, info: &mut ThreadInfo) {
    info.tgid = group.id();
    info.parent = group.parent();
    set_name(info, group.name());
}

fn set_name(info: &mut ThreadInfo, name: Name) {
    let length = info.name.len();
    info.name.copy_from_slice(&name.bytes()[..length]);
}
