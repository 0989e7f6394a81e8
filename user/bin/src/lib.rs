//! What the programs of `/bin` share, free of system calls, so that it is
//! tested on the host.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod pattern;
pub mod shell;
