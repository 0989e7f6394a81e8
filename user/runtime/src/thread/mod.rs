//! Threads: made, joined, detached, ended.
//!
//! - [`spawn`] and [`scope`] run closures, as in `std`.
//! - [`Thread`] is the plain kind below them, a function with two words: its
//!   stack has a guard page and is freed only after a join that succeeded (or,
//!   once detached, by the thread's own last act).
//! - [`Local`] is a variable that each thread has for itself.
//!
//! `block` is what a thread knows about itself, found through `fs`; `stack`
//! keeps a few stacks for reuse.

pub(crate) mod block;
mod local;
mod spawn;
mod stack;

use crate::call::{self, raw};
use abi::Errno;
use abi::clone::*;
use block::Block;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

pub use local::Local;
pub use spawn::{JoinHandle, Scope, ScopedHandle, scope, spawn, spawn_with_stack};
pub use stack::DEFAULT_SIZE as DEFAULT_STACK;

/// What a thread starts with.
pub type Entry = extern "C" fn(usize, usize);

/// What the threads of one group share: everything.
pub const GROUP_FLAGS: usize = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

/// Set for good by the first clone: from then on fork has locks to think of.
pub(crate) static THREADED: AtomicBool = AtomicBool::new(false);

/// There will be threads.
pub(crate) fn note_threads() {
    THREADED.store(true, Relaxed);
}

/// A thread that has not been joined; dropping it detaches it.
#[derive(Debug)]
pub struct Thread {
    block: *const Block,
    tid: i32,
}

// SAFETY: any thread of the group may join; the block is shared by design.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

impl Thread {
    /// Starts `entry(first, second)` on a new stack of at least `stack_size`
    /// bytes. Returning from `entry` ends the thread.
    pub fn create(
        entry: Entry,
        first: usize,
        second: usize,
        stack_size: usize,
    ) -> Result<Thread, Errno> {
        Self::create_sharing(entry, first, second, stack_size, GROUP_FLAGS)
    }

    /// As [`Thread::create`], with clone flags that say what the thread shares,
    /// of which the address space must be one.
    pub(crate) fn create_sharing(
        entry: Entry,
        first: usize,
        second: usize,
        stack_size: usize,
        flags: usize,
    ) -> Result<Thread, Errno> {
        if flags & CLONE_VM == 0 {
            return Err(Errno::EINVAL);
        }
        note_threads();
        let stack = stack::take(stack_size)?;
        // SAFETY: the stack is fresh, or its thread has been joined.
        let block = unsafe { Block::place(stack, entry, first, second) };
        // SAFETY: just written.
        let (low, high) = unsafe { ((*block).low, (*block).high) };
        let begin = block::begin as *const () as usize;
        let args = [begin, block as usize, 0, low, high - low, flags];
        // SAFETY: the new thread has the stack for itself until it is joined.
        match unsafe { raw(call::THREAD_CLONE, args) } {
            Ok(tid) => Ok(Thread {
                block,
                tid: tid as i32,
            }),
            Err(error) => {
                stack::give_back(stack);
                Err(error)
            }
        }
    }

    pub fn id(&self) -> i32 {
        self.tid
    }

    /// Waits for its end and frees its stack. With an error the thread goes on,
    /// detached.
    pub fn join(self) -> Result<(), Errno> {
        join(self.tid)?;
        self.joined();
        Ok(())
    }

    /// Frees the stack, once a join of the id has succeeded.
    pub(crate) fn joined(self) {
        // SAFETY: the thread is over, and only one join succeeds.
        stack::give_back(unsafe { (*self.block).stack });
        core::mem::forget(self);
    }

    /// Nobody will join it; it frees its stack itself.
    pub fn detach(self) {}
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: the block lives until the thread has seen that it is detached.
        if unsafe { (*self.block).detach() } {
            // SAFETY: touches no memory.
            let _ = unsafe { raw(call::THREAD_DETACH, [self.tid as usize]) };
        } else if join(self.tid).is_ok() {
            // It was already past looking.
            // SAFETY: as in `join`.
            stack::give_back(unsafe { (*self.block).stack });
        }
    }
}

/// Waits for the end of a thread by its id: a peer, or a thread child.
pub fn join(tid: i32) -> Result<(), Errno> {
    loop {
        // SAFETY: nothing is stored through a null pointer.
        match unsafe { raw(call::THREAD_JOIN, [tid as usize, 0]) } {
            Err(Errno::EINTR) => {}
            result => return result.map(drop),
        }
    }
}

/// Ends the calling thread, and no other.
pub fn exit() -> ! {
    if let Some(block) = block::own() {
        local::drop_all(block);
        if block.leave() {
            // SAFETY: detached: the stack is nobody's after this.
            unsafe { stack::free_and_exit(block.stack) }
        }
    }
    exit_bare()
}

/// Ends the calling thread and nothing else: for threads made by a bare clone.
pub fn exit_bare() -> ! {
    // SAFETY: touches no memory.
    let _ = unsafe { raw(call::EXIT, [0]) };
    unreachable!("exit returned")
}

/// Fills in what there is to know about the system's threads; how many there
/// are, which may be more than there is room for.
pub fn list(threads: &mut [ThreadInfo]) -> Result<usize, Errno> {
    let args = [threads.as_mut_ptr() as usize, threads.len()];
    // SAFETY: the kernel writes at most that many.
    unsafe { raw(call::THREAD_LIST, args) }
}

/// The calling thread's id.
pub fn id() -> i32 {
    // SAFETY: touches no memory.
    unsafe { raw(call::GETTID, []) }.unwrap_or(0) as i32
}

/// Sends a signal to one thread; 0 only checks that it exists.
pub fn kill(group: i32, tid: i32, signal: u32) -> Result<(), Errno> {
    // SAFETY: touches no memory of this process.
    unsafe {
        raw(
            call::TGKILL,
            [group as usize, tid as usize, signal as usize],
        )
    }
    .map(drop)
}

/// Keeps the free stacks whole across a fork.
pub(crate) fn freeze_stacks() -> Option<impl Drop> {
    THREADED.load(Relaxed).then(stack::freeze)
}

/// How many CPUs the process may run on.
pub fn cpus() -> usize {
    static CPUS: AtomicUsize = AtomicUsize::new(0);
    match CPUS.load(Relaxed) {
        0 => {
            let cpus =
                affinity().map_or(1, |set| set.iter().map(|w| w.count_ones()).sum()) as usize;
            CPUS.store(cpus.max(1), Relaxed);
            cpus.max(1)
        }
        cpus => cpus,
    }
}

/// The set of CPUs the caller may run on, one bit each.
pub fn affinity() -> Result<[u64; 16], Errno> {
    let mut set = [0u64; 16];
    let args = [0, size_of_val(&set), set.as_mut_ptr() as usize];
    // SAFETY: the kernel writes into the set.
    unsafe { raw(call::SCHED_GETAFFINITY, args) }.map(|_| set)
}

/// Binds the caller to a set of CPUs.
pub fn set_affinity(set: &[u64; 16]) -> Result<(), Errno> {
    let args = [0, size_of_val(set), set.as_ptr() as usize];
    // SAFETY: the kernel reads the set.
    unsafe { raw(call::SCHED_SETAFFINITY, args) }.map(drop)
}
