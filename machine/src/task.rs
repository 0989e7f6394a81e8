//! What a CPU runs: a kernel stack with its saved registers and the user
//! state that goes with it, and the act of switching from one to another.
//!
//! [`Tasks`] ties this to the kernel's own thread type `T`. The CPU owns one
//! `Arc<T>` for the thread it runs. [`Tasks::switch`] moves the scheduler's
//! guard `G` (the locked run queue) into the switch; the thread switched to
//! releases it, so that the decision and the switch are one act.

use crate::arch;
use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use sync::preempt::{self, Serving};

/// No memory for a kernel stack or its bookkeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// The machine's part of a thread.
pub struct Task(pub(crate) arch::task::Task);

impl Task {
    /// A thread that runs `start` on a stack of its own when first switched
    /// to, with interrupts on and no guard held.
    pub fn new(start: fn() -> !) -> Result<Self, OutOfMemory> {
        arch::task::Task::new(start).map(Self)
    }

    /// The task for [`Tasks::start_cpu`], which takes over a running stack. It
    /// does not enter user mode.
    #[must_use]
    pub fn idle() -> Self {
        Self(arch::task::Task::idle())
    }

    /// Gives this new task a copy of the running thread's user state: floating
    /// point registers and segment bases.
    pub fn clone_user_state_from_current(&self) {
        self.0.clone_user_state_from_current();
    }

    /// Forgets the user state, as exec does.
    pub fn reset_user_state(&self) {
        self.0.reset_user_state();
    }

    /// Copies the floating-point and vector registers. The task is the running one.
    pub fn save_vectors(&self, into: &mut Vectors) {
        self.0.save_vectors(&mut into.0);
    }

    /// Replaces the floating-point and vector registers; reserved bits are
    /// cleared. The task is the running one.
    pub fn load_vectors(&self, vectors: &Vectors) {
        self.0.load_vectors(&vectors.0);
    }

    /// The base of the `fs` segment: where user threads keep their locals.
    #[must_use]
    pub fn fs_base(&self) -> usize {
        self.0.fs_base()
    }

    /// Sets the base of `fs`. The task is the running one, or not yet started.
    pub fn set_fs_base(&self, base: usize) {
        self.0.set_fs_base(base);
    }

    /// The base of the user's `gs` segment.
    #[must_use]
    pub fn gs_base(&self) -> usize {
        self.0.gs_base()
    }

    /// Sets the base of `gs`, as [`Task::set_fs_base`] does.
    pub fn set_gs_base(&self, base: usize) {
        self.0.set_gs_base(base);
    }

    /// A CPU still stands on this task's stack. Cleared, with release
    /// ordering, by the thread that the CPU switched to.
    #[must_use]
    #[inline]
    pub fn on_cpu(&self) -> bool {
        self.0.on_cpu()
    }
}

/// The size of [`Vectors`].
pub const VECTORS_SIZE: usize = arch::task::Vectors::BYTES;

/// A program's floating-point and vector registers, in the format of XSAVE, or
/// FXSAVE where there is no XSAVE.
pub struct Vectors(arch::task::Vectors);

impl Vectors {
    /// What a program starts with.
    #[must_use]
    pub fn new() -> Self {
        Self(arch::task::Vectors::initial())
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8; VECTORS_SIZE] {
        self.0.bytes()
    }

    pub fn bytes_mut(&mut self) -> &mut [u8; VECTORS_SIZE] {
        self.0.bytes_mut()
    }
}

impl Default for Vectors {
    fn default() -> Self {
        Self::new()
    }
}

/// A thread type that holds a task.
pub trait Tasked: Send + Sync + 'static {
    fn task(&self) -> &Task;
}

/// The kernel's one door to the running thread; a static in the kernel.
pub struct Tasks<T: Tasked, G>(PhantomData<fn(T, G)>);

/// The thread that is running. Cannot leave it.
pub struct Running<T> {
    thread: *const T,
}

impl<T> Deref for Running<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the CPU holds a count on the thread it runs, and this value
        // cannot leave the thread, which runs whenever the value is used.
        unsafe { &*self.thread }
    }
}

