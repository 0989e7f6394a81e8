//! What user mode has beside the general registers: floating point and vector
//! registers, and the bases of `fs` and `gs`. The kernel uses none of them.
//!
//! They are loaded when a task enters user mode and are not already there, and
//! saved when the CPU leaves a task that has entered user mode since. A task
//! that comes back to a CPU where no other has loaded its own since then finds
//! its registers as they were.

use super::area::{self, Area};
use super::features::{Feature, has};
use super::registers::{FS_BASE, KERNEL_GS_BASE, write_msr};
use super::task::Task;
use core::arch::asm;
use core::cell::Cell;
use core::ptr;

/// x87, SSE and their header, then the upper halves of the AVX registers.
const SIZE: usize = 512 + 64 + 256;
/// Where the header of XSAVE begins, in words.
const HEADER: usize = 512 / 8;

/// In the format of XSAVE, or FXSAVE where there is no XSAVE.
#[repr(C, align(64))]
#[derive(Clone)]
pub struct Vectors([u64; SIZE / 8]);

impl Vectors {
    pub const BYTES: usize = SIZE;

    /// What a program starts with.
    pub fn initial() -> Self {
        INITIAL.clone()
    }

    pub fn bytes(&self) -> &[u8; SIZE] {
        // SAFETY: as many bytes, of which any value is valid; less aligned.
        unsafe { &*(&raw const self.0).cast() }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8; SIZE] {
        // SAFETY: as above; any bytes make valid words.
        unsafe { &mut *(&raw mut self.0).cast() }
    }

    /// Clears what makes XRSTOR and FXRSTOR fault: reserved bits of MXCSR and
    /// of the header, and components that are not enabled.
    fn make_loadable(&mut self) {
        const MXCSR_MASK: u64 = 0xffff;
        self.0[3] &= !(u64::from(u32::MAX)) | MXCSR_MASK;
        self.0[HEADER] &= 7;
        self.0[HEADER + 1..HEADER + 8].fill(0);
    }
}

/// What a program starts with: all registers empty, exceptions masked by the
/// x87 control word (0x37f) and MXCSR (0x1f80).
static INITIAL: Vectors = {
    let mut words = [0; SIZE / 8];
    words[0] = 0x37f;
    words[3] = 0x1f80;
    Vectors(words)
};

/// The user state of a task while it is not in the registers.
pub struct UserState {
    /// On the task's stack, at its very top, so that making a task writes only
    /// what it must. Null in an idle task, which never enters user mode.
    vectors: *mut Vectors,
    /// Nothing was saved yet: the state is [`INITIAL`].
    fresh: Cell<bool>,
    fs_base: Cell<u64>,
    gs_base: Cell<u64>,
    /// The CPU whose registers held it last, to tell a stale owner mark.
    cpu: Cell<u32>,
}

// SAFETY: touched only by the task it belongs to, by the CPU that switches
// from or to that task, and by its creator before it runs.
unsafe impl Sync for UserState {}
// SAFETY: as above; nothing in it is bound to a thread.
unsafe impl Send for UserState {}

const NO_CPU: u32 = u32::MAX;

impl UserState {
    /// # Safety
    /// `vectors` is null, or memory that lives as long as this and is nobody
    /// else's.
    pub unsafe fn new(vectors: *mut Vectors) -> Self {
        if !vectors.is_null() {
            // XSAVE leaves reserved words of its header alone, and XRSTOR wants
            // them zero.
            for word in HEADER..HEADER + 8 {
                // SAFETY: in bounds of the vectors, by this function's contract.
                unsafe { (&raw mut (*vectors).0[word]).write(0) };
            }
        }
        Self {
            vectors,
            fresh: Cell::new(true),
            fs_base: Cell::new(0),
            gs_base: Cell::new(0),
            cpu: Cell::new(NO_CPU),
        }
    }

    /// What was saved last.
    ///
    /// # Safety
    /// The state is saved and its task is the running one; interrupts are off.
    pub unsafe fn vectors(&self) -> Vectors {
        if self.fresh.get() {
            return Vectors::initial();
        }
        // SAFETY: the running task has vectors, and nobody else touches them now.
        unsafe { (*self.vectors).clone() }
    }

    /// Replaces the vectors, by any bytes.
    ///
    /// # Safety
    /// As for [`UserState::vectors`].
    pub unsafe fn set_vectors(&self, vectors: &Vectors) {
        let mut vectors = vectors.clone();
        vectors.make_loadable();
        // SAFETY: as above.
        unsafe { self.vectors.write(vectors) };
        self.fresh.set(false);
        // What the registers hold is not this any more.
        self.cpu.set(NO_CPU);
    }

    /// Forgets all.
    ///
    /// # Safety
    /// The task is the running one, with its state saved, or has not been
    /// switched to yet; interrupts are off.
    pub unsafe fn reset(&self) {
        self.fresh.set(true);
        self.fs_base.set(0);
        self.gs_base.set(0);
        self.cpu.set(NO_CPU);
    }

