//! Each CPU's own block, to which `gs` points while the kernel runs.
//!
//! A CPU touches its own block only, with interrupts off or by one instruction
//! at a time; [`own`] hands it out under that condition. The entry code knows
//! the offsets.

use super::segments::{Gdt, TaskState};
use super::task::Task;
use crate::cpu::MAX;
use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::ptr;
use sync::cpu_local::Header;

#[repr(C, align(128))]
pub struct Area {
    /// Begins the block, by agreement with `sync`.
    pub header: Header,
    /// Where user mode's stack pointer waits while the entry code needs `rsp`.
    user_stack: Cell<u64>,
    /// Where the kernel stack continues when user mode is left.
    kernel_stack: Cell<u64>,
    /// The running thread, counted; null before there is one.
    pub current: Cell<*const ()>,
    /// The running thread's task.
    pub task: Cell<*const Task>,
    /// The running task's user state (floating point, segment bases) is in the
    /// registers, and may differ from what is in memory.
    pub user_loaded: Cell<bool>,
    /// The task whose floating point state the registers hold, if it has been
    /// in the registers of no other CPU since.
    pub user_owner: Cell<*const Task>,
    /// Only this CPU's number in the interrupt controller.
    pub apic_id: Cell<u32>,
    pub state: TaskState,
    pub gdt: UnsafeCell<Gdt>,
}

// SAFETY: only the owning CPU uses a block after it is prepared.
unsafe impl Sync for Area {}

pub const USER_STACK: usize = offset_of!(Area, user_stack);
pub const KERNEL_STACK: usize = offset_of!(Area, kernel_stack);
pub const CURRENT: usize = offset_of!(Area, current);
pub const TASK: usize = offset_of!(Area, task);
pub const USER_LOADED: usize = offset_of!(Area, user_loaded);
/// Where the end of the running thread's `UserRegs` is told to CPU and entry
/// code alike.
pub const USER_REGS_END: usize = offset_of!(Area, state) + TaskState::RSP0;

static AREAS: [Area; MAX] = [const { Area::new() }; MAX];

impl Area {
    const fn new() -> Self {
        Self {
            header: Header::new(),
            user_stack: Cell::new(0),
            kernel_stack: Cell::new(0),
            current: Cell::new(ptr::null()),
            task: Cell::new(ptr::null()),
            user_loaded: Cell::new(false),
            user_owner: Cell::new(ptr::null()),
            apic_id: Cell::new(0),
            state: TaskState::new(),
            gdt: UnsafeCell::new(Gdt::new()),
        }
    }
}

/// The block of `cpu`, for preparing it.
pub fn of(cpu: usize) -> &'static Area {
    &AREAS[cpu]
}

/// This CPU's block. Interrupts are off, or the caller otherwise knows that it
/// stays on this CPU.
#[inline]
pub fn own() -> &'static Area {
    let area: *const Area;
    // SAFETY: `gs:0` holds the block's own address, written before `gs` was
    // loaded; blocks are static.
    unsafe {
        asm!("mov {}, gs:[0]", out(reg) area, options(nostack, preserves_flags, pure, readonly));
        &*area
    }
}

/// The running thread. One instruction, so it is right for whoever asks, on
/// whatever CPU.
#[inline]
pub fn current() -> *const () {
    let current: *const ();
    // SAFETY: reads this CPU's block.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg) current, const CURRENT,
            options(nostack, preserves_flags, readonly));
    }
    current
}

/// The running task, as [`current`].
#[inline]
pub fn task() -> *const Task {
    let task: *const Task;
    // SAFETY: reads this CPU's block.
    unsafe {
        asm!("mov {}, gs:[{}]", out(reg) task, const TASK,
            options(nostack, preserves_flags, readonly));
    }
    task
}
