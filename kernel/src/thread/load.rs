//! Loading a program into an address space of its own: its segments, its stack,
//! and the loader that it names, which brings in its libraries. Nothing that
//! runs is touched, so that all of it may fail.

use super::Name;
use super::elf::{self, Image, Segment};
use super::slides::Slides;
use super::stack_image::{Arguments, Bases, StackImage};
use crate::credentials::access::EXECUTE;
use crate::credentials::{Credentials, Exec};
use crate::files::allocate::{try_arc, try_box, try_bytes, try_vec, try_zeroed};
use crate::files::{self, At, Follow, Inode, Kind};
use crate::memory::{self, FileRange, Placement, Program, Space};
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use machine::page_table::Rights;
use machine::user::UserRegs;

/// Room that is kept for the stack, whatever its limit is now.
const LEAST_STACK: usize = 128 << 20;

/// How far a stack without a limit may grow.
const LARGEST_STACK: usize = 1 << 40;

/// A program in an address space of its own, ready to run.
pub(super) struct Loaded {
    pub space: Arc<Space>,
    pub regs: UserRegs,
    pub name: Name,
    pub credentials: Credentials,
    /// See [`Exec`].
    pub is_secure: bool,
}

/// Who starts a program, and where its paths begin.
pub(super) struct Caller<'a> {
    pub root: &'a Arc<dyn Inode>,
    pub working: &'a Arc<dyn Inode>,
    pub credentials: &'a Credentials,
    pub no_new_privileges: bool,
    pub limits: memory::Limits,
}

/// Loads the program at `path` into a new address space, its parts moved by
/// `slides`.
pub(super) fn load(
    caller: &Caller<'_>,
    path: &[u8],
    arguments: &Arguments,
    slides: Slides,
) -> Result<Loaded, Errno> {
    let program = Executable::open(caller, path)?;
    let exec = program.exec(caller);
    // Who starts a program that is not to trust it does not choose its addresses.
    let slides = match exec.is_secure {
        true => Slides::new(),
        false => slides,
    };
    let mut image = program.plan()?;
    image.place(elf::DYN_BASE + slides.program)?;
    let named = match &image.interpreter {
        Some(place) => Some(loader(caller, &program.string(place)?)?),
        None => None,
    };
    let space = Space::new()?;
    space.set_limits(caller.limits);
    program.map(&space, &image)?;
    space.set_heap(image.end + slides.heap);
    // Its limit may be raised while it runs, and is looked at as it grows.
    let stack_size = caller.limits.stack.clamp(LEAST_STACK, LARGEST_STACK);
    let stack_size = stack_size.next_multiple_of(PAGE_SIZE);
    let top = space.map_stack(stack_size, USER_END - slides.stack)?;
    // A program may leave room for its stack far below only.
    space.start_mappings(top.saturating_sub(stack_size + slides.mappings));
    let vdso = space.map_vdso()?;
    let mut start = image.entry;
    let mut loader = 0;
    if let Some((file, mut plan)) = named {
        let room = plan.pages().len() + plan.align - PAGE_SIZE;
        plan.place(space.find_room(room)?).map_err(unusable)?;
        file.map(&space, &plan)?;
        (start, loader) = (plan.entry, plan.pages().start);
    }
    let stack = StackImage::new(
        top - slides.first,
        path,
        arguments,
        &image,
        Bases { loader, vdso },
        &exec,
    )?;
    space.populate(stack.pointer, &stack.bytes)?;
    space.set_program(try_arc(Program {
        inode: program.file.inode.clone(),
        path: absolute(caller, path)?,
        arguments: stack.arguments,
        environment: stack.environment,
    })?);
    Ok(Loaded {
        space,
        regs: UserRegs::new(start, stack.pointer, [0; 3]),
        name: name(path),
        credentials: exec.credentials,
        is_secure: exec.is_secure,
    })
}

/// As [`elf::plan`], in memory of its own: the rest of loading goes deep into the
/// stack, where files are read, so that nothing large may lie there.
#[inline(never)]
fn plan(head: &[u8], size: u64) -> Result<Box<Image>, Errno> {
    try_box(elf::plan(head, size)?)
}

