//! exec: replacing the program. Everything that can fail happens on a new
//! address space first; only then are the peers ended and the old one given
//! up, so a failing exec harms nothing.

use super::current::Resources;
use super::load::{Caller, Loaded, load};
use super::slides::Slides;
use super::stack_image::Arguments;
use super::{Current, JoinTable, Name, exit, registry};
use crate::credentials::Credentials;
use crate::files::allocate::{try_arc, try_box};
use crate::files::{self, Inode, TableUse};
use crate::limits;
use crate::memory::{self, Tenant, user, with_room};
use abi::Errno;
use abi::process::ADDR_NO_RANDOMIZE;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

/// Room that arguments have with any limit of the stack, whose fourth part they may
/// take, in bytes.
const LEAST_ARGUMENTS: usize = 128 << 10;

/// execve(2): on success the caller runs the new program.
///
/// # Errors
/// Those of walking a path; `EACCES` if it is no regular file, or
/// not the caller's to execute; `ETXTBSY` if it
/// is open for writing; `ENOEXEC` if it is no x86-64 program; those of its
/// loader's path, and `ELIBBAD` if that is none; `E2BIG`, `EFAULT`, `ENOMEM`.
pub fn exec(current: &mut Current, path: usize, argv: usize, envp: usize) -> Result<usize, Errno> {
    let path = user::read_string(path, limits::path() - 1)?;
    let limits = current.group().limits().of_memory();
    let mut room = limits::arguments().min((limits.stack / 4).max(LEAST_ARGUMENTS));
    let arguments = Arguments {
        argv: read_vector(argv, &mut room)?,
        envp: read_vector(envp, &mut room)?,
    };
    let fs = current.fs();
    let slides = match current.group().flags().personality.load(Relaxed) & ADDR_NO_RANDOMIZE {
        0 => Slides::new(),
        _ => Slides::NONE,
    };
    let caller = Caller {
        root: &fs.root(),
        working: &fs.working(),
        credentials: current.credentials(),
        no_new_privileges: current.traits().no_new_privileges(),
        limits,
    };
    let loaded = with_room(|| load(&caller, &path, &arguments, slides))?;
    let joins = with_room(JoinTable::new)?;
    let credentials = match loaded.credentials == *current.own.credentials {
        true => current.own.credentials.clone(),
        false => try_arc(loaded.credentials.clone())?,
    };
    let group = current.group().clone();
    group.become_alone(current)?;
    current.forget_signal_stack();
    current.rseq.forget();
    // Alone already: without memory for tables of its own it cannot go on.
    let owned = own_files(current)
        .and_then(|()| group.reset_actions())
        .and_then(|()| own_places(current, loaded.is_secure));
    if owned.is_err() {
        group.end(abi::process::wait_signaled(abi::signal::SIGKILL));
        return Err(Errno::ENOMEM);
    }
    group.timers().delete_all();
    current.own.files.close_on_exec();
    take_over_id(current);
    if loaded.is_secure {
        let flags = group.flags();
        flags.personality.fetch_and(!ADDR_NO_RANDOMIZE, Relaxed);
    }
    replace(current, loaded, joins);
    // Somebody may have changed them meanwhile.
    current.space().set_limits(group.limits().of_memory());
    current.group().flags().exec();
    current.replace_credentials(credentials);
    Ok(0)
}

/// Gives the caller a file table of its own where others share its, who keep their
/// files open. ENOMEM.
pub fn own_files(current: &mut Current) -> Result<(), Errno> {
    if current.own.files.is_shared() {
        current.own.files = TableUse::new(current.own.files.dup_table()?);
        current.show_resources();
    }
    Ok(())
}

/// Where paths begin, and the umask, are not others' to change for a program that has
/// rights which they have not. ENOMEM.
fn own_places(current: &mut Current, is_secure: bool) -> Result<(), Errno> {
    if is_secure && Arc::strong_count(&current.own.fs) > 1 {
        current.own.fs = current.own.fs.duplicate()?;
        current.show_resources();
    }
    Ok(())
}

/// The first program: resources to start a thread with.
pub fn exec_first(
    root: Arc<dyn Inode>,
    path: &[u8],
    files: Arc<files::FileTable>,
) -> Result<(Box<Resources>, Name), Errno> {
    let arguments = Arguments {
        argv: Vec::from([Vec::from(path)]),
        // What Linux gives init too.
        envp: Vec::from([b"HOME=/".to_vec(), b"TERM=linux".to_vec()]),
    };
    let caller = Caller {
        root: &root,
        working: &root,
        credentials: Credentials::root(),
        no_new_privileges: false,
        limits: memory::Limits::NONE,
    };
    let loaded = load(&caller, path, &arguments, Slides::new())?;
    let own = try_box(Resources {
        regs: loaded.regs,
        space: Tenant::new(loaded.space),
        files: TableUse::new(files),
        fs: try_arc(files::FsContext::new(root))?,
        credentials: try_arc(loaded.credentials)?,
        joins: JoinTable::new()?,
        vfork: None,
    })?;
    Ok((own, loaded.name))
}

/// Reads the strings that an argument vector points at.
fn read_vector(vector: usize, room: &mut usize) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings: Vec<Vec<u8>> = Vec::new();
    if vector == 0 {
        return Ok(strings);
    }
    loop {
        let at = vector
            .checked_add(strings.len() * size_of::<usize>())
            .ok_or(Errno::EFAULT)?;
        let pointer: usize = user::read_value(at)?;
        if pointer == 0 {
            return Ok(strings);
        }
        let string = match user::read_string(pointer, *room) {
            Err(Errno::ENAMETOOLONG) => return Err(Errno::E2BIG),
            string => string?,
        };
        let cost = string.len() + 1 + size_of::<usize>();
        *room = room.checked_sub(cost).ok_or(Errno::E2BIG)?;
        strings.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        strings.push(string);
    }
}

/// The only thread left becomes the group's first.
fn take_over_id(current: &Current) {
    let (me, tgid) = (current.tid(), current.tgid());
    // The old id is free for others only when nothing knows the thread by it.
    current.joins().leave(me);
    current.group().finish_exec(me);
    if me != tgid {
        let replaced = registry::ids().rename_thread(me, tgid);
        current.tid.store(tgid, Relaxed);
        drop(replaced);
    }
}

/// Gives up the old program for the new one.
fn replace(current: &mut Current, loaded: Loaded, joins: Arc<JoinTable>) {
    // Others may be in it, as vfork's parent is.
    exit::leave_memory(current, false);
    let group = current.group().clone();
    current.set_name(loaded.name);
    group.is_joined.store(false, Relaxed);
    current.is_native.store(false, Relaxed);
    current.task.reset_user_state();
    current.set_space(Some(loaded.space.clone()));
    loaded.space.activate();
    current.own.space = Tenant::new(loaded.space);
    current.own.joins = joins;
    current.own.regs = loaded.regs;
    if let Some(vfork) = current.own.vfork.take() {
        vfork.complete();
    }
}
