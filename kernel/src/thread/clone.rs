//! clone: a new thread from share-or-copy of the caller's resources. The one
//! function behind fork, vfork, Linux's clone and both native faces.
//!
//! The order matters. The child's ids are written before anybody can see the
//! child; it joins its group, which refuses it while it ends or execs; it
//! becomes findable; then it runs.

use super::current::{Completion, Resources};
use super::group::Group;
use super::timers::limit_cpu_time;
use super::{CloneFlags, Current, JoinTable, Kind, Thread, Tid, family, registry};
use crate::files::TableUse;
use crate::files::allocate::{try_arc, try_box};
use crate::memory::{Tenant, user, with_room};
use crate::sched::{self, Entity};
use crate::time;
use abi::Errno;
use abi::clone::*;
use abi::memory::USER_END;
use abi::process::wait_signaled;
use abi::signal::SIGKILL;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;
use machine::user::UserRegs;

/// What is asked of a clone, besides its flags.
#[derive(Clone, Copy, Default)]
pub struct Request {
    /// The child's stack pointer; 0: the caller's.
    pub stack: usize,
    pub tls: usize,
    pub parent_tid: usize,
    pub child_tid: usize,
}

/// A native start: the stack's base, and the child's stack pointer.
#[derive(Clone, Copy)]
struct Native {
    base: usize,
    pointer: usize,
}

/// Linux's clone, fork and vfork: the child continues where the caller is,
/// with the result 0. Returns the child's id.
///
/// # Errors
/// `EAGAIN`: no id left, or the process ends; `ENOMEM`; `EFAULT`: the child's
/// id cannot be written where it was asked for.
pub fn clone(current: &mut Current, flags: CloneFlags, request: Request) -> Result<usize, Errno> {
    let mut regs = current.own.regs.clone();
    regs.set_result(0);
    if request.stack != 0 {
        regs.set_stack(request.stack);
    }
    create(current, flags, request, regs, None)
}

/// The native clone (`THREAD_CLONE`).
///
/// # Errors
/// `EINVAL` for flags that do not go together or a stack too small to start
/// on; `EFAULT` if the stack is not wholly mapped and writable; else as [`clone`].
pub fn native(
    current: &mut Current,
    entry: usize,
    args: [usize; 2],
    stack: (usize, usize),
    flags: usize,
) -> Result<usize, Errno> {
    let flags = CloneFlags::native(flags)?;
    let (base, size) = stack;
    let top = base
        .checked_add(size)
        .filter(|&top| top <= USER_END)
        .ok_or(Errno::EFAULT)?;
    // The convention at a function's entry: a return address at a stack
    // pointer that is 8 past a multiple of 16.
    let pointer = (top & !15)
        .checked_sub(8)
        .filter(|&sp| sp >= base)
        .ok_or(Errno::EINVAL)?;
    if !current.space().is_writable(base, size) {
        return Err(Errno::EFAULT);
    }
    let regs = UserRegs::new(entry, pointer, [args[0], args[1], 0]);
    let native = Native { base, pointer };
    if flags.has(CLONE_VM) && user::write_value(pointer, &FAKE_RETURN).is_err() {
        // Still writable: then there was no memory to make it so.
        let is_writable = current.space().is_writable(base, size);
        return Err(if is_writable {
            Errno::ENOMEM
        } else {
            Errno::EFAULT
        });
    }
    create(current, flags, Request::default(), regs, Some(native))
}

fn create(
    current: &mut Current,
    flags: CloneFlags,
    request: Request,
    regs: UserRegs,
    native: Option<Native>,
) -> Result<usize, Errno> {
    let tid = reserve_id(current)?;
    let created = with_room(|| build(current, flags, request, regs.clone(), native, tid));
    let (thread, vfork) = created.inspect_err(|_| registry::ids().cancel(tid))?;
    sched::start(thread);
    if let Some(vfork) = vfork {
        vfork.wait();
    }
    Ok(tid as usize)
}

/// An id for a child: EAGAIN, ENOMEM.
///
/// Where `limit.threads` is reached and init has orphans to wait for, it is given
/// some time to do so: programs that leave many behind, a few at a time, do not
/// count them.
fn reserve_id(current: &Current) -> Result<Tid, Errno> {
    const PAUSES: usize = 200;
    const PAUSE: u64 = 1_000_000;
    for _ in 0..PAUSES {
        let reserved = registry::ids().reserve();
        let is_worth_it =
            || current.tgid() != family::INIT && registry::family(|family| family.init_is_behind());
        if reserved != Err(Errno::EAGAIN) || !is_worth_it() {
            return reserved;
        }
        // Who is told to end has no use for a child.
        if !time::sleep_until(machine::time::now() + PAUSE) {
            break;
        }
    }
    registry::ids().reserve()
}

type Created = (Arc<Thread>, Option<Arc<Completion>>);

