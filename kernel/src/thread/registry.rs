//! All threads and processes by id, and the tree of processes.

use super::family::{Family, Pid};
use super::group::Group;
use super::ids::Ids;
use super::{Thread, Tid};
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

pub fn group(pid: Pid) -> Result<Arc<Group>, Errno> {
    ids().group(pid).ok_or(Errno::ESRCH)
}

/// How many processes there are.
pub fn processes() -> usize {
    ids().groups().count()
}

/// What can be told of every thread, in order of ids.
///
/// # Errors
/// `ENOMEM`.
pub fn list() -> Result<Vec<ThreadInfo>, Errno> {
    // Counted references out of the lock first: describing takes other locks.
    let mut threads: Vec<Arc<Thread>> = Vec::new();
    loop {
        let count = ids().threads().count();
        threads.try_reserve(count).map_err(|_| Errno::ENOMEM)?;
        let ids = ids();
        if ids.threads().count() <= threads.capacity() {
            threads.extend(ids.threads().cloned());
            break;
        }
    }
    let mut infos = Vec::new();
    infos.try_reserve(threads.len()).map_err(|_| Errno::ENOMEM)?;
    infos.extend(threads.iter().map(|thread| describe(thread)));
    Ok(infos)
}

fn describe(thread: &Thread) -> ThreadInfo {
    let mut info = ThreadInfo {
        tid: thread.tid(),
        cpu: thread.entity.cpu() as u32,
        state: if thread.entity.is_asleep() { b'S' } else { b'R' },
        time: thread.entity.used(),
        ..ThreadInfo::default()
    };
    if let Some(group) = thread.user_group() {
        info.tgid = group.id();
        info.parent = family(|family| family.parent(group.id()));
        let name = group.name();
        let length = name.len().min(info.name.len());
        info.name[..length].copy_from_slice(&name.as_bytes()[..length]);
    }
    info
}
