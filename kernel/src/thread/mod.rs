//! Threads: what they share, how they begin and end, and how they wait for
//! each other.
//!
//! A [`Thread`] is what others may see of a thread; its resources (address
//! space, files, working directory, registers) belong to the running thread
//! alone, in its [`Current`]. A resource is shared by `Arc` and goes with its
//! last owner. A [`Group`] is a process: the threads that end together.

mod clone;
mod clone_flags;
mod cpu_clock;
mod cpu_timer;
mod current;
mod elf;
mod exec;
mod exit;
mod family;
mod futex;
mod group;
mod ids;
mod inheritance;
mod job_control;
mod join;
mod joins;
mod kill;
mod life;
mod load;
mod pi_futex;
pub mod registry;
mod requeue_pi;
mod resource_limits;
mod robust;
mod rseq;
mod semaphore;
mod signal;
mod slides;
mod stack_image;
mod timers;
mod traits;
mod usage;
mod view;
mod wait;
mod wake_op;

pub use clone::{Request, clone, native};
pub use clone_flags::CloneFlags;
pub use cpu_clock::CpuClock;
pub use cpu_timer::sleep_by;
pub use current::{Current, Interrupted, Resources};
pub use exec::{exec, exec_first, own_files};
pub use exit::{exit_group, exit_group_wide, exit_thread};
pub use futex::{Word, requeue, wait as futex_wait, wake as futex_wake};
pub use group::{Group, set_process_group};
pub use job_control::{check as check_terminal, check_group, session, signal_leader};
pub use join::{JoinTable, detach, join_any, join_one};
pub use kill::{Target, interrupt_foreground, kill, notify, queue, tgkill, tkill};
pub use life::start_init;
pub use pi_futex::{lock as pi_lock, unlock as pi_unlock, urgency_changed};
pub use registry::{find, list, member, of_priority, print_list, process, processes};
pub use registry::{is_subreaper, set_subreaper};
pub use requeue_pi::{requeue as pi_requeue, wait as pi_requeue_wait};
pub use resource_limits::{Limit, Resource, largest_file, set_limit};
pub use robust::{get as robust_list, set as set_robust_list};
pub use rseq::register as register_rseq;
pub use semaphore::Semaphores;
pub use signal::{
    SignalFd, change_mask, open_signals, pause, pending as pending_signals, return_from_handler,
    send_to_self, set_action, set_stack as set_signal_stack, stack as signal_stack, suspend,
    wait_for as wait_for_signal, with_mask,
};
pub use slides::disable as disable_slides;
pub use timers::{Base, Notify, Standing, create_timer, set_standing_timer};
pub use traits::{Name, Traits};
pub use wait::{Choice, Waited, wait};
pub use wake_op::wake_op;

use self::signal::Signals;
use self::view::View;
use crate::sched::{Class, Entity};
use abi::signal::SigStack;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use machine::hooks::Access;
use machine::task::{OutOfMemory, Task, Tasked};
use sync::heap::Hook;
use sync::rank::Chain;
use sync::{SpinLock, rank};

/// A thread's id; a process's id is that of its first thread.
pub type Tid = u32;

/// What a thread was made as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Runs when nothing else does; one per CPU.
    Idle,
    /// The kernel's own: never enters user mode, never ends.
    Kernel,
    /// The first thread of a process, or one made by Linux's clone.
    Linux,
    /// Made by the native clone.
    Native,
}

/// The running thread must end before it returns to user mode.
const MUST_EXIT: u32 = 1;
/// There may be a signal to deliver to it.
const SIGNALED: u32 = 2;
/// Its process is stopped, and so it must stop.
const STOPPED: u32 = 4;
/// Timers by CPU time may be due.
const CPU_TIMERS: u32 = 8;
/// It was off its CPU: see [`rseq`].
const RESUMED: u32 = 16;
/// What of these ends a sleep.
const INTERRUPTS: u32 = MUST_EXIT | SIGNALED | STOPPED;

pub struct Thread {
    task: Task,
    /// Changes once at most, when exec takes over the group's id.
    tid: AtomicU32,
    kind: Kind,
    /// Made by the native clone, and still the program that asked for it: a
    /// fault or a `tgkill` ends it alone, and it stays joinable.
    is_native: AtomicBool,
    /// `None` for idle threads.
    group: Option<Arc<Group>>,
    /// What the running thread has to look at before it returns to user mode.
    pending: AtomicU32,
    /// Which of it ends a sleep: all, or what [`Thread::killable`] leaves.
    interrupts: AtomicU32,
    signals: SpinLock<Signals, rank::Signals>,
    /// What the thread owns, until it runs for the first time.
    start: SpinLock<Option<Box<Resources>>, rank::ThreadStart>,
    /// The others of them, for those who look.
    view: SpinLock<View, rank::ThreadStart>,
    /// The page table to load when this thread runs: see [`Thread::enter_space`].
    space: SpinLock<Option<Arc<crate::memory::Space>>, rank::ThreadStart>,
    /// The word to clear and wake at exit (`set_tid_address`); 0 for none.
    pub(crate) clear_tid: AtomicUsize,
    /// The head of the list of locks it holds, in user memory; 0 for none.
    robust_list: AtomicUsize,
    rseq: rseq::Rseq,
    traits: Traits,
    /// For a lock with priority inheritance.
    lock_wait: pi_futex::Waiting,
    /// The sleeping locks it holds, for the checks of debug builds.
    held: Chain,

