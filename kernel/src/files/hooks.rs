//! What files and devices ask of the thread side of the kernel.
//!
//! Installed once at boot; before that nothing happens. They are called
//! with no lock held but such as sleep.

use abi::Errno;
use sync::OnceCell;

use super::inode::Owner;

/// A session, as one of its processes sees it.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    pub id: usize,
    /// The process began the session.
    pub leads: bool,
    /// Its process group.
    pub group: usize,
}

/// A terminal, for who may use it.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// The session whose terminal it is; 0 if nobody's.
    pub session: usize,
    /// The process group in front.
    pub foreground: usize,
}

pub trait Hooks: Sync {
    /// The running thread wrote to a pipe that nobody reads: SIGPIPE.
    fn broken_pipe(&self);
    /// How large the running process may make files, in bytes.
    fn largest_file(&self) -> u64;
    /// It wanted to make one larger: SIGXFSZ.
    fn file_too_large(&self);
    /// A key asks for `signal` to every member of the process group.
    fn signal_group(&self, group: usize, signal: u32);
    /// The running process is about to read (SIGTTIN) or change (SIGTTOU) its
    /// terminal: EINTR if it is not in front and gets the signal, EIO.
    fn check_terminal(&self, terminal: Terminal, signal: u32) -> Result<(), Errno>;
    /// The running process's session.
    fn session(&self) -> Session;
    /// A terminal is gone: `signal` to the process that leads the session.
    fn signal_leader(&self, session: usize, signal: u32);
    /// Whether there is such a process group in the session: ESRCH; EPERM if it
    /// is in another.
    fn check_group(&self, group: usize, session: usize) -> Result<(), Errno>;
    /// Whose files are that the running thread makes.
    fn file_owner(&self) -> Owner;
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
