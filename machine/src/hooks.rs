//! What the machine asks of the kernel: one object, installed once at boot.

use core::fmt;

/// What an access wanted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Execute,
}

/// Called by the trap and interrupt code. Unless said otherwise a hook runs
/// with interrupts off and must not sleep.
pub trait Hooks: Sync {
    /// The one-shot timer of this CPU fired, in user mode or in the kernel.
    fn timer(&self, in_user_mode: bool);
    /// Another CPU kicked this one with [`crate::kick`].
    fn kicked(&self);
    /// A copy from or to user memory faulted. Runs with interrupts on and may
    /// sleep; true means the access can be tried again.
    fn kernel_fault(&self, addr: usize, access: Access) -> bool;
    /// Bytes wait in [`crate::console::read`].
    fn console_input(&self);
    /// A device raised the interrupt line `line`.
    fn device(&self, line: usize);
    /// Describes the running thread for a panic message; takes no locks.
    fn describe_current(&self, f: &mut fmt::Formatter) -> fmt::Result;
}

static HOOKS: sync_cell::SetOnce = sync_cell::SetOnce::new();

/// Installs the kernel's hooks. The first call wins.
pub fn install(hooks: &'static dyn Hooks) {
    HOOKS.set(hooks);
}

/// The installed hooks, if any: early boot has none.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "nothing interrupts the host")
)]
pub(crate) fn get() -> Option<&'static dyn Hooks> {
    HOOKS.get()
}

mod sync_cell {
    use super::Hooks;
    use core::cell::UnsafeCell;
    use core::sync::atomic::{AtomicU8, Ordering};

    const EMPTY: u8 = 0;
    const SETTING: u8 = 1;
    const SET: u8 = 2;

    /// A reference that is written once and then read without a lock, also
    /// from interrupts and panics.
    pub(super) struct SetOnce {
        state: AtomicU8,
        value: UnsafeCell<Option<&'static dyn Hooks>>,
    }

    // SAFETY: the value is written once, by whoever moves the state off EMPTY,
    // and read only after the state says SET.
    unsafe impl Sync for SetOnce {}

    impl SetOnce {
        pub(super) const fn new() -> Self {
            Self {
                state: AtomicU8::new(EMPTY),
                value: UnsafeCell::new(None),
            }
        }

        pub(super) fn set(&self, hooks: &'static dyn Hooks) {
            let claim =
                self.state
                    .compare_exchange(EMPTY, SETTING, Ordering::Acquire, Ordering::Relaxed);
            if claim.is_ok() {
                // SAFETY: only the CPU that claimed the cell writes it, and no
                // one reads it before the state is SET.
                unsafe { *self.value.get() = Some(hooks) };
                self.state.store(SET, Ordering::Release);
            }
        }

        #[cfg_attr(not(target_os = "none"), allow(dead_code, reason = "as above"))]
        pub(super) fn get(&self) -> Option<&'static dyn Hooks> {
            if self.state.load(Ordering::Acquire) != SET {
                return None;
            }
            // SAFETY: SET means the one write is done and visible.
            unsafe { *self.value.get() }
        }
    }
}