impl<T> Running<T> {
    /// A counted reference to the running thread.
    #[must_use]
    pub fn arc(&self) -> Arc<T> {
        // SAFETY: `thread` came from `Arc::into_raw`, and the CPU's count keeps
        // it alive.
        unsafe {
            Arc::increment_strong_count(self.thread);
            Arc::from_raw(self.thread)
        }
    }
}

/// The thread that ran before this one on this CPU. Dropping it releases the
/// CPU's count, which may free the thread: do it with no lock held.
#[must_use = "dropping it may free the previous thread"]
pub struct Finished<T>(#[allow(dead_code, reason = "held to be dropped")] Arc<T>);

/// What the previous thread leaves on its stack for the next one.
#[repr(C)]
struct Handover<T, G> {
    /// Called by a new thread, which does not know the types.
    finish: arch::task::Finish,
    previous: Arc<T>,
    guard: G,
}

impl<T: Tasked, G> Tasks<T, G> {
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The running thread. Panics before [`Tasks::start_cpu`].
    #[inline]
    pub fn current(&self) -> Running<T> {
        let thread = arch::task::current().cast::<T>();
        debug_assert!(!thread.is_null(), "no thread runs on this CPU yet");
        Running { thread }
    }

    /// The running thread, unless this CPU has not got one yet.
    #[inline]
    pub fn try_current(&self) -> Option<Running<T>> {
        let thread = arch::task::current().cast::<T>();
        (!thread.is_null()).then_some(Running { thread })
    }

    /// Makes the running code, on the stack it started on, the thread `idle`,
    /// whose task came from [`Task::idle`]. Once on each CPU.
    pub fn start_cpu(&self, idle: Arc<T>) {
        let task: *const Task = idle.task();
        let thread = Arc::into_raw(idle);
        // SAFETY: the count moved into the CPU keeps both alive.
        unsafe { arch::task::start_cpu(thread.cast(), &(*task).0) };
    }

    /// Runs `next` instead of the running thread; returns when another switch
    /// picks this thread again. `guard` must keep interrupts off; `next` must
    /// be neither running nor switched to by anyone else. On the far side the
    /// previous task's `on_cpu` is cleared, then the guard is dropped, then
    /// interrupts are enabled; only then may the thread be preempted again.
    pub fn switch(&self, next: Arc<T>, guard: G) -> Finished<T> {
        // SAFETY: the CPU owns a count on the running thread, which goes into
        // the handover here.
        let previous = unsafe { Arc::from_raw(arch::task::current().cast::<T>()) };
        debug_assert!(
            !Arc::ptr_eq(&previous, &next),
            "switch to the running thread"
        );
        let from: *const arch::task::Task = &raw const previous.task().0;
        let to: *const arch::task::Task = &raw const next.task().0;
        let mut handover = ManuallyDrop::new(Handover {
            finish: Self::finish_new,
            previous,
            guard,
        });
        // SAFETY: both tasks are alive: the handover holds one, the CPU the
        // other. The handover stays in place on this stack until the far side
        // has taken it, for this thread cannot run before. Interrupts are off.
        unsafe {
            let serving = preempt::switch_away();
            let left = arch::task::switch(
                Arc::into_raw(next).cast(),
                from,
                to,
                (&raw mut handover).cast(),
            );
            Self::finish(left, serving)
        }
    }

    /// Takes what the previous thread left.
    ///
    /// # Safety
    /// `left` is the handover of the switch that led here, and is taken once.
    unsafe fn finish(left: *mut (), serving: Serving) -> Finished<T> {
        // SAFETY: passed on to the caller.
        let left = unsafe { left.cast::<Handover<T, G>>().read() };
        let Handover {
            previous, guard, ..
        } = left;
        previous.task().0.clear_on_cpu();
        drop(guard);
        arch::task::enable_interrupts();
        preempt::switched_back(serving);
        Finished(previous)
    }

    /// # Safety
    /// As for `finish`.
    unsafe extern "C" fn finish_new(left: *mut ()) {
        // SAFETY: passed on to the caller.
        drop(unsafe { Self::finish(left, Serving::default()) });
    }
}
