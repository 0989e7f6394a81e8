//! What the programs of `/bin` share: free of system calls, so that it is
//! tested on the host, except for `system`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod calendar;
pub mod edit;
pub mod items;
pub mod mode;
pub mod options;
pub mod order;
pub mod pattern;
pub mod shell;
pub mod signals;
pub mod size;
#[cfg(not(test))]
pub mod system;