/// Everything up to the point where the child may run; on an error all is
/// taken back.
fn build(
    current: &mut Current,
    flags: CloneFlags,
    request: Request,
    regs: UserRegs,
    native: Option<Native>,
    tid: Tid,
) -> Result<Created, Errno> {
    let joined = native
        .as_ref()
        .filter(|_| flags.has(CLONE_VM))
        .map(|native| native.base);
    let own = share_or_copy(current, flags, regs)?;
    if let Some(native) = native.filter(|_| !flags.has(CLONE_VM)) {
        own.space
            .populate(native.pointer, &FAKE_RETURN.to_ne_bytes())?;
    }
    write_ids(flags, request, &own, tid)?;
    let vfork = own.vfork.clone();
    let joins = own.joins.clone();
    let group = if flags.has(CLONE_THREAD) {
        current.group().clone()
    } else {
        try_arc(Group::new(
            tid,
            Some(current.group()),
            flags.has(CLONE_SIGHAND),
            own.credentials.clone(),
        )?)?
    };
    if !flags.has(CLONE_THREAD) {
        limit_cpu_time(&group)?;
    }
    if flags.has(CLONE_SYSVSEM) && !flags.has(CLONE_THREAD) {
        group.undo().share(current.group().undo())?;
    }
    if flags.has(CLONE_CLEAR_SIGHAND) {
        group.actions().lock().exec();
    }
    group
        .is_joined
        .store(joined.is_some() && !flags.has(CLONE_THREAD), Relaxed);
    let kind = if joined.is_some() {
        Kind::Native
    } else {
        Kind::Linux
    };
    let thread = make_thread(current, (tid, kind), flags, request, &group, own)?;
    if let Some(stack) = joined {
        joins.add(tid, current.tid(), stack)?;
    }
    let admitted = admit(current, flags, &group, &thread);
    if admitted.is_err() && joined.is_some() {
        joins.remove(tid);
    }
    admitted?;
    Ok((thread, vfork))
}

/// The child, known to nobody yet. Apart from [`build`], so that the room that a
/// thread takes on the stack before it has its place is not taken all the while.
#[inline(never)]
fn make_thread(
    current: &Current,
    (tid, kind): (Tid, Kind),
    flags: CloneFlags,
    request: Request,
    group: &Arc<Group>,
    own: Box<Resources>,
) -> Result<Arc<Thread>, Errno> {
    let entity = Entity::new(current.entity.affinity(), current.entity.class().child());
    let thread = Thread::new(tid, kind, group.clone(), entity, own);
    let mut thread = thread.map_err(|_| Errno::ENOMEM)?;
    thread.task.clone_user_state_from_current();
    // vfork's child goes on with its parent's stack, and all that belongs to it.
    let shares_memory = flags.has(CLONE_VM) && !flags.has(CLONE_VFORK);
    thread.traits = current.traits.inherited();
    thread.inherit_signals(current, shares_memory);
    if flags.has(CLONE_SETTLS) {
        thread.task.set_fs_base(request.tls);
    }
    if !flags.has(CLONE_VM) {
        thread.rseq.inherit(&current.rseq);
    }
    if flags.has(CLONE_CHILD_CLEARTID) {
        thread.clear_tid.store(request.child_tid, Relaxed);
    }
    try_arc(thread)
}

/// The child's resources: each the caller's own or a copy.
fn share_or_copy(
    current: &Current,
    flags: CloneFlags,
    regs: UserRegs,
) -> Result<Box<Resources>, Errno> {
    let own = &current.own;
    let shares_space = flags.has(CLONE_VM);
    try_box(Resources {
        regs,
        space: if shares_space {
            own.space.clone()
        } else {
            Tenant::new(own.space.fork()?)
        },
        files: if flags.has(CLONE_FILES) {
            own.files.clone()
        } else {
            TableUse::new(own.files.dup_table()?)
        },
        fs: if flags.has(CLONE_FS) {
            own.fs.clone()
        } else {
            own.fs.duplicate()?
        },
        credentials: own.credentials.clone(),
        joins: if shares_space {
            own.joins.clone()
        } else {
            JoinTable::new()?
        },
        vfork: match flags.has(CLONE_VFORK) {
            true => Some(try_arc(Completion::new())?),
            false => None,
        },
    })
}

/// Writes the child's id where the flags ask for it.
fn write_ids(flags: CloneFlags, request: Request, own: &Resources, tid: Tid) -> Result<(), Errno> {
    if flags.has(CLONE_PARENT_SETTID) {
        user::write_value(request.parent_tid, &tid)?;
    }
    if flags.has(CLONE_CHILD_SETTID) {
        if flags.has(CLONE_VM) {
            user::write_value(request.child_tid, &tid)?;
        } else {
            own.space.populate(request.child_tid, &tid.to_ne_bytes())?;
        }
    }
    Ok(())
}

/// Into the group, the tree of processes and the table of ids.
fn admit(
    current: &Current,
    flags: CloneFlags,
    group: &Arc<Group>,
    thread: &Arc<Thread>,
) -> Result<(), Errno> {
    let tid = thread.tid();
    group.admit(thread)?;
    let is_process = !flags.has(CLONE_THREAD);
    if is_process {
        let added = registry::family(|family| {
            let me = current.tgid();
            let parent = if flags.has(CLONE_PARENT) {
                family.parent(me)
            } else {
                me
            };
            // Init has no parent to give away.
            let parent = if parent == 0 { me } else { parent };
            family.add(tid, parent, group.clone())?;
            group.set_parent(parent);
            Ok(())
        });
        added.inspect_err(|_: &Errno| {
            group.leave(tid, 0);
        })?;
    }
    let own_group = is_process.then(|| group.clone());
    registry::ids().publish(tid, Some(thread.clone()), own_group);
    // A kill of the process group that listed it before it was there is for
    // the child, too.
    if is_process && current.must_exit() {
        group.end(wait_signaled(SIGKILL));
    }
    Ok(())
}
