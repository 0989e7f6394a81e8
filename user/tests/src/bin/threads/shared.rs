//! What several of the tests need: threads by the bare call, and flags that
//! threads show each other.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use weft::abi::clone::CLONE_VM;
use weft::{Errno, check, thread, wild};

pub const PAGE: usize = weft::abi::memory::PAGE_SIZE;

/// The flags of the two faces: threads of the caller's group, and threads that
/// share the address space and nothing else.
pub const GROUP: usize = thread::GROUP_FLAGS;
pub const SPACE: usize = CLONE_VM;

/// A thread made by the bare call.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    pub id: i32,
    pub stack: usize,
}

pub const STACK: usize = 8 * PAGE;

/// Starts `body` on a stack of its own. The body must outlive the thread.
pub fn bare<F: Fn() + Sync>(flags: usize, body: &F) -> Result<Bare, Errno> {
    let stack = wild::map(STACK);
    let (entry, word) = check::closure_words(body);
    let id = wild::clone(entry, (word, 0), (stack, STACK), flags)
        .inspect_err(|_| wild::unmap(stack, STACK).expect("unmap an unused stack"))?;
    Ok(Bare { id, stack })
}

impl Bare {
    /// Joins it by id and frees its stack.
    pub fn join(self) {
        thread::join(self.id).expect("join");
        wild::unmap(self.stack, STACK).expect("unmap a joined stack");
    }
}

/// Joins any thread child: its id and the base of its stack.
pub fn join_any() -> Result<(i32, usize), Errno> {
    let mut base = 0usize;
    let id = wild::call(weft::call::THREAD_JOIN_ANY, [&raw mut base as usize])?;
    Ok((id as i32, base))
}

/// Something that one thread says and others wait for.
#[derive(Debug, Default)]
pub struct Flag(AtomicU32);

impl Flag {
    pub const fn new() -> Flag {
        Flag(AtomicU32::new(0))
    }

    pub fn set(&self) {
        self.0.store(1, SeqCst);
    }

    /// Sets it; whether it was set before.
    pub fn swap(&self) -> bool {
        self.0.swap(1, SeqCst) != 0
    }

    pub fn is_set(&self) -> bool {
        self.0.load(SeqCst) != 0
    }

    pub fn wait(&self) {
        check::until(|| self.is_set());
    }
}

/// Never comes back; gives way, so that one CPU is enough.
pub fn spin_for_ever() -> ! {
    loop {
        weft::time::give_way();
    }
}

/// Never comes back, and never enters the kernel by itself.
pub fn spin_hard() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Never comes back, and costs nothing.
pub fn sleep_for_ever() -> ! {
    loop {
        let _ = weft::time::sleep(u64::MAX >> 1);
    }
}

/// A peer's id is gone: nobody can signal it.
pub fn is_gone(tid: i32) -> bool {
    thread::kill(weft::process::id(), tid, 0) == Err(Errno::ESRCH)
}

impl Flag {
    /// As `wait`, asleep in the kernel.
    pub fn wait_asleep(&self) {
        while !self.is_set() {
            weft::sync::futex::wait(&self.0, 0, weft::sync::futex::ANY);
        }
    }

    pub fn set_and_wake(&self) {
        self.set();
        weft::sync::futex::wake(&self.0, i32::MAX as u32, weft::sync::futex::ANY);
    }
}
