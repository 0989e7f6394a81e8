//! The x86-64 task: its kernel stack, its saved stack pointer, and the switch.

use super::area::{self, Area};
use super::registers::enable_interrupts as enable;
use super::stack::Stack;
pub use super::stack::{free_spares, spare_frames};
use super::user_state::{self, UserState};

pub use super::user_state::Vectors;
use crate::address::USER_END;
use crate::task::OutOfMemory;
use core::arch::naked_asm;
use core::cell::Cell;
use core::mem::offset_of;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use sync::interrupts;

/// Takes what the previous thread left; the first word of a handover.
pub type Finish = unsafe extern "C" fn(*mut ());

pub struct Task {
    /// Where the registers are saved, on the task's stack, while it does not
    /// run. The CPU that switches to or from the task uses it.
    saved: Cell<usize>,
    on_cpu: AtomicBool,
    pub(super) user: UserState,
    /// Only held: the task runs on it, and its vector registers are saved at
    /// its top. An idle task's stack is the CPU's.
    _stack: Option<Stack>,
}

// SAFETY: `saved` is touched only by the CPU that switches to or from the task,
// and `on_cpu` hands the task from one CPU to the next.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Send for Task {}

/// What lies on the stack of a task that does not run: pushed by [`exchange`],
/// and made up by [`Task::new`].
#[repr(C)]
struct Saved {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    rbx: u64,
    rbp: u64,
    rip: u64,
    /// The return address of a new task's first function: none, so that
    /// backtraces end.
    end: u64,
}

impl Task {
    pub fn new(start: fn() -> !) -> Result<Self, OutOfMemory> {
        let stack = Stack::new()?;
        let vectors = stack.top() - size_of::<Vectors>();
        let saved = vectors - size_of::<Saved>();
        let frame = Saved {
            r15: 0,
            r14: 0,
            r13: 0,
            r12: start as *const () as u64,
            rbx: 0,
            rbp: 0,
            rip: begin as *const () as u64,
            end: 0,
        };
        // SAFETY: the stack is mapped, aligned and used by nobody yet.
        unsafe { (saved as *mut Saved).write(frame) };
        Ok(Self {
            saved: Cell::new(saved),
            on_cpu: AtomicBool::new(false),
            // SAFETY: the top of the stack is set aside for it, and the stack
            // lives as long as the task.
            user: unsafe { UserState::new(vectors as *mut Vectors) },
            _stack: Some(stack),
        })
    }

    pub fn idle() -> Self {
        Self {
            saved: Cell::new(0),
            on_cpu: AtomicBool::new(false),
            // SAFETY: null is allowed.
            user: unsafe { UserState::new(ptr::null_mut()) },
            _stack: None,
        }
    }

    pub fn clone_user_state_from_current(&self) {
        let _off = interrupts::off();
        let current = area::task();
        // SAFETY: the running task is alive. With interrupts off it stays on
        // this CPU and nobody else uses its state; `self` does not run yet.
        unsafe { self.user.copy_from_running(&(*current).user) };
    }

    /// Changes the user state in memory, which is then what counts.
    fn change(&self, change: impl FnOnce(&UserState)) {
        let _off = interrupts::off();
        if ptr::eq(self, area::task()) {
            // SAFETY: this is the running task, and interrupts are off.
            unsafe { user_state::save(area::own(), self) };
        }
        change(&self.user);
    }

    pub fn reset_user_state(&self) {
        // SAFETY: the task is the running one or not yet started, by the
        // contract of the caller, and `change` turns interrupts off.
        self.change(|user| unsafe { user.reset() });
    }

    pub fn save_vectors(&self, into: &mut Vectors) {
        // SAFETY: the task is the running one, by the contract of the caller,
        // and `change` saves its state and turns interrupts off.
        self.change(|user| *into = unsafe { user.vectors() });
    }

    pub fn load_vectors(&self, vectors: &Vectors) {
        // SAFETY: as above.
        self.change(|user| unsafe { user.set_vectors(vectors) });
    }

    pub fn fs_base(&self) -> usize {
        self.change(|_| {});
        self.user.fs_base() as usize
    }

    pub fn set_fs_base(&self, base: usize) {
        self.change(|user| user.set_fs_base(canonical(base)));
    }

    pub fn gs_base(&self) -> usize {
        self.change(|_| {});
        self.user.gs_base() as usize
    }

    pub fn set_gs_base(&self, base: usize) {
        self.change(|user| user.set_gs_base(canonical(base)));
    }

    #[inline]
    pub fn on_cpu(&self) -> bool {
        self.on_cpu.load(Ordering::Acquire)
    }

    #[inline]
    pub fn clear_on_cpu(&self) {
        self.on_cpu.store(false, Ordering::Release);
    }
}

/// A base that user code may have: the hardware faults on others.
fn canonical(base: usize) -> u64 {
    if base < USER_END { base as u64 } else { 0 }
}

#[inline]
pub fn current() -> *const () {
    area::current()
}

/// # Safety
/// `thread` and `task` stay alive while they are current; the caller runs on a
/// stack that this CPU keeps.
pub unsafe fn start_cpu(thread: *const (), task: *const Task) {
    let _off = interrupts::off();
    let area = area::own();
    // SAFETY: alive, by this function's contract.
    unsafe { &*task }.on_cpu.store(true, Ordering::Relaxed);
    area.current.set(thread);
    area.task.set(task);
}

/// Saves `from`, the running task, and runs `to`; `thread` becomes current.
/// Returns, when `from` runs again, what the task before it left.
///
/// # Safety
/// Interrupts are off. Both tasks are alive, `from` until the far side has
/// cleared its `on_cpu`, `to` while it runs; `to` runs nowhere else.
#[inline]
pub unsafe fn switch(
    thread: *const (),
    from: *const Task,
    to: *const Task,
    left: *mut (),
) -> *mut () {
    let area: &Area = area::own();
    // SAFETY: passed on to the caller.
    unsafe {
        user_state::save(area, &*from);
        (*to).on_cpu.store(true, Ordering::Relaxed);
        area.current.set(thread);
        area.task.set(to);
        exchange((*from).saved.as_ptr(), (*to).saved.get(), left)
    }
}

pub fn enable_interrupts() {
    enable();
}

/// Pushes the registers that a call keeps, leaves the stack pointer in `*save`,
/// and goes on at the stack pointer `load`, returning `left` there.
#[unsafe(naked)]
unsafe extern "C" fn exchange(save: *mut usize, load: usize, left: *mut ()) -> *mut () {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov rax, rdx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

const _: () = assert!(
    offset_of!(Saved, rip) == 48,
    "six registers, then the return address"
);

/// Where a new task begins: `rax` is what the previous one left, `r12` the
/// function to run. Both calls find the stack aligned.
#[unsafe(naked)]
unsafe extern "C" fn begin() -> ! {
    naked_asm!(
        "mov rdi, rax",
        "sub rsp, 8",
        "call [rax]",
        "add rsp, 8",
        "jmp r12",
    )
}
