//! Flags of `clone` (clone(2)): per resource, share or copy.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Signal sent to the parent when the child ends, in the low byte.
pub const CSIGNAL: usize = 0xff;
/// Share the address space.
pub const CLONE_VM: usize = 0x100;
/// Share cwd, root and umask.
pub const CLONE_FS: usize = 0x200;
/// Share the table of open files.
pub const CLONE_FILES: usize = 0x400;
/// Share the table of signal actions; needs `CLONE_VM`.
pub const CLONE_SIGHAND: usize = 0x800;
/// The caller sleeps until the child execs or exits.
pub const CLONE_VFORK: usize = 0x4000;
/// The child's parent is the caller's parent.
pub const CLONE_PARENT: usize = 0x8000;
/// Same thread group; needs `CLONE_SIGHAND`.
pub const CLONE_THREAD: usize = 0x1_0000;
/// Share System V semaphore undo values.
pub const CLONE_SYSVSEM: usize = 0x4_0000;
/// Set the child's thread-local base (`fs`).
pub const CLONE_SETTLS: usize = 0x8_0000;
/// Write the child's id into the parent's memory before the child can run.
pub const CLONE_PARENT_SETTID: usize = 0x10_0000;
/// At exit, clear the word and wake a futex waiter on it.
pub const CLONE_CHILD_CLEARTID: usize = 0x20_0000;
/// Ignored, as on Linux; musl sets it.
pub const CLONE_DETACHED: usize = 0x40_0000;
/// Write the child's id into the child's memory before it can run.
pub const CLONE_CHILD_SETTID: usize = 0x100_0000;

/// clone3 only: signals with a handler have their default action in the child.
pub const CLONE_CLEAR_SIGHAND: usize = 1 << 32;

/// What `clone3` reads (clone(2), "struct clone_args"); older programs know
/// fewer fields, at least [`CloneArgs::SIZE_FIRST`] bytes.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    /// The stack's lowest address, and its size; the child starts at its top.
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

impl CloneArgs {
    pub const SIZE_FIRST: usize = 64;
}

/// The return address a native thread's `fcn` finds on its stack: returning
/// there faults, which ends that thread alone.
pub const FAKE_RETURN: usize = usize::MAX;

/// What `THREAD_LIST` stores per thread.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct ThreadInfo {
    pub tid: u32,
    pub tgid: u32,
    pub parent: u32,
    /// The CPU it runs or last ran on.
    pub cpu: u32,
    /// One of `R` (running or ready), `S` (asleep), `Z` (exited, not joined or waited for).
    pub state: u8,
    /// The program's name, zero padded.
    pub name: [u8; 15],
    /// CPU time used, in nanoseconds.
    pub time: u64,
}
