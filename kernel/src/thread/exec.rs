//! exec: replacing the program. Everything that can fail happens on a new
//! address space first; only then are the peers ended and the old one given
//! up, so a failing exec harms nothing.

use super::current::Resources;
use super::group::Name;
use super::stack_image::{Arguments, StackImage};
use super::{Current, JoinTable, elf, exit, registry};
use crate::files::allocate::{try_arc, try_box};
use crate::files::{self, Follow, Inode, Kind};
use crate::limits;
use crate::memory::{FileRange, Placement, Space, Tenant, user, with_room};
use abi::Errno;
use abi::memory::PAGE_SIZE;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;
use machine::page_table::Rights;
use machine::user::UserRegs;

/// How far the stack may grow.
pub const STACK_SIZE: usize = 8 << 20;

/// A program in an address space of its own, ready to run.
struct Loaded {
    space: Arc<Space>,
    regs: UserRegs,
    name: Name,
}

/// execve(2): on success the caller runs the new program.
///
/// # Errors
/// Those of walking a path; `EACCES` if it is no regular file; `ETXTBSY` if it
/// is open for writing; `ENOEXEC` if
/// it is no static x86-64 program; `E2BIG`, `EFAULT`, `ENOMEM`.
pub fn exec(current: &mut Current, path: usize, argv: usize, envp: usize) -> Result<usize, Errno> {
    let path = user::read_string(path, limits::path() - 1)?;
    let mut room = limits::arguments();
    let arguments = Arguments {
        argv: read_vector(argv, &mut room)?,
        envp: read_vector(envp, &mut room)?,
    };
    let fs = current.fs();
    let loaded = with_room(|| load(&fs.root(), &fs.working(), &path, &arguments))?;
    let joins = with_room(JoinTable::new)?;
    let group = current.group().clone();
    group.become_alone(current)?;
    current.forget_signal_stack();
    let files = if Arc::strong_count(&current.own.files) > 1 {
        // Shared with other processes, who keep theirs open.
        current.own.files.dup_table()
    } else {
        Ok(current.own.files.clone())
    };
    // Alone already: without memory for tables of its own it cannot go on.
    let (Ok(files), Ok(())) = (files, group.reset_actions()) else {
        group.end(abi::process::wait_signaled(abi::signal::SIGKILL));
        return Err(Errno::ENOMEM);
    };
    files.close_on_exec();
    current.own.files = files;
    take_over_id(current);
    replace(current, loaded, joins);
    Ok(0)
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
    let loaded = load(&root, &root, path, &arguments)?;
    let own = try_box(Resources {
        regs: loaded.regs,
        space: Tenant::new(loaded.space),
        files,
        fs: try_arc(files::FsContext::new(root))?,
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

/// Loads the program at `path` into a new address space.
fn load(
    root: &Arc<dyn Inode>,
    working: &Arc<dyn Inode>,
    path: &[u8],
    arguments: &Arguments,
) -> Result<Loaded, Errno> {
    let inode = files::walk(root, working, path, Follow::Always)?.existing()?;
    if inode.kind() != Kind::Regular {
        return Err(Errno::EACCES);
    }
    let cache = inode.pages_to_map()?;
    let access = try_arc(cache.access_to_run()?)?;
    let mut head = Vec::new();
    head.try_reserve_exact(elf::HEAD)
        .map_err(|_| Errno::ENOMEM)?;
    head.resize(elf::HEAD, 0);
    let length = files::read_at(&inode, 0, &mut head)?;
    let image = elf::plan(&head[..length], inode.metadata().size)?;
    let space = Space::new()?;
    let program = FileRange {
        inode,
        cache,
        first: 0,
        shared: false,
        may_write: true,
        access: Some(access),
    };
    for segment in &image.segments {
        map_segment(&space, &program, segment)?;
    }
    space.set_heap(image.end);
    let top = space.map_stack(STACK_SIZE)?;
    let stack = StackImage::new(top, path, arguments, &image)?;
    space.populate(stack.pointer, &stack.bytes)?;
    let file_name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let mut name = Name::new();
    for character in file_name
        .iter()
        .map(|&byte| byte as char)
        .filter(char::is_ascii_graphic)
    {
        if name.try_push(character).is_err() {
            break;
        }
    }
    Ok(Loaded {
        space,
        regs: UserRegs::new(image.entry, stack.pointer, [0; 3]),
        name,
    })
}

/// Maps a segment's part of the file; what is left of the last page, and the
/// pages behind it, are zero.
fn map_segment(
    space: &Arc<Space>,
    program: &FileRange,
    segment: &elf::Segment,
) -> Result<(), Errno> {
    let (start, length) = segment.pages();
    let file_end = segment.address + segment.file_size;
    let border = match segment.file_size {
        0 => start,
        _ => file_end.next_multiple_of(PAGE_SIZE),
    };
    if border > start {
        let file = FileRange {
            // The plan has seen to it that both are as far from a page's border.
            first: segment.file_offset / PAGE_SIZE as u64,
            ..program.clone()
        };
        let rights = Rights::from_bits(segment.protection as u8);
        space.map_file(Placement::Fixed(start), border - start, rights, file)?;
        if segment.memory_size > segment.file_size {
            space.populate(file_end, &ZEROES[..border - file_end])?;
        }
    }
    if start + length > border {
        space.map_fixed(border, start + length - border, segment.protection)?;
    }
    Ok(())
}

static ZEROES: [u8; PAGE_SIZE] = [0; PAGE_SIZE];

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
    exit::leave_memory(current);
    let group = current.group().clone();
    group.set_name(loaded.name);
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