/// The loader that a program names, and what to map of it. ELIBBAD if it is
/// none, or can only be where something else may have to be.
fn loader(caller: &Caller<'_>, path: &[u8]) -> Result<(Executable, Box<Image>), Errno> {
    let loader = Executable::open(caller, path)?;
    let plan = loader.plan().map_err(unusable)?;
    match plan.is_movable {
        true => Ok((loader, plan)),
        false => Err(Errno::ELIBBAD),
    }
}

fn unusable(error: Errno) -> Errno {
    match error {
        Errno::ENOEXEC => Errno::ELIBBAD,
        error => error,
    }
}

/// The path from the root on. ENOMEM; ENOENT if the working directory is removed.
fn absolute(caller: &Caller<'_>, path: &[u8]) -> Result<Box<[u8]>, Errno> {
    if path.starts_with(b"/") {
        return try_bytes(path);
    }
    let start = match files::walk::path_of(caller.root, caller.working) {
        Err(Errno::ENOENT) => Vec::new(),
        start => start?,
    };
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let mut whole = try_vec(start.len() + 1 + path.len())?;
    whole.extend_from_slice(start.strip_suffix(b"/").unwrap_or(&start));
    whole.push(b'/');
    whole.extend_from_slice(path);
    Ok(whole.into_boxed_slice())
}

/// What the program is called: its file.
fn name(path: &[u8]) -> Name {
    Name::new(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path))
}

/// A file that may be run, which nobody writes to meanwhile.
struct Executable {
    file: FileRange,
}

impl Executable {
    fn open(caller: &Caller<'_>, path: &[u8]) -> Result<Self, Errno> {
        let at = At {
            root: caller.root,
            start: caller.working,
            path,
            by: caller.credentials,
        };
        let inode = at.existing(Follow::Always)?;
        if inode.kind() != Kind::Regular {
            return Err(Errno::EACCES);
        }
        inode.check_access(caller.credentials, EXECUTE)?;
        let cache = inode.pages_to_map()?;
        let access = try_arc(cache.access_to_run()?)?;
        Ok(Self {
            file: FileRange {
                inode,
                cache,
                first: 0,
                shared: false,
                may_write: true,
                access: Some(access),
                attachment: None,
            },
        })
    }

    /// With whose rights it runs.
    fn exec(&self, caller: &Caller<'_>) -> Exec {
        let metadata = files::in_one_step(|| self.file.inode.metadata());
        caller.credentials.exec(&metadata, caller.no_new_privileges)
    }

    fn plan(&self) -> Result<Box<Image>, Errno> {
        let head = self.read(0..elf::HEAD as u64)?;
        plan(&head, self.file.inode.metadata().size)
    }

    /// The bytes of a part of the file, as far as it has them.
    fn read(&self, part: Range<u64>) -> Result<Vec<u8>, Errno> {
        let length = (part.end - part.start) as usize;
        let mut bytes = try_zeroed(length)?.into_vec();
        let read = files::read_at(&self.file.inode, part.start, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// The string that ends where `part` does. EIO if the file is shorter;
    /// ENOEXEC if there is no end.
    fn string(&self, part: &Range<u64>) -> Result<Vec<u8>, Errno> {
        let mut bytes = self.read(part.clone())?;
        if (bytes.len() as u64) < part.end - part.start {
            return Err(Errno::EIO);
        }
        if bytes.last() != Some(&0) {
            return Err(Errno::ENOEXEC);
        }
        let length = bytes.iter().position(|&byte| byte == 0);
        bytes.truncate(length.unwrap_or(0));
        Ok(bytes)
    }

    fn map(&self, space: &Arc<Space>, image: &Image) -> Result<(), Errno> {
        let mut segments = image.segments.iter();
        segments.try_for_each(|segment| self.map_segment(space, segment))
    }

    /// Maps a segment's part of the file; what is left of the last page, and the
    /// pages behind it, are zero.
    fn map_segment(&self, space: &Arc<Space>, segment: &Segment) -> Result<(), Errno> {
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
                ..self.file.clone()
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
}

static ZEROES: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
