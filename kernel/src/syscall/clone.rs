//! clone in all its forms. Each reads its arguments and leaves the work to
//! [`crate::thread`].

use crate::memory::user;
use crate::thread::{self, CloneFlags, Current, Request};
use abi::Errno;
use abi::clone::CloneArgs;
use abi::memory::{PAGE_SIZE, USER_END};
use zerocopy::IntoBytes;

pub fn clone(
    current: &mut Current,
    flags: usize,
    stack: usize,
    parent_tid: usize,
    child_tid: usize,
    tls: usize,
) -> Result<usize, Errno> {
    let flags = CloneFlags::linux(flags)?;
    thread::clone(
        current,
        flags,
        Request {
            stack,
            tls,
            parent_tid,
            child_tid,
        },
    )
}

pub fn fork(current: &mut Current) -> Result<usize, Errno> {
    thread::clone(current, CloneFlags::FORK, Request::default())
}

pub fn vfork(current: &mut Current) -> Result<usize, Errno> {
    thread::clone(current, CloneFlags::VFORK, Request::default())
}

/// clone3(2). What was added to its arguments since must be zero: E2BIG.
pub fn clone3(current: &mut Current, at: usize, size: usize) -> Result<usize, Errno> {
    const KNOWN: usize = size_of::<CloneArgs>();
    if size < CloneArgs::SIZE_FIRST {
        return Err(Errno::EINVAL);
    }
    if size > PAGE_SIZE {
        return Err(Errno::E2BIG);
    }
    let mut arguments = CloneArgs::default();
    user::read_bytes(at, &mut arguments.as_mut_bytes()[..size.min(KNOWN)])?;
    for further in KNOWN..size {
        if user::read_value::<u8>(at + further)? != 0 {
            return Err(Errno::E2BIG);
        }
    }
    let flags = CloneFlags::clone3(arguments.flags, arguments.exit_signal)?;
    // To choose the child's id takes a namespace of one's own.
    if arguments.set_tid != 0 || arguments.set_tid_size != 0 {
        return Err(Errno::EINVAL);
    }
    let (base, length) = (arguments.stack as usize, arguments.stack_size as usize);
    let top = base.checked_add(length).filter(|&top| top <= USER_END);
    let stack = match top {
        Some(top) if (base == 0) == (length == 0) => top,
        _ => return Err(Errno::EINVAL),
    };
    let request = Request {
        stack,
        tls: arguments.tls as usize,
        parent_tid: arguments.parent_tid as usize,
        child_tid: arguments.child_tid as usize,
    };
    thread::clone(current, flags, request)
}

pub fn thread_clone(
    current: &mut Current,
    entry: usize,
    arg1: usize,
    arg2: usize,
    stack_base: usize,
    stack_size: usize,
    flags: usize,
) -> Result<usize, Errno> {
    thread::native(
        current,
        entry,
        [arg1, arg2],
        (stack_base, stack_size),
        flags,
    )
}
