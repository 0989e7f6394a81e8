//! The header of each CPU's own block, and the few operations on it.
//!
//! Purpose: the preemption count and the interrupt nesting of the CPU this runs
//! on, each changed by one instruction so that neither an interrupt nor a
//! migration can come in between. Key types: [`Header`], with which machine's
//! per-CPU area starts and to which `gs` points. Locks: none; a CPU changes its
//! own header only. On the host the calling thread plays the CPU; under loom
//! every operation does nothing, since a model has no interrupts.

use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::rank::Chain;

#[cfg(loom)]
#[path = "model.rs"]
mod backend;
#[cfg(all(not(loom), not(target_os = "none")))]
#[path = "host.rs"]
mod backend;
#[cfg(all(not(loom), target_os = "none"))]
#[path = "x86_64.rs"]
mod backend;

pub(crate) use backend::*;

/// In [`Header::preempt`]: set while NO reschedule is wanted. With this sense
/// the word is zero exactly if the nesting count is zero and a reschedule is
/// wanted, so that leaving the last section and looking is one instruction.
pub(crate) const NO_RESCHEDULE: u32 = 1 << 31;

/// In [`Header::preempt`]: set while the thread that runs serves a request. It
/// is the thread's, which takes it along from CPU to CPU.
pub(crate) const SERVING: u32 = 1 << 30;

/// What every CPU keeps at offset 0 of its per-CPU area.
///
/// The offsets are part of the interface: machine's entry code may use the
/// first three fields.
#[repr(C)]
pub struct Header {
    /// `gs:0`: the header's own address, so that it can be found by one load.
    self_ptr: AtomicPtr<Header>,
    /// `gs:8`: the number of this CPU.
    cpu: AtomicU32,
    /// `gs:12`: nesting count of preemption guards, [`NO_RESCHEDULE`] and
    /// [`SERVING`].
    preempt: AtomicU32,
    /// `gs:16`: how many interrupt guards are alive.
    interrupt_depth: AtomicU32,
    /// `gs:20`: 1 if the guard that found interrupts enabled went before the
    /// others, so that the last of them has to enable.
    interrupt_restore: AtomicU32,
    /// `gs:24`: nesting of interrupt handlers.
    handler_depth: AtomicU32,
    /// The spin locks this CPU holds (empty in release builds).
    held: Chain,
}

impl Header {
    /// A header for a CPU that is not set up yet.
    pub const fn new() -> Self {
        Self {
            self_ptr: AtomicPtr::new(core::ptr::null_mut()),
            cpu: AtomicU32::new(0),
            preempt: AtomicU32::new(NO_RESCHEDULE),
            interrupt_depth: AtomicU32::new(0),
            interrupt_restore: AtomicU32::new(0),
            handler_depth: AtomicU32::new(0),
            held: Chain::new(),
        }
    }

    /// Writes the header's address and the CPU's number. Machine calls it
    /// before it points `gs` here; the header must not move afterwards.
    pub fn prepare(&'static self, cpu: u32) {
        let this: *const Header = self;
        self.self_ptr.store(this.cast_mut(), Ordering::Relaxed);
        self.cpu.store(cpu, Ordering::Relaxed);
    }

    /// The CPU's number.
    pub fn cpu(&self) -> u32 {
        self.cpu.load(Ordering::Relaxed)
    }
}

/// The number of the CPU this runs on. It may be out of date at once unless
/// preemption is disabled. On the host it is what [`assume`] said, else 0.
#[inline]
pub fn cpu() -> u32 {
    backend::cpu_number()
}

/// Lets the calling host thread play CPU number `cpu`.
#[cfg(all(not(loom), not(target_os = "none")))]
pub fn assume(cpu: u32) {
    backend::assume(cpu);
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::*;

    #[test]
    fn entry_code_finds_the_fields_where_they_are_promised() {
        assert_eq!(offset_of!(Header, self_ptr), 0);
        assert_eq!(offset_of!(Header, cpu), 8);
        assert_eq!(offset_of!(Header, preempt), 12);
        assert_eq!(offset_of!(Header, interrupt_depth), 16);
        assert_eq!(offset_of!(Header, interrupt_restore), 20);
        assert_eq!(offset_of!(Header, handler_depth), 24);
    }
}