    // The scheduler's, under the home run queue's lock.
    pub(crate) entity: Entity,
    run_hook: Hook<Thread>,

    // The timers', under the lock of the CPU that `timer_cpu` names.
    pub(crate) timer_cpu: AtomicU32,
    timer_hook: Hook<Thread>,
}

sync::hooked!(Thread: 0 => run_hook, 1 => timer_hook);

impl Tasked for Thread {
    fn task(&self) -> &Task {
        &self.task
    }
}

impl Thread {
    /// A user thread that does not run yet.
    pub(crate) fn new(
        tid: Tid,
        kind: Kind,
        group: Arc<Group>,
        entity: Entity,
        start: Box<Resources>,
    ) -> Result<Thread, OutOfMemory> {
        let space = Arc::clone(&start.space);
        let task = Task::new(life::begin)?;
        Ok(Thread::assemble(
            task,
            tid,
            kind,
            Some(group),
            entity,
            Some(start),
            Some(space),
        ))
    }

    /// A thread of the kernel's own, which runs `body` for ever.
    pub(crate) fn kernel(body: fn() -> !) -> Result<Thread, OutOfMemory> {
        let task = Task::new(body)?;
        let entity = Entity::new(u64::MAX, Class::OTHER);
        Ok(Thread::assemble(
            task,
            0,
            Kind::Kernel,
            None,
            entity,
            None,
            None,
        ))
    }

    /// The idle thread of the calling CPU.
    pub(crate) fn idle(entity: Entity) -> Arc<Thread> {
        Arc::new(Thread::assemble(
            Task::idle(),
            0,
            Kind::Idle,
            None,
            entity,
            None,
            None,
        ))
    }

    fn assemble(
        task: Task,
        tid: Tid,
        kind: Kind,
        group: Option<Arc<Group>>,
        entity: Entity,
        start: Option<Box<Resources>>,
        space: Option<Arc<crate::memory::Space>>,
    ) -> Thread {
        Thread {
            task,
            tid: AtomicU32::new(tid),
            kind,
            is_native: AtomicBool::new(kind == Kind::Native),
            group,
            pending: AtomicU32::new(0),
            interrupts: AtomicU32::new(INTERRUPTS),
            signals: SpinLock::new(Signals::new(0, SigStack::default())),
            view: SpinLock::new(start.as_deref().map(View::of).unwrap_or_default()),
            start: SpinLock::new(start),
            space: SpinLock::new(space),
            clear_tid: AtomicUsize::new(0),
            robust_list: AtomicUsize::new(0),
            rseq: rseq::Rseq::new(),
            traits: Traits::new(),
            lock_wait: pi_futex::Waiting::new(),
            held: Chain::new(),
            entity,
            run_hook: Hook::new(),
            timer_cpu: AtomicU32::new(0),
            timer_hook: Hook::new(),
        }
    }

    pub fn tid(&self) -> Tid {
        self.tid.load(Ordering::Relaxed)
    }

    pub(crate) fn held(&self) -> &Chain {
        &self.held
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.kind == Kind::Idle
    }

    /// Made by the native clone, and no exec since.
    pub(crate) fn is_native(&self) -> bool {
        self.is_native.load(Ordering::Relaxed)
    }

    pub(crate) fn user_group(&self) -> Option<&Arc<Group>> {
        self.group.as_ref()
    }

    /// Whether something waits to be done before this thread returns to user mode.
    #[inline]
    pub(crate) fn has_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed) != 0
    }

    /// Whether something is pending that ends the thread's sleep.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.pending.load(Ordering::Acquire) & self.interrupts.load(Ordering::Relaxed) != 0
    }

    /// Sleeps in `act` end when the thread is to end, and not for a signal.
    /// The thread is the running one.
    fn killable<R>(&self, act: impl FnOnce() -> R) -> R {
        self.interrupts.store(MUST_EXIT, Ordering::Relaxed);
        let result = act();
        self.interrupts.store(INTERRUPTS, Ordering::Relaxed);
        result
    }

    /// Whether the thread was told to end.
    pub(crate) fn must_exit(&self) -> bool {
        self.pending.load(Ordering::Acquire) & MUST_EXIT != 0
    }

    /// Tells a thread to end: it does before its next return to user mode, and
    /// leaves any sleep that can be interrupted.
    pub(crate) fn tell_to_exit(self: &Arc<Self>) {
        self.pending.fetch_or(MUST_EXIT, Ordering::Release);
        crate::sched::interrupt(self);
    }

    /// Loads the thread's address space on this CPU. Idle threads keep what is
    /// there: it is switched lazily.
    #[inline]
    pub(crate) fn enter_space(&self) {
        if let Some(space) = &*self.space.lock() {
            space.activate();
        }
    }

    /// Resolves a fault that a copy from or to user memory took; false if the
    /// access is bad.
    pub(crate) fn resolve_fault(&self, addr: usize, access: Access) -> bool {
        self.entity.count_fault();
        let space = self.space.lock().clone();
        space.is_some_and(|space| space.fault(addr, access).is_ok())
    }

    /// Makes `space` the one this thread runs in from now on (exec), or none (exit).
    pub(crate) fn set_space(&self, space: Option<Arc<crate::memory::Space>>) {
        let old = core::mem::replace(&mut *self.space.lock(), space);
        drop(old);
    }
}