    /// Takes over the state of the running task, which is `from`.
    ///
    /// # Safety
    /// Interrupts are off, and this state's task has not been switched to yet.
    pub unsafe fn copy_from_running(&self, from: &Self) {
        // SAFETY: two different states, in use by nobody else; both tasks have
        // stacks, as they enter user mode.
        unsafe {
            if area::own().user_loaded.get() {
                save_vectors(self.vectors);
                self.fresh.set(false);
                from.save_bases();
            } else if !from.fresh.get() {
                ptr::copy_nonoverlapping(from.vectors, self.vectors, 1);
                self.fresh.set(false);
            }
        }
        self.fs_base.set(from.fs_base.get());
        self.gs_base.set(from.gs_base.get());
    }

    /// Saves the bases, which user mode may change itself where it has the
    /// instructions. The registers hold this state; interrupts are off.
    fn save_bases(&self) {
        if !has(Feature::FsGsBase) {
            return;
        }
        let (fs, gs): (u64, u64);
        // SAFETY: the instructions are enabled; `swapgs` twice, with interrupts
        // off, leaves the kernel's base in place.
        unsafe {
            asm!(
                "rdfsbase {fs}",
                "swapgs",
                "rdgsbase {gs}",
                "swapgs",
                fs = out(reg) fs,
                gs = out(reg) gs,
                options(nostack, preserves_flags),
            );
        }
        self.fs_base.set(fs);
        self.gs_base.set(gs);
    }

    pub fn fs_base(&self) -> u64 {
        self.fs_base.get()
    }

    pub fn gs_base(&self) -> u64 {
        self.gs_base.get()
    }

    pub fn set_fs_base(&self, base: u64) {
        self.fs_base.set(base);
    }

    pub fn set_gs_base(&self, base: u64) {
        self.gs_base.set(base);
    }
}

/// Brings the user state of `task` into the registers.
///
/// # Safety
/// `task` is the running task; interrupts are off.
#[cold]
pub unsafe fn load(task: &Task) {
    let area = area::own();
    let state = &task.user;
    let cpu = area.header.cpu();
    assert!(
        !state.vectors.is_null(),
        "an idle task does not enter user mode"
    );
    if area.user_owner.get() != ptr::from_ref(task) || state.cpu.get() != cpu {
        let vectors = if state.fresh.get() {
            &raw const INITIAL
        } else {
            state.vectors.cast_const()
        };
        // SAFETY: the state was made by `save_vectors` or is the initial one.
        unsafe { load_vectors(vectors) };
        area.user_owner.set(task);
        state.cpu.set(cpu);
    }
    if has(Feature::FsGsBase) {
        // SAFETY: the instructions are enabled; `swapgs` twice, with interrupts
        // off, leaves the kernel's base in place.
        unsafe {
            asm!(
                "wrfsbase {fs}",
                "swapgs",
                "wrgsbase {gs}",
                "swapgs",
                fs = in(reg) state.fs_base.get(),
                gs = in(reg) state.gs_base.get(),
                options(nostack, preserves_flags),
            );
        }
    } else {
        // SAFETY: bases are canonical, by `set_fs_base`.
        unsafe {
            write_msr(FS_BASE, state.fs_base.get());
            write_msr(KERNEL_GS_BASE, state.gs_base.get());
        }
    }
    area.user_loaded.set(true);
}

/// Saves the user state of `task` if the registers hold it. They still do
/// afterwards, until another task loads its own.
///
/// # Safety
/// `task` is the task that runs on the CPU of `area`; interrupts are off.
#[inline]
pub unsafe fn save(area: &Area, task: &Task) {
    if area.user_loaded.get() {
        area.user_loaded.set(false);
        // SAFETY: passed on to the caller.
        unsafe { save_loaded(task) };
    }
}

unsafe fn save_loaded(task: &Task) {
    let state = &task.user;
    // SAFETY: the state is this task's, which entered user mode and so has a
    // stack, and nobody else touches it now.
    unsafe { save_vectors(state.vectors) };
    state.fresh.set(false);
    state.save_bases();
}

/// Without AVX there is nothing that the older and faster pair leaves out.
fn wide() -> bool {
    has(Feature::Avx)
}

unsafe fn save_vectors(to: *mut Vectors) {
    // SAFETY: `to` is aligned and large enough for the enabled components.
    unsafe {
        if !wide() {
            asm!("fxsave64 [{}]", in(reg) to, options(nostack, preserves_flags));
        } else if has(Feature::XsaveOpt) {
            asm!("xsaveopt64 [{}]", in(reg) to, in("eax") 7, in("edx") 0,
                options(nostack, preserves_flags));
        } else {
            asm!("xsave64 [{}]", in(reg) to, in("eax") 7, in("edx") 0,
                options(nostack, preserves_flags));
        }
    }
}

unsafe fn load_vectors(from: *const Vectors) {
    // SAFETY: `from` is aligned and holds what `save_vectors` wrote, or the
    // initial state, so no reserved bit is set.
    unsafe {
        if wide() {
            asm!("xrstor64 [{}]", in(reg) from, in("eax") 7, in("edx") 0,
                options(nostack, preserves_flags));
        } else {
            asm!("fxrstor64 [{}]", in(reg) from, options(nostack, preserves_flags));
        }
    }
}
