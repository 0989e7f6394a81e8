//! Signals as plain data: what a process does with each ([`Actions`]), which
//! wait to be delivered ([`Pending`]), and what is told with each ([`Info`]).
//! Sending and delivering them is `thread::signal`'s.

mod actions;
mod info;
mod pending;

pub use actions::{Actions, Effect};
pub use info::Info;
pub use pending::Pending;

use abi::signal::*;

/// A set of signals: bit N - 1 stands for signal N.
pub type Set = u64;

/// The set of one signal.
pub const fn set_of(signal: u32) -> Set {
    1 << (signal - 1)
}

/// Those that nothing can block, catch or ignore.
pub const UNBLOCKABLE: Set = set_of(SIGKILL) | set_of(SIGSTOP);

/// Those that stop a process by default, and that SIGCONT cancels.
pub const STOPPING: Set = set_of(SIGSTOP) | set_of(SIGTSTP) | set_of(SIGTTIN) | set_of(SIGTTOU);
