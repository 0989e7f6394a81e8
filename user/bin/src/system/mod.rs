//! What programs share that makes system calls. The runtime's start code
//! cannot be linked into a test, so this is not there in one.

pub mod arguments;
pub mod copy;
pub mod facts;
pub mod folder;
pub mod input;
pub mod mounts;
pub mod program;
pub mod remove;
pub mod terminal;
pub mod threads;
