//! What files and devices ask of the thread side of the kernel.
//!
//! Installed once at boot; before that nothing happens. All are called with no
//! lock held.

use sync::OnceCell;

pub trait Hooks: Sync {
    /// The running thread wrote to a pipe that nobody reads: SIGPIPE.
    fn broken_pipe(&self);
    /// A key asks for `signal` to every member of the process group.
    fn signal_group(&self, group: usize, signal: u32);
    /// ^P: list the threads on the console.
    fn list_threads(&self);
}

static HOOKS: OnceCell<&'static dyn Hooks> = OnceCell::new();

/// Installs the hooks. The first call wins.
pub fn install(hooks: &'static dyn Hooks) {
    // A second call finds the cell full, which is what "first wins" means.
    let _ = HOOKS.set(hooks);
}

pub(crate) fn get() -> Option<&'static dyn Hooks> {
    HOOKS.get().copied()
}
