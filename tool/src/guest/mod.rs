//! One virtual machine from its start to its end: QEMU's arguments, the
//! channels to and from it, and the verdict on how it ended.

pub mod ending;
mod escape;
pub mod hardware;
pub mod input;
pub mod kvm;
pub mod log;
pub mod session;
pub mod stub;
mod terminal;
#[cfg(test)]
mod trial;

pub use ending::{Ending, Stopped};
pub use hardware::Hardware;
pub use session::{Input, Outcome, Session, Sink};
